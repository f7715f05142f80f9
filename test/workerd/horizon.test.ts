// A job far ahead is its row and nothing else; an hour before its time its owner takes it up.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../src/index.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { must } from "./harness/api.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { JobUnderTest, newJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";
import { insertMany, insertRows } from "./harness/rows.ts";

let account: Account;
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM horizon_walk")]);
  account = await newAccount();
});

const dueAt = (at: number) => newJob(account, { scheduled_for: iso(at) });

function cronAt(at: number, around: object = {}): Promise<void> {
  setClock(at);
  return worker.scheduled(createScheduledController(), { ...env, ...around });
}

/** Owners that only note who was asked. */
function listening(answer: () => boolean | Promise<boolean> = () => true) {
  const asked: string[] = [];
  const poked: string[] = [];
  const owner = (name: string) => ({
    poke: async () => void poked.push(name),
    takeUp: async () => {
      asked.push(name);
      return answer();
    },
  });
  return { asked, poked, JOBS: { getByName: owner } };
}

const nameOf = ({ ref }: JobUnderTest) => `${ref.accountId}/${ref.jobId}`;

/** Whom the cron asks at a moment, straight or over the queue. */
async function askedAt(at: number): Promise<string[]> {
  const { asked, JOBS } = listening();
  await cronAt(at, { JOBS });
  const queued = post.takeUps.splice(0).flat(2);
  return [...asked, ...queued.flatMap(({ jobs }) => jobs.map((job) => `${job.accountId}/${job.jobId}`))];
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

  it("that is far ahead can be cancelled, and nobody takes it up any more", async () => {
    const far = await dueAt(NOON + DAY);
    expect(await must(far.cancel())).toMatchObject({ status: "cancelled", attempts: 0 });
    await post.deliver();
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
    expect([await far.row(), post.sent, logs.of("horizon_failed")]).toEqual([row, [], []]);
  });

  it("it is then what it would have been with an owner from the start", async () => {
    const asked = { payload: { n: 1 }, handler: "h", timeout: 7, max_retries: 9 };
    const far = await newJob(account, { ...asked, scheduled_for: iso(NOON + DAY) });
    await cronAt(NOON + DAY - HOUR);
    const { id, createdAt, updatedAt, scheduledFor, phase, ...rest } = (await far.stored()) ?? {};
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
    expect(await askedAt(NOON)).toEqual([]);
  });

  it("that has been away for hours goes on from now: what became due meanwhile is asked for by the sweeper, once", async () => {
    await askedAt(NOON);
    const [missed, near] = [await dueAt(NOON + 3 * HOUR), await dueAt(NOON + 4 * HOUR + 30 * MINUTE)];
    const { asked, poked, JOBS } = listening();
    await cronAt(NOON + 4 * HOUR, { JOBS });
    expect([asked, poked]).toEqual([[nameOf(near)], [nameOf(missed)]]);
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

  it("is asked over the queue, ten in a message, a hundred messages at once, each job once", async () => {
    await insertMany(account, 2_345, CROWD);
    const { asked, JOBS } = listening();
    await cronAt(NOON, { JOBS });
    expect([asked, post.takeUps.map((messages) => messages.length)]).toEqual([[], [100, 100, 35]]);
    const jobs = post.takeUps.flat().flatMap((message) => message.jobs);
    expect(Math.max(...post.takeUps.flat().map((message) => message.jobs.length))).toBe(10);
    expect(new Set(jobs.map(({ jobId }) => jobId)).size).toBe(2_345);
  });

  it("goes on from the same row when one run cannot hold it: 50,000 in a minute", async () => {
    await insertMany(account, 50_500, CROWD);
    expect(await askedAt(NOON)).toHaveLength(50_000);
    const rest = await askedAt(NOON + MINUTE);
    expect([rest.length, new Set(rest).size]).toEqual([500, 500]);
  });

  it("waits for the next minute where the queue does not take it", async () => {
    await insertMany(account, 1_500, CROWD);
    vi.spyOn(env.SNAPSHOTS, "sendBatch").mockRejectedValueOnce(new Error("Queue is overloaded"));
    await cronAt(NOON, listening());
    expect(logs.of("horizon_failed")).toMatchObject([{ level: "warn", asked: 0 }]);
    expect(await askedAt(NOON + MINUTE)).toHaveLength(1_500);
  });

  it("is taken up when the message comes", async () => {
    await insertRows(account, Array(3).fill(CROWD));
    const jobs = (await env.DB.prepare("SELECT id FROM jobs").all<{ id: string }>()).results.map(
      ({ id }) => new JobUnderTest(account, id),
    );
    const { explicitAcks } = await post.deliver([{ kind: "take_up", v: 1, jobs: jobs.map(({ ref }) => ref) } as never]);
    expect(explicitAcks).toEqual(["m0"]);
    for (const job of jobs) expect(await job.alarm()).not.toBeNull();
  });
});

describe("an owner that cannot answer", () => {
  const silent = [
    ["throws", () => Promise.reject(new Error("internal error"))],
    ["cannot read its row", () => false],
  ] as const;

  it.each(silent)("because it %s is asked again over the queue", async (_, answer) => {
    const job = await dueAt(NOON + DAY);
    await cronAt(NOON + DAY - HOUR, listening(answer));
    expect(post.takeUps).toEqual([[{ kind: "take_up", v: 1, jobs: [job.ref] }]]);
  });

  it("brings the message back", async () => {
    const job = await dueAt(NOON + DAY);
    const down = databaseDown();
    const message = { kind: "take_up", v: 1, jobs: [job.ref] } as never;
    expect((await post.deliver([message])).retryMessages).toMatchObject([{ msgId: "m0" }]);
    down.end();
    expect((await post.deliver([message])).explicitAcks).toEqual(["m0"]);
    expect(await job.alarm()).toBe(NOON + DAY);
  });

  it("is not waited for: a job whose row is gone is no job", async () => {
    const nobody = { accountId: account.id, jobId: crypto.randomUUID() };
    expect((await post.deliver([{ kind: "take_up", v: 1, jobs: [nobody] } as never])).explicitAcks).toEqual(["m0"]);
  });

  it("leaves a message of a newer version on the queue", async () => {
    const job = await dueAt(NOON + DAY);
    const { retryMessages } = await post.deliver([{ kind: "take_up", v: 2, jobs: [job.ref] } as never]);
    expect([retryMessages.length, await job.isEmpty()]).toEqual([1, true]);
  });
});

describe("while D1 is down", () => {
  it("the look ahead fails without a word of why, and goes on when D1 is back", async () => {
    const job = await dueAt(NOON + DAY);
    const down = databaseDown();
    await cronAt(NOON + DAY - HOUR);
    expect(logs.of("horizon_failed")).toMatchObject([{ level: "warn", asked: 0 }]);
    down.end();
    expect(await askedAt(NOON + DAY - HOUR + MINUTE)).toEqual([nameOf(job)]);
  });
});

it("a job that was never taken up is the sweeper's at the moment it is due", async () => {
  const job = await dueAt(NOON + DAY);
  await cronAt(NOON + DAY);
  await job.ring();
  expect(receiver.received).toHaveLength(1);
});
