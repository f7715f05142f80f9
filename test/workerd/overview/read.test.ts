// The overview over the API: its buckets, percentiles, failures, what is overdue and what is due, for a bounded number of rows.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { showOverview } from "../../../src/routes/show-overview.ts";
import { MAX_AHEAD } from "../../../src/store/due-jobs.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { api, must } from "../harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { newJob } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { walkThroughAll } from "../harness/retention.ts";
import { insertMany, insertRows } from "../harness/rows.ts";
import { cron, flush, projector } from "./counts.ts";

type Overview = ReturnType<typeof showOverview>;

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await flush();
  await env.DB.prepare("DELETE FROM jobs").run();
});

const read = (query = "", of = account) => must(api<Overview>("GET", `/v1/overview${query}`, { key: of.key }));

/** What the projector has counted is there when somebody looks, unless somebody has just looked. */
async function look(query = "", of = account): Promise<Overview> {
  await projector().flush();
  return read(query, of);
}

async function job(answer: number, more: object = {}): Promise<void> {
  receiver.answers(answer);
  await (await newJob(account, { max_retries: 0, ...more })).ring();
}

/** A row of counts, put there by hand. */
const count = (of: Account, minute: number, values: Record<string, number>) =>
  env.DB.prepare(
    `INSERT INTO overview (account_id, minute, ${Object.keys(values)}) VALUES (?, ?, ${Object.values(values)})`,
  )
    .bind(of.id, minute)
    .run();

const fail = (of: Account, slot: number, values: Record<string, string | number> = {}) => {
  const row = {
    error_code: "timeout",
    handler: "",
    host: "a.example.com",
    count: 1,
    last_at: slot,
    job_id: "j",
    ...values,
  };
  const columns = Object.keys(row);
  return env.DB.prepare(`INSERT INTO failures (account_id, slot, ${columns}) VALUES (?, ?, ${columns.map(() => "?")})`)
    .bind(of.id, slot, ...Object.values(row))
    .run();
};

const NONE = { p50: null, p95: null, p99: null, max: null };

describe("an overview", () => {
  it("asks the projector first: what has just happened is in it", async () => {
    setClock(NOON + 3 * HOUR);
    await job(200);
    const { buckets } = await read();
    expect(buckets.at(-1)).toMatchObject({ at: iso(NOON + 3 * HOUR), started: 1, completed: 1, failed: 0, retried: 0 });
  });

  it("is what is there when the projector does not answer within a second", async () => {
    vi.spyOn(env.PROJECTORS, "getByName").mockImplementation(() => ({ flush: () => new Promise(() => {}) }) as never);
    expect((await read()).buckets).toHaveLength(60);
  });

  it("of nothing shows every bucket, and no percentile", async () => {
    const empty = await look();
    expect(empty).toMatchObject({
      window: "1h",
      bucket_seconds: 60,
      failing: [],
      overdue: { count: 0, complete: true },
    });
    expect(empty.buckets).toHaveLength(60);
    expect(empty.buckets[0]).toEqual({
      at: iso(NOON - 59 * MINUTE),
      ...{ started: 0, completed: 0, failed: 0, retried: 0, lateness_ms: NONE },
    });
    expect(empty.overdue.oldest_run_at).toBeNull();
  });

  it.each([
    ["15m", 15, MINUTE],
    ["1h", 60, MINUTE],
    ["24h", 96, 15 * MINUTE],
    ["7d", 84, 2 * HOUR],
  ] as const)("of %s has %i buckets and takes in all of it, to the minute", async (window, buckets, bucketMs) => {
    setClock(NOON + 5 * MINUTE);
    const last = NOON + 5 * MINUTE - ((NOON + 5 * MINUTE) % bucketMs);
    const first = last - (buckets - 1) * bucketMs;
    for (const minute of [first - MINUTE, first, NOON + 5 * MINUTE]) await count(account, minute, { started: 1 });
    await count(account, first + bucketMs - MINUTE, { started: 10 }).catch(() => {}); // the same minute in a short window
    const shown = await look(`?window=${window}`);
    expect(shown.bucket_seconds).toBe(bucketMs / SECOND);
    expect(shown.buckets.map(({ at }) => at)).toEqual(
      Array.from({ length: buckets }, (_, i) => iso(first + i * bucketMs)),
    );
    expect(shown.buckets[0]?.started).toBe(bucketMs > MINUTE ? 11 : 1);
    expect(shown.buckets.at(-1)?.started).toBe(1);
    expect(shown.buckets.reduce((sum, { started }) => sum + started, 0)).toBe(bucketMs > MINUTE ? 12 : 2);
  });

  it("shows percentiles as bounds of the histogram, of all minutes of a bucket together", async () => {
    setClock(NOON + 5 * MINUTE);
    await count(account, NOON + 5 * MINUTE, { started: 98, late_10: 90, late_500: 8, late_max: 333, late_sum: 1 });
    await count(account, NOON, { started: 2, late_5000: 1, late_max: 4_000_000 });
    const { buckets } = await look("?window=24h");
    expect(buckets.at(-1)?.lateness_ms).toEqual({ p50: 10, p95: 500, p99: 5_000, max: 4_000_000 });
    expect((await look()).buckets.at(-1)?.lateness_ms).toEqual({ p50: 10, p95: 333, p99: 333, max: 333 });
  });

  it("shows no other account's", async () => {
    const other = await newAccount();
    await count(other, NOON, { started: 1 });
    await fail(other, NOON);
    await insertRows(other, [
      { runAt: NOON - MINUTE, reportDueAt: NOON - MINUTE },
      { status: "queued", dueAt: NOON - HOUR },
    ]);
    const shown = await look();
    expect(shown).toMatchObject({ failing: [], overdue: { count: 0, oldest_run_at: null } });
    expect(shown.buckets.every(({ started }) => started === 0)).toBe(true);
    expect(shown.due.every(({ count }) => count === 0)).toBe(true);
  });

  it.each(["", "2h", "1H", "1h,7d"])("refuses the window %j", async (window) => {
    const { status, body } = await api("GET", `/v1/overview?window=${window}`, { key: account.key });
    expect([status, body.errors]).toEqual([
      422,
      [{ field: "window", message: 'Must be one of "15m", "1h", "24h", "7d".' }],
    ]);
  });
});

describe("failing", () => {
  it("shows groups, newest first, with a job to look at", async () => {
    await job(500, { handler: "mail" });
    advance(SECOND);
    await job(404, { handler: "mail" });
    advance(SECOND);
    await job(404);
    const { failing } = await look();
    const common = { error_code: "http_status", host: "hooks.example.com" };
    expect(failing).toMatchObject([
      { ...common, handler: null, count: 1, last_at: iso(NOON + 2 * SECOND) },
      { ...common, handler: "mail", count: 2, last_at: iso(NOON + SECOND) },
    ]);
    const { error_code, handler } = failing[1] ?? {};
    const shown = await must(api<{ handler: string }>("GET", `/v1/jobs/${failing[1]?.job_id}`, { key: account.key }));
    expect([error_code, shown.handler]).toEqual(["http_status", handler]);
  });

  it("adds up the slots of the window, and shows fifty groups at most", async () => {
    setClock(NOON + 20 * MINUTE);
    const newest = NOON + 15 * MINUTE;
    await fail(account, NOON - 15 * MINUTE, { count: 100 }); // before a window of fifteen minutes
    await fail(account, NOON, { count: 3, job_id: "older" });
    await fail(account, newest, { count: 4, job_id: "newer" });
    const { failing } = await look("?window=15m");
    expect(failing).toEqual([
      { error_code: "timeout", handler: null, host: "a.example.com", count: 7, last_at: iso(newest), job_id: "newer" },
    ]);
    expect((await look("?window=1h")).failing[0]?.count).toBe(107);
    for (let i = 0; i < 60; i++) await fail(account, newest, { host: `${i}`, last_at: newest + i });
    const many = (await look()).failing;
    expect(many).toHaveLength(50);
    expect(many[0]?.host).toBe("59");
  });

  it("keeps twenty groups for a quarter of an hour, whoever brings them; the others are counted together", async () => {
    for (let i = 0; i < 15; i++) await job(500, { handler: `h${i}` });
    await flush();
    for (let i = 10; i < 30; i++) await job(500, { handler: `h${i}` });
    const { failing } = await look();
    expect(failing).toHaveLength(21);
    expect(failing.reduce((sum, { count }) => sum + count, 0)).toBe(35);
    expect(failing.find(({ error_code }) => error_code === "other")).toMatchObject({ handler: null, host: null });
  });
});

describe("overdue", () => {
  it("counts what has been due for more than ten seconds and has not started", async () => {
    const due = (at: number, more: object = {}) => ({ runAt: at, reportDueAt: at, ...more });
    await insertRows(account, [
      due(NOON - 10 * SECOND + 1), // not yet
      due(NOON - 10 * SECOND),
      due(NOON - MINUTE, { status: "retrying" }),
      due(NOON - HOUR, { reportDueAt: NOON + 30 * MINUTE }), // put off by the sweeper
      { status: "queued", dueAt: NOON - 11 * SECOND, runAt: NOON - 11 * SECOND, reportDueAt: NOON + 40 * MINUTE },
      { status: "queued", dueAt: NOON - 9 * SECOND, runAt: NOON - 9 * SECOND, reportDueAt: NOON + 40 * MINUTE },
      due(NOON - 2 * HOUR, { status: "running" }),
      due(NOON - 2 * HOUR, { origin: "event" }),
      { status: "completed" },
    ]);
    expect((await look()).overdue).toEqual({ count: 4, complete: true, oldest_run_at: iso(NOON - HOUR) });
  });

  it("does not count what stands in the line of its flow, as long as its owner is heard of", async () => {
    await must(api("PUT", "/v1/flows/held", { key: account.key, body: { paused: true } }));
    const held = await newJob(account, { flow: "held" });
    await held.ring();
    await held.ringWhenSet(); // it has a place, and reports
    advance(MINUTE);
    expect(await look()).toMatchObject({ overdue: { count: 0 } });
    expect((await look()).due.reduce((sum, { count }) => sum + count, 0)).toBe(0);
    const inLine = { flow: "f", revision: 2, runAt: NOON - HOUR, reportDueAt: NOON + 10 * MINUTE };
    await insertRows(account, [inLine, { ...inLine, sweeps: 1 }, { ...inLine, revision: 0 }]);
    expect((await look()).overdue).toMatchObject({ count: 2 });
  });

  it("stops at a thousand, and says so", async () => {
    await insertMany(account, 1_000, { runAt: NOON - HOUR, reportDueAt: NOON - HOUR });
    expect((await look()).overdue).toMatchObject({ count: 1_000, complete: true });
    await insertRows(account, [{ runAt: NOON - DAY, reportDueAt: NOON - DAY }]);
    expect((await look()).overdue).toEqual({ count: 1_000, complete: false, oldest_run_at: iso(NOON - DAY) });
  });
});

describe("due", () => {
  it("counts the jobs of each minute of the next hour, the present one included", async () => {
    setClock(NOON + 30 * SECOND);
    const at = (runAt: number, more: object = {}) => ({ runAt, reportDueAt: runAt, ...more });
    await insertRows(account, [
      at(NOON + 25 * SECOND), // due, and not overdue yet
      at(NOON + MINUTE - 1),
      at(NOON + MINUTE, { status: "retrying" }),
      at(NOON + HOUR + 30 * SECOND),
      at(NOON + HOUR + 30 * SECOND + 1),
      at(NOON + 5 * MINUTE, { origin: "event" }),
    ]);
    const { due, due_complete_until } = await look();
    expect(due).toHaveLength(61);
    expect(due.filter(({ count }) => count > 0)).toEqual([
      { at: iso(NOON), count: 2 },
      { at: iso(NOON + MINUTE), count: 1 },
      { at: iso(NOON + HOUR), count: 1 },
    ]);
    expect(due_complete_until).toBe(iso(NOON + HOUR + 30 * SECOND));
  });

  it("claims nothing beyond where it stopped looking, though that was for others' jobs", async () => {
    const other = await newAccount();
    await insertMany(other, MAX_AHEAD, { runAt: NOON + 10 * MINUTE, reportDueAt: NOON + 10 * MINUTE });
    await insertRows(account, [
      { runAt: NOON + 5 * MINUTE, reportDueAt: NOON + 5 * MINUTE },
      { runAt: NOON + 11 * MINUTE, reportDueAt: NOON + 11 * MINUTE },
    ]);
    const { due, due_complete_until } = await look();
    expect(due_complete_until).toBe(iso(NOON + 10 * MINUTE));
    expect(due).toHaveLength(10);
    expect(due[5]).toEqual({ at: iso(NOON + 5 * MINUTE), count: 1 });
  });
});

it("reads a bounded number of rows, whatever is stored", async () => {
  const minutes = Array.from({ length: 9 * 24 * 60 }, (_, i) => NOON - i * MINUTE);
  await env.DB.prepare("INSERT INTO overview (account_id, minute, started) SELECT ?, value, 1 FROM json_each(?)")
    .bind(account.id, JSON.stringify(minutes))
    .run();
  await env.DB.prepare(
    `INSERT INTO failures (account_id, slot, error_code, handler, host, count, last_at, job_id)
     SELECT ?, s.value, 'timeout', h.value, '', 1, s.value, 'j' FROM json_each(?) AS s, json_each(?) AS h`,
  )
    .bind(
      account.id,
      JSON.stringify(minutes.filter((minute) => minute % (15 * MINUTE) === 0)),
      JSON.stringify(Array.from({ length: 21 }, (_, i) => `h${i}`)),
    )
    .run();
  await insertMany(account, 3 * MAX_AHEAD, { runAt: NOON - HOUR, reportDueAt: NOON - HOUR });
  await env.DB.prepare("UPDATE jobs SET status = 'queued', due_at = ? WHERE id > ?")
    .bind(NOON - HOUR, "00000000-0000-4000-8000-000000005000")
    .run();
  for (const [window, rows] of [
    ["1h", 6 * 21],
    ["7d", 673 * 21],
  ] as const) {
    const batches = vi.spyOn(env.DB, "batch");
    await look(`?window=${window}`);
    const answers = await Promise.all(batches.mock.results.map(({ value }) => value as Promise<D1Result[]>));
    batches.mockRestore();
    const reading = answers.findLast((results) => results.length === 5) ?? [];
    const read = reading.map(({ meta }) => meta.rows_read);
    expect(read[0], "counts").toBeLessThanOrEqual(2 * (7 * 24 * 60 + 1));
    expect(read[1], "failures").toBeLessThanOrEqual(2 * rows);
    expect(read[2], "jobs ahead").toBeLessThanOrEqual(5 * MAX_AHEAD);
    expect(read[3], "queued jobs").toBeLessThanOrEqual(3_000);
    expect(read[4], "flows").toBe(0);
  }
});

it("is kept for seven days, and the total for good", async () => {
  await count(account, 0, { started: 3 });
  await count(account, NOON, { started: 1 });
  await count(account, NOON + MINUTE, { started: 2 });
  await fail(account, NOON);
  await fail(account, NOON + 30 * MINUTE);
  setClock(NOON + 7 * DAY + 15 * MINUTE);
  const left = async (table: string) =>
    (await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE account_id = ?`).bind(account.id).first())?.n;
  await walkThroughAll(cron);
  expect([await left("overview"), await left("failures")]).toEqual([1, 2]);
  setClock(NOON + 7 * DAY + 2 * HOUR);
  await walkThroughAll(cron);
  expect(await left("failures")).toBe(0);
});
