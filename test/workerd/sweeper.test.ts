// The sweep: owners that have not been heard of in time are woken. In a healthy service there are none.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../src/index.ts";
import type { NewJobRow } from "../../src/store/rows.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { JobUnderTest, newJob, unarmedJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";
import { insertMany, insertRows } from "./harness/rows.ts";

let account: Account;
beforeEach(async () => {
  await env.DB.batch(
    ["accounts", "jobs", "look_ahead", "retention_walk"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
  );
  account = await newAccount();
});

const cron = (around: object = {}) => worker.scheduled(createScheduledController(), { ...env, ...around });

/** Whom the cron wakes at a moment. No owner hears of it. */
async function askedAt(at: number, around: object = {}): Promise<string[]> {
  setClock(at);
  const asked: string[] = [];
  const wake = async (name: string) => asked.push(name) > 0;
  await cron({ JOBS: { getByName: (name: string) => ({ wake: () => wake(name) }) }, ...around });
  return asked;
}

const dueOf = async (id: string | undefined) =>
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

  it("15 seconds after its time when nobody has armed it", async () => {
    const job = await unarmedJob(account);
    expect(await askedAt(NOON + 15 * SECOND - 1)).toEqual([]);
    expect(await askedAt(NOON + 15 * SECOND)).toEqual([nameOf(job.id)]);
  });

  it("15 seconds after its time when its owner has not said a word: a healthy one may be about to begin", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    expect(await askedAt(NOON + HOUR + 15 * SECOND - 1)).toEqual([]);
    expect(await askedAt(NOON + HOUR + 15 * SECOND)).toEqual([nameOf(job.id)]);
  });

  it.each(["completed", "failed", "cancelled"] as const)("never when it has %s", async (status) => {
    await insertRows(account, [{ status }]);
    expect(await askedAt(NOON + 1_000 * HOUR)).toEqual([]);
  });
});

describe("a row that stays silent", () => {
  it("is asked about again after 1, 2, 4, 8, 16, 32 minutes, and hourly from then on", async () => {
    const [id] = await insertRows(account, [{ revision: 1, reportDueAt: NOON - 2 * MINUTE }]);
    const pauses: number[] = [];
    for (let at = NOON, n = 0; n < 9; n++) {
      expect(await askedAt(at)).toEqual([nameOf(id)]);
      const next = Number((await dueOf(id))?.at);
      pauses.push((next - at) / MINUTE);
      expect(await askedAt(next + 2 * MINUTE - 1)).toEqual([]);
      at = next + 2 * MINUTE;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("is asked about even when its object does not answer, and that is logged", async () => {
    const [id] = await insertRows(account, [{ revision: 0, reportDueAt: NOON - 15 * SECOND }]);
    const dead = { getByName: () => ({ wake: () => Promise.reject(new Error("internal error")) }) };
    await cron({ JOBS: dead });
    expect(logs.of("sweep")).toMatchObject([{ level: "warn", asked: 1, unanswered: 1 }]);
    expect(await dueOf(id)).toEqual({ at: NOON + MINUTE, sweeps: 1 });
  });
});

describe("many overdue rows", () => {
  it("are all asked about, each once, the longest overdue first", async () => {
    await insertMany(account, 700, { revision: 0, reportDueAt: NOON - MINUTE });
    await insertMany(await newAccount(), 500, { revision: 0, reportDueAt: NOON - 15 * SECOND });
    const all = await askedAt(NOON);
    expect([all.length, new Set(all).size]).toEqual([1_200, 1_200]);
    expect(all.slice(0, 700).every((name) => name.startsWith(account.id))).toBe(true);
    expect(await askedAt(NOON + 1)).toEqual([]);
  });

  it("are asked about over several minutes where one run may not call them all", async () => {
    await insertMany(account, 40, { revision: 0, reportDueAt: NOON - HOUR });
    const runs: string[][] = [];
    for (let minute = 0; minute < 5; minute++) runs.push(await askedAt(NOON + minute * SECOND, { SUBREQUESTS: "50" }));
    expect(runs.map((asked) => asked.length)).toEqual([11, 11, 11, 7, 0]);
    expect(new Set(runs.flat()).size).toBe(40);
  });
});

describe("a healthy service", () => {
  it("is not asked anything, and nothing is logged", async () => {
    await cron();
    await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const done = await newJob(account);
    await done.ring();
    expect(await askedAt(NOON + 10 * MINUTE)).toEqual([]);
    expect([logs.of("sweep"), logs.of("retention")]).toEqual([[], []]);
  });

  it("answers a needless question with a fresh report, which quiets the row", async () => {
    receiver.answers(() => new Response(null, { status: 500, headers: { "Retry-After": "3600" } }));
    const job = await newJob(account);
    post.stop();
    await job.ring();
    post.goOn();
    setClock(NOON + 10 * MINUTE);
    await cron();
    await until(async () => (await job.row())?.status === "retrying");
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
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 3 });
  });
});

it("while D1 cannot answer the cron does not fail, and says so", async () => {
  databaseDown();
  await cron();
  for (const event of ["look_ahead_failed", "sweep_failed", "retention_failed"])
    expect(logs.of(event).length).toBeGreaterThan(0);
});

describe("the three tasks of a minute go their own ways", () => {
  it.each([
    ["look_ahead", "look_ahead"],
    ["retention", "retention_walk"],
  ])("a fault in %s is logged and stops none of the others", async (task, table) => {
    await env.DB.prepare(`ALTER TABLE ${table} RENAME TO gone`).run();
    const [id] = await insertRows(account, [{ revision: 0, reportDueAt: NOON - MINUTE }]);
    const asked = await askedAt(NOON);
    await env.DB.prepare(`ALTER TABLE gone RENAME TO ${table}`).run();
    expect(asked).toEqual([nameOf(id)]);
    expect(logs.of("cron_fault")).toMatchObject([{ level: "error", task }]);
  });

  it("a fault in the sweep stops neither the look ahead nor retention", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + 2 * HOUR) });
    const [old] = await insertRows(account, [{ status: "completed", createdAt: NOON - 100 * DAY }]);
    await env.DB.prepare("ALTER TABLE schedules RENAME TO gone").run();
    const asked = await askedAt(NOON + HOUR);
    await env.DB.prepare("ALTER TABLE gone RENAME TO schedules").run();
    expect(asked).toEqual([nameOf(job.id)]);
    expect(await new JobUnderTest(account, old ?? "").row()).toBeUndefined();
    expect(logs.of("cron_fault")).toMatchObject([{ level: "error", task: "sweep" }]);
  });
});
