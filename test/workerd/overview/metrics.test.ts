// A scrape, read by an independent parser of the format: an account's own, or for the operator all of them.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import parse from "parse-prometheus-text-format";
import { beforeEach, describe, expect, it, vi } from "vitest";
import * as handlers from "../../../src/objects/pull-queue/handlers.ts";
import { type Account, newAccount, suspend } from "../harness/account.ts";
import { ADMIN, app, NO_RATE_LIMITS, requestOf } from "../harness/api.ts";
import { HOUR, MINUTE, NOON } from "../harness/clock.ts";
import { newJob } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { insertMany, insertRows } from "../harness/rows.ts";
import { flush } from "./counts.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await flush();
  await env.DB.prepare("DELETE FROM jobs").run();
});

async function ask(key: string | undefined, more: { env?: object; address?: string } = {}) {
  const headers = more.address === undefined ? {} : { "CF-Connecting-IP": more.address };
  const around = { ...env, ...NO_RATE_LIMITS, ...more.env } as Cloudflare.Env;
  return app.fetch(requestOf("GET", "/v1/metrics", { key, headers }), around, createExecutionContext());
}

interface Metric {
  readonly value?: string;
  readonly labels?: Record<string, string>;
  readonly buckets?: Record<string, string>;
  readonly count?: string;
  readonly sum?: string;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metrics: readonly Metric[];
}

async function scrape(key: string): Promise<Map<string, Family>> {
  const response = await ask(key);
  expect([response.status, response.headers.get("Content-Type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  const families: Family[] = parse(await response.text());
  expect(families.every(({ help, type }) => help !== "" && type !== "UNTYPED")).toBe(true);
  return new Map(families.map((family) => [family.name, family]));
}

const valueIn = (families: Map<string, Family>, name: string, account?: string): string | undefined =>
  families.get(name)?.metrics.find(({ labels }) => labels?.account === account)?.value;

async function job(answer: number, more: object = {}): Promise<void> {
  receiver.answers(answer);
  await (await newJob(account, { max_retries: 0, ...more })).ring();
}

describe("an account's scrape", () => {
  it("shows what was ever counted, with the histogram of lateness", async () => {
    await job(200);
    await job(404);
    await job(500, { max_retries: 1 });
    const late = await newJob(account);
    receiver.answers(200);
    await late.ringAt(NOON + 1_500);
    await flush();
    const families = await scrape(account.key);
    const values = ["attempts_started", "jobs_completed", "jobs_failed", "attempts_retried"].map((name) =>
      valueIn(families, `chronos_${name}_total`),
    );
    expect(values).toEqual(["4", "2", "1", "1"]);
    const [lateness] = families.get("chronos_lateness_seconds")?.metrics ?? [];
    expect(lateness).toMatchObject({ count: "4", sum: "1.5" });
    expect(lateness?.buckets).toMatchObject({ "0.01": "3", "1": "3", "2": "4", "3600": "4", "+Inf": "4" });
    expect(Object.keys(lateness?.buckets ?? {})).toHaveLength(16);
  });

  it("of nothing shows zeros: a rate needs a beginning", async () => {
    const families = await scrape(account.key);
    expect(valueIn(families, "chronos_jobs_failed_total")).toBe("0");
    expect(families.get("chronos_lateness_seconds")?.metrics[0]).toMatchObject({ count: "0", sum: "0" });
    expect(valueIn(families, "chronos_jobs_overdue")).toBe("0");
    expect(valueIn(families, "chronos_oldest_overdue_seconds")).toBe("0");
  });

  it("shows what is overdue, and for how long", async () => {
    await insertRows(account, [{ runAt: NOON - MINUTE, reportDueAt: NOON - MINUTE }]);
    await insertRows(account, [{ status: "queued", dueAt: NOON - HOUR, runAt: NOON - HOUR, reportDueAt: NOON + HOUR }]);
    const families = await scrape(account.key);
    expect(valueIn(families, "chronos_jobs_overdue")).toBe("2");
    expect(valueIn(families, "chronos_oldest_overdue_seconds")).toBe("3600");
  });

  it("shows its handlers, whatever they are called", async () => {
    const name = 'a "quoted" \\ name\nin two lines, ünïcode 🎉 {x="y"} ';
    vi.spyOn(handlers, "handlersOf").mockResolvedValue({
      ok: true,
      value: [
        { handler: name, waiting: 3, oldestDueAt: NOON - 1_500, lastPollAt: null, workers: [] },
        {
          ...{ handler: "mail", waiting: 0, oldestDueAt: null, lastPollAt: NOON },
          workers: [{ workerId: "a", lastPollAt: NOON }],
        },
      ],
    });
    const families = await scrape(account.key);
    const of = (metric: string) =>
      families.get(`chronos_handler_${metric}`)?.metrics.map(({ labels, value }) => [labels?.handler, value]);
    expect(of("waiting_jobs")).toEqual([
      [name, "3"],
      ["mail", "0"],
    ]);
    expect(of("oldest_due_timestamp_seconds")).toEqual([[name, String((NOON - 1_500) / 1_000)]]);
    expect(of("last_poll_timestamp_seconds")).toEqual([["mail", String(NOON / 1_000)]]);
    expect(of("workers")).toEqual([
      [name, "0"],
      ["mail", "1"],
    ]);
  });

  it("goes without its handlers when they cannot be asked", async () => {
    vi.spyOn(handlers, "handlersOf").mockResolvedValue({
      ok: false,
      error: { code: "unavailable", retryAfterSeconds: 5 },
    });
    expect(valueIn(await scrape(account.key), "chronos_jobs_overdue")).toBe("0");
  });

  it("reads a bounded number of rows with 50,000 jobs stored", async () => {
    await insertMany(account, 50_000, { runAt: NOON + MINUTE, reportDueAt: NOON + MINUTE });
    const batches = vi.spyOn(env.DB, "batch");
    await scrape(account.key);
    const answers = await Promise.all(batches.mock.results.map(({ value }) => value as Promise<D1Result[]>));
    expect(answers.flat().reduce((sum, { meta }) => sum + meta.rows_read, 0)).toBeLessThan(55_000);
  });
});

describe("the operator's scrape", () => {
  it("shows every account under its own label, a suspended one too, a deleted one not", async () => {
    const [other, gone] = [await newAccount(), await newAccount()];
    await job(200);
    await flush();
    await suspend(other);
    await insertRows(other, [{ status: "queued", dueAt: NOON - HOUR, runAt: NOON - HOUR, reportDueAt: NOON + HOUR }]);
    await env.DB.prepare("UPDATE accounts SET status = 'deleted' WHERE id = ?").bind(gone.id).run();
    const families = await scrape(ADMIN);
    const of = (id: string) =>
      ["attempts_started_total", "jobs_overdue", "oldest_overdue_seconds"].map((name) =>
        valueIn(families, `chronos_${name}`, id),
      );
    expect(of(account.id)).toEqual(["1", "0", "0"]);
    expect(of(other.id)).toEqual(["0", "1", "3600"]);
    expect(of(gone.id)).toEqual([undefined, undefined, undefined]);
    expect(valueIn(families, "chronos_accounts_left_out")).toBe("0");
    expect(valueIn(families, "chronos_overdue_complete")).toBe("1");
  });

  it("says how many accounts it leaves out, and asks few for their handlers", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
       INSERT INTO accounts (id, name, status, master_key_id, created_at)
       SELECT printf('zz-many-%d', i), 'many', 'active', 'k', 0 FROM n`,
    ).run();
    const asked = vi.spyOn(handlers, "handlersOf");
    const families = await scrape(ADMIN);
    const { n } = (await env.DB.prepare(
      "SELECT count(*) AS n FROM accounts WHERE status <> 'deleted' AND database = 0",
    ).first()) as {
      n: number;
    };
    expect(families.get("chronos_jobs_failed_total")?.metrics).toHaveLength(1_000);
    expect(valueIn(families, "chronos_accounts_left_out")).toBe(String(n - 1_000));
    expect(valueIn(families, "chronos_accounts_without_handlers")).toBe("980");
    expect(asked).toHaveBeenCalledTimes(20);
    await env.DB.prepare("DELETE FROM accounts WHERE id LIKE 'zz-many-%'").run();
  });

  it("stops asking for handlers at a hundred", async () => {
    const one = { handler: "h", waiting: 0, oldestDueAt: null, lastPollAt: null, workers: [] };
    const asked = vi
      .spyOn(handlers, "handlersOf")
      .mockImplementation(async (_env, _id, most) => ({ ok: true, value: Array(Math.min(60, most)).fill(one) }));
    await newAccount();
    await newAccount();
    await scrape(ADMIN);
    expect(asked.mock.calls.map(([, , most]) => most)).toEqual([100, 40]);
  });
});

describe("who may scrape", () => {
  it.each([undefined, "", "chrns_nonsense", `${ADMIN}x`, "Basic"])("not %j", async (key) => {
    const response = await ask(key);
    expect([response.status, ((await response.json()) as { code: string; message: string }).message]).toEqual([
      401,
      "A valid API key is required: `Authorization: Bearer chrns_…`.",
    ]);
  });

  it("the admin token opens nothing that is not set, or is too short", async () => {
    for (const ADMIN_TOKEN of [undefined, "short"])
      expect((await ask(ADMIN_TOKEN ?? ADMIN, { env: { ADMIN_TOKEN } })).status).toBe(401);
  });

  it("a suspended account not", async () => {
    await suspend(account);
    expect((await ask(account.key)).status).toBe(403);
  });

  it("guesses at the admin token are limited, and a key that is known goes on", async () => {
    const address = "203.0.113.77";
    await ask(account.key, { address });
    const guesses: number[] = [];
    for (let i = 0; i < 31; i++) guesses.push((await ask(`guess-${i}`, { address })).status);
    expect(guesses).toEqual([...Array(30).fill(401), 429]);
    expect((await ask(ADMIN, { address })).status).toBe(429);
    expect((await ask(account.key, { address })).status).toBe(200);
  });

  it("a key within its rate limit", async () => {
    const refusing = { limit: async () => ({ success: false }) };
    expect((await ask(account.key, { env: { API_RATE_LIMIT: refusing } })).status).toBe(429);
  });
});
