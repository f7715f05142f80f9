// A job far ahead is its row and nothing else; an hour before its time its owner takes it up.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../src/index.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { must } from "./harness/api.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { type JobUnderTest, newJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";
import { insertMany, insertRows } from "./harness/rows.ts";

let account: Account;
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM look_ahead")]);
  account = await newAccount();
});

const dueAt = (at: number) => newJob(account, { scheduled_for: iso(at) });

function cronAt(at: number, around: object = {}): Promise<void> {
  setClock(at);
  return worker.scheduled(createScheduledController(), { ...env, ...around });
}

/** Owners that only note who was asked. */
function listening(answer: (name: string) => boolean | Promise<boolean> = () => true) {
  const asked: string[] = [];
  const owner = (name: string) => ({
    wake: async () => {
      asked.push(name);
      return answer(name);
    },
  });
  return { asked, JOBS: { getByName: owner } };
}

const nameOf = ({ ref }: JobUnderTest) => `${ref.accountId}/${ref.jobId}`;

/** Whom the cron wakes at a moment. */
async function askedAt(at: number, around: object = {}): Promise<string[]> {
  const { asked, JOBS } = listening();
  await cronAt(at, { JOBS, ...around });
  return asked;
}

describe("a new job", () => {
  it("gets its owner at once when it is due within an hour and five minutes", async () => {
    const near = await dueAt(NOON + 65 * MINUTE - 1);
    expect(await near.alarm()).toBe(NOON + 65 * MINUTE - 1);
  });

  it("is its row and nothing else when it is due later", async () => {
    const far = await dueAt(NOON + 65 * MINUTE);
    expect(await far.isEmpty()).toBe(true);
    expect(await far.row()).toMatchObject({ status: "pending", revision: 0, reportDueAt: NOON + 65 * MINUTE });
    expect(await far.show()).toMatchObject({ status: "pending", run_at: iso(NOON + 65 * MINUTE) });
  });

  it("that is its row alone is read without a question to its object, which would make it", async () => {
    const far = await dueAt(NOON + 66 * MINUTE);
    const asked = vi.spyOn(env.JOBS, "getByName");
    expect(await far.show()).toMatchObject({ status: "pending" });
    expect(await far.executions()).toEqual([]);
    expect(asked).not.toHaveBeenCalled();
    setClock(NOON + 2 * MINUTE);
    await far.show();
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("that is far ahead can be cancelled, and nobody takes it up any more", async () => {
    const far = await dueAt(NOON + DAY);
    expect(await must(far.cancel())).toMatchObject({ status: "cancelled", attempts: 0 });
    expect(await askedAt(NOON + DAY - HOUR)).toEqual([]);
  });
});

describe("an hour before its time", () => {
  it("a job is taken up, and not a millisecond earlier", async () => {
    const far = await dueAt(NOON + DAY);
    await cronAt(NOON + DAY - HOUR - 1);
    expect(await far.isEmpty()).toBe(true);
    await cronAt(NOON + DAY - HOUR);
    expect(await far.alarm()).toBe(NOON + DAY);
  });

  it("nothing is reported and no row of D1 is touched: nothing has changed", async () => {
    const far = await dueAt(NOON + DAY);
    const row = await far.row();
    await cronAt(NOON + DAY - HOUR);
    expect([await far.row(), post.sent, logs.of("look_ahead_failed")]).toEqual([row, [], []]);
  });

  it("it is then what it would have been with an owner from the start", async () => {
    const asked = { payload: { n: 1 }, handler: "h", timeout: 7, max_retries: 9 };
    const far = await newJob(account, { ...asked, scheduled_for: iso(NOON + DAY) });
    await cronAt(NOON + DAY - HOUR);
    const { id, createdAt, updatedAt, scheduledFor, phase, keepUntil, ...rest } = (await far.stored()) ?? {};
    const near = await newJob(account, { ...asked, scheduled_for: iso(NOON + DAY) });
    expect(await near.stored()).toMatchObject(rest);
    await far.ringAt(NOON + DAY);
    expect(receiver.received).toHaveLength(1);
    expect(await far.show()).toMatchObject({ status: "completed", attempts: 1, scheduled_for: iso(NOON + DAY) });
  });

  it("from then on D1 may be down: it is delivered, and signed", async () => {
    const far = await dueAt(NOON + DAY);
    await cronAt(NOON + DAY - HOUR);
    setClock(NOON + DAY);
    databaseDown();
    await far.ring();
    expect(receiver.received[0]?.headers.get("webhook-signature")).toMatch(/^v1,/);
  });
});

describe("the look ahead", () => {
  it("asks each job once, whenever it was made", async () => {
    const first = await dueAt(NOON + 66 * MINUTE);
    expect(await askedAt(NOON + MINUTE)).toEqual([]);
    expect(await askedAt(NOON + 6 * MINUTE)).toEqual([nameOf(first)]);
    setClock(NOON + 6 * MINUTE + 30 * SECOND);
    const second = await dueAt(NOON + 6 * MINUTE + 30 * SECOND + 65 * MINUTE);
    expect(await askedAt(NOON + 11 * MINUTE)).toEqual([]);
    expect(await askedAt(NOON + 12 * MINUTE)).toEqual([nameOf(second)]);
    expect(await askedAt(NOON + 13 * MINUTE)).toEqual([]);
  });

  it("leaves what has reported already, and what is overdue: the sweeper asks for that", async () => {
    await insertRows(account, [
      { revision: 1, reportDueAt: NOON + HOUR },
      { revision: 0, reportDueAt: NOON },
      { status: "completed" },
    ]);
    expect(await askedAt(NOON + 15 * SECOND - 1)).toEqual([]);
  });

  it("that has been away for hours goes on from now: what became due meanwhile is asked for by the sweeper, once", async () => {
    await askedAt(NOON);
    const [missed, near] = [await dueAt(NOON + 3 * HOUR), await dueAt(NOON + 4 * HOUR + 30 * MINUTE)];
    const asked = await askedAt(NOON + 4 * HOUR);
    expect(asked.sort()).toEqual([nameOf(near), nameOf(missed)].sort());
    expect(await askedAt(NOON + 4 * HOUR + MINUTE)).toEqual([]);
  });

  it("never steps back, when an older run ends after a younger one", async () => {
    const job = await dueAt(NOON + 70 * MINUTE);
    expect(await askedAt(NOON + 10 * MINUTE)).toEqual([nameOf(job)]);
    expect(await askedAt(NOON + 5 * MINUTE)).toEqual([]);
    expect(await askedAt(NOON + 10 * MINUTE)).toEqual([]);
  });
});

describe("a crowd that comes near", () => {
  const CROWD = { revision: 0, reportDueAt: NOON + HOUR };

  it("is woken, each job once", async () => {
    await insertMany(account, 1_234, CROWD);
    const asked = await askedAt(NOON);
    expect([asked.length, new Set(asked).size]).toEqual([1_234, 1_234]);
  });

  it("goes on from the same row when one run may not call them all", async () => {
    await insertMany(account, 100, CROWD);
    const runs: string[][] = [];
    for (let minute = 0; minute < 7; minute++) runs.push(await askedAt(NOON + minute * MINUTE, { SUBREQUESTS: "50" }));
    expect(runs.map((asked) => asked.length)).toEqual([17, 17, 17, 17, 17, 15, 0]);
    expect(new Set(runs.flat()).size).toBe(100);
  });
});

describe("an owner that cannot answer", () => {
  const silent = [
    ["throws", () => Promise.reject(new Error("internal error"))],
    ["cannot read its row", () => false],
  ] as const;

  it.each(silent)("because it %s is asked again in a minute", async (_, answer) => {
    const job = await dueAt(NOON + DAY);
    await cronAt(NOON + DAY - HOUR, listening(answer));
    expect(logs.of("look_ahead_failed")).toMatchObject([{ woken: 0, silent: 1 }]);
    expect(await askedAt(NOON + DAY - HOUR + MINUTE)).toEqual([nameOf(job)]);
  });

  it("holds up nobody behind it: the sweeper wakes it once it is due", async () => {
    const [bad, good] = [await dueAt(NOON + DAY), await dueAt(NOON + DAY + SECOND)];
    const { asked, JOBS } = listening((name) => name !== nameOf(bad));
    await cronAt(NOON + DAY - HOUR + SECOND, { JOBS });
    expect(asked).toEqual([nameOf(bad), nameOf(good)]);
    expect(await askedAt(NOON + DAY - HOUR + MINUTE)).toEqual([]);
    expect(await askedAt(NOON + DAY + 15 * SECOND)).toEqual([nameOf(bad)]);
  });

  it("is not waited for when its row is gone: that is no job", async () => {
    const job = await dueAt(NOON + DAY);
    await job.deleteRow();
    expect(await job.owner.wake(job.ref)).toBe(true);
    expect(await job.isEmpty()).toBe(true);
  });
});

describe("while D1 is down", () => {
  it("the look ahead fails without a word of why, and goes on when D1 is back", async () => {
    const job = await dueAt(NOON + DAY);
    const down = databaseDown();
    await cronAt(NOON + DAY - HOUR);
    expect(logs.of("look_ahead_failed")).toMatchObject([{ level: "warn", woken: 0 }]);
    down.end();
    expect(await askedAt(NOON + DAY - HOUR + MINUTE)).toEqual([nameOf(job)]);
  });
});

it("a job that was never taken up is the sweeper's 15 seconds after it is due, and not a millisecond earlier", async () => {
  const job = await dueAt(NOON + DAY);
  await cronAt(NOON + DAY + 15 * SECOND - 1);
  expect(await job.isEmpty()).toBe(true);
  await cronAt(NOON + DAY + 15 * SECOND);
  await job.ring();
  expect(receiver.received).toHaveLength(1);
});
