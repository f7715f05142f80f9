// The cron's first half (design, rule 10): owners that have not been heard of in time are asked how they are.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../src/index.ts";
import type { PokeMessage } from "../../src/objects/pokes.ts";
import type { NewJobRow } from "../../src/store/rows.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { HOUR, iso, MINUTE, NOON, SECOND, setClock } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { JobUnderTest, newJob, unarmedJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";
import { insertMany, insertRows } from "./harness/rows.ts";

let account: Account;
beforeEach(async () => {
  await env.DB.prepare("DELETE FROM jobs").run();
  account = await newAccount();
});

const cron = (around: object = {}) => worker.scheduled(createScheduledController(), { ...env, ...around });

/** Rings the cron and tells whom it has asked: with a call each, or in a message. No owner is woken. */
async function asksAt(at: number): Promise<{ straight: string[]; queued: string[][] }> {
  setClock(at);
  const straight: string[] = [];
  await cron({ JOBS: { getByName: (name: string) => ({ poke: async () => void straight.push(name) }) } });
  return { straight, queued: post.pokes.splice(0) };
}

async function askedAt(at: number): Promise<string[]> {
  const { straight, queued } = await asksAt(at);
  return [...straight, ...queued.flat()];
}

const attentionOf = async (id: string | undefined) =>
  env.DB.prepare("SELECT report_due_at AS at, sweeps FROM jobs WHERE id = ?")
    .bind(id ?? "")
    .first();

const nameOf = (id: string | undefined) => `${account.id}/${id}`;

describe("a row is asked about", () => {
  const ARMED: Partial<NewJobRow>[] = [
    { status: "pending", revision: 1, reportDueAt: NOON },
    { status: "queued", revision: 2, reportDueAt: NOON },
    { status: "running", revision: 3, reportDueAt: NOON },
    { status: "retrying", revision: 4, reportDueAt: NOON },
  ];

  it.each(ARMED)("when it is two minutes overdue and not a millisecond earlier: %o", async (values) => {
    const [id] = await insertRows(account, [values]);
    expect(await askedAt(NOON + 2 * MINUTE - 1)).toEqual([]);
    expect(await askedAt(NOON + 2 * MINUTE)).toEqual([nameOf(id)]);
  });

  it("without any grace when nobody has armed it, 15 seconds after its creation", async () => {
    const job = await unarmedJob(account);
    expect(await askedAt(NOON + 15 * SECOND - 1)).toEqual([]);
    expect(await askedAt(NOON + 15 * SECOND)).toEqual([nameOf(job.id)]);
  });

  it("not before its time, when nobody has armed it: a waiting row may be healthy", async () => {
    const job = await unarmedJob(account, { scheduled_for: iso(NOON + HOUR) });
    expect(await askedAt(NOON + HOUR - 1)).toEqual([]);
    expect(await askedAt(NOON + HOUR)).toEqual([nameOf(job.id)]);
  });

  it.each(["completed", "failed", "cancelled"] as const)("never when it has %s", async (status) => {
    await insertRows(account, [{ status }]);
    expect(await askedAt(NOON + 1_000 * HOUR)).toEqual([]);
  });
});

describe("a row that stays silent", () => {
  it("is asked about again after 1, 2, 4, 8, 16, 32 minutes, and hourly from then on", async () => {
    const [id] = await insertRows(account, [{ revision: 0, reportDueAt: NOON }]);
    const pauses: number[] = [];
    for (let at = NOON, n = 0; n < 9; n++) {
      expect(await askedAt(at)).toEqual([nameOf(id)]);
      const next = Number((await attentionOf(id))?.at);
      pauses.push((next - at) / MINUTE);
      expect(await askedAt(next - 1)).toEqual([]);
      at = next;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("is asked about even when its object does not answer, and that is logged", async () => {
    const [id] = await insertRows(account, [{ revision: 0, reportDueAt: NOON }]);
    const dead = { getByName: () => ({ poke: () => Promise.reject(new Error("internal error")) }) };
    await cron({ JOBS: dead });
    expect(logs.of("sweep")).toMatchObject([{ level: "warn", asked: 1, unanswered: 1 }]);
    expect(await attentionOf(id)).toEqual({ at: NOON + MINUTE, sweeps: 1 });
  });
});

describe("many overdue rows", () => {
  const pokeOf = (job: JobUnderTest, v = 1): PokeMessage => ({ kind: "poke", v: v as 1, ...job.ref });

  it("are all asked about, each once, the longest overdue first: some straight, the rest over the queue", async () => {
    await insertMany(account, 700, { revision: 0, reportDueAt: NOON - MINUTE });
    await insertMany(await newAccount(), 500, { revision: 0, reportDueAt: NOON });
    const { straight, queued } = await asksAt(NOON);
    const all = [...straight, ...queued.flat()];
    expect([all.length, new Set(all).size]).toEqual([1_200, 1_200]);
    expect(all.slice(0, 700).every((name) => name.startsWith(account.id))).toBe(true);
    expect(straight.length).toBeLessThan(900); // A Worker has a thousand calls.
    expect(Math.max(...queued.map((batch) => batch.length))).toBeLessThanOrEqual(100); // What a queue takes at once.
    expect(await askedAt(NOON + 1)).toEqual([]);
  });

  it("whose question the queue does not take are asked about a minute later", async () => {
    await insertMany(account, 1_200, { revision: 0, reportDueAt: NOON });
    vi.spyOn(env.SNAPSHOTS, "sendBatch").mockRejectedValueOnce(new Error("Queue is overloaded"));
    const silent = { getByName: () => ({ poke: async () => {} }) };
    await cron({ JOBS: silent });
    expect(logs.of("sweep")).toMatchObject([{ unanswered: 200 }]);
    expect(await askedAt(NOON + MINUTE)).toHaveLength(1_200);
  });

  it("wake their owners when the question comes out of the queue", async () => {
    const job = await unarmedJob(account);
    const { explicitAcks } = await post.deliver([pokeOf(job)]);
    expect(explicitAcks).toEqual(["m0"]);
    await job.ring();
    expect(receiver.received).toHaveLength(1);
  });

  it("leave a question of a newer version on the queue", async () => {
    const job = await unarmedJob(account);
    const { explicitAcks, retryMessages } = await post.deliver([pokeOf(job, 99)]);
    expect([explicitAcks, retryMessages.length, await job.isEmpty()]).toEqual([[], 1, true]);
  });
});

describe("a healthy service", () => {
  it("is not asked anything, and nothing is logged", async () => {
    await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const done = await newJob(account);
    await done.ring();
    await post.deliver();
    expect(await askedAt(NOON + 10 * MINUTE)).toEqual([]);
    expect([logs.of("sweep"), logs.of("retention")]).toEqual([[], []]);
  });

  it("answers a needless question with a fresh snapshot, which quiets the row", async () => {
    receiver.answers(() => new Response(null, { status: 500, headers: { "Retry-After": "3600" } }));
    const job = await newJob(account);
    await job.ring();
    post.take();
    setClock(NOON + 10 * MINUTE);
    await cron();
    await post.deliver();
    expect(await job.row()).toMatchObject({ status: "retrying", reportDueAt: NOON + HOUR, sweeps: 0 });
    expect(await askedAt(NOON + 20 * MINUTE)).toEqual([]);
    expect(receiver.received).toHaveLength(1);
  });
});

describe("what was lost comes back within a minute of the cron", () => {
  it("a job whose arm never arrived is armed and runs", async () => {
    const job = await unarmedJob(account);
    setClock(NOON + MINUTE);
    await cron();
    await job.ring();
    expect(receiver.received).toHaveLength(1);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("a job whose owner has lost its storage runs again, its numbers going on", async () => {
    const [id = ""] = await insertRows(account, [{ status: "running", revision: 7, attempt: 2, started: 2 }]);
    const job = new JobUnderTest(account, id);
    setClock(NOON + 3 * MINUTE);
    await cron();
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 3 });
    await post.deliver();
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 3 });
  });
});

it("while D1 cannot answer the cron does not fail, and says so", async () => {
  await insertRows(account, [{ revision: 0, reportDueAt: NOON }]);
  databaseDown();
  await cron();
  for (const event of ["sweep_failed", "retention_failed"]) expect(logs.of(event).length).toBeGreaterThan(0);
});
