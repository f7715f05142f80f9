// What holds a bulk action up: a database that is away, jobs that cannot be reached, a lost wake or alarm, and few calls. Nothing
// is lost, nothing is counted that did not happen, and it comes to an end.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { newJob } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { sweep } from "../schedules/schedule.ts";
import {
  type BulkActionUnderTest,
  LATER,
  newBulkAction,
  newJobs,
  SOON,
  statusesOf,
  unheardBulkAction,
} from "./bulk-action.ts";

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "schedules", "bulk_actions", "look_ahead", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

/** From now on the owners of these jobs throw, or hang, when they are asked. */
function unreachable(isIt: (name: string) => boolean): { asked: string[]; end(): void } {
  const getByName = env.JOBS.getByName.bind(env.JOBS);
  const asked: string[] = [];
  const spy = vi.spyOn(env.JOBS, "getByName").mockImplementation((name, options) => {
    if (!isIt(name)) return getByName(name, options);
    asked.push(name);
    const refuses = () => Promise.reject(new Error("overloaded"));
    return { cancel: refuses, retry: refuses, run: refuses, remove: refuses } as never;
  });
  return { asked, end: () => spy.mockRestore() };
}

describe("a job that cannot be reached", () => {
  it("is asked five times, over 102 s, and has failed then; its neighbours are not held back", async () => {
    const [lost, found] = await newJobs(account, 2, SOON);
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const startedAt = Date.now();
    const { asked } = unreachable((name) => name.endsWith(lost?.id ?? ""));
    await bulk.ring();
    expect(await bulk.show()).toMatchObject({ status: "running", matched: 2, done: 1, failed: 0 });
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", matched: 2, done: 1, skipped: 0, failed: 1 });
    expect([asked.length, Date.now() - startedAt]).toEqual([5, 102 * SECOND]);
    expect(logs.of("bulk_action_failed")).toEqual([
      {
        level: "error",
        event: "bulk_action_failed",
        account_id: account.id,
        bulk_action_id: bulk.id,
        job_id: lost?.id,
      },
    ]);
    expect(await found?.show()).toMatchObject({ status: "cancelled" });
  });

  it("and answers in the end counts as done", async () => {
    const [job] = await newJobs(account, 1, SOON);
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const { end } = unreachable(() => true);
    for (let tries = 0; tries < 4; tries++) {
      setClock((await bulk.alarm()) ?? 0);
      while (((await bulk.stored())?.page?.tries ?? 0) <= tries) await bulk.ringAt((await bulk.alarm()) ?? 0);
    }
    end();
    expect(await bulk.runToItsEnd()).toMatchObject({ done: 1, failed: 0 });
    expect(await job?.show()).toMatchObject({ status: "cancelled" });
  });

  it("is asked for no longer once the action was aborted and its tries are used up", async () => {
    await newJobs(account, 1, SOON);
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    unreachable(() => true);
    await bulk.ring();
    expect((await bulk.abort()).body.data).toMatchObject({ status: "aborted", completed_at: null });
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "aborted", matched: 1, failed: 1 });
  });
});

describe("while the database is down", () => {
  it("nothing is found, nothing has failed, and it goes on ten seconds after it is back", async () => {
    const jobs = await newJobs(account, 3, LATER);
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const down = databaseDown();
    for (let ring = 0; ring < 20; ring++) await bulk.ringAt((await bulk.alarm()) ?? 0);
    down.end();
    expect(logs.of("bulk_action_held").length).toBeGreaterThan(10);
    expect((await bulk.alarm()) ?? 0).toBeLessThanOrEqual(Date.now() + 10 * SECOND);
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", matched: 3, done: 3, failed: 0 });
    expect(new Set(await statusesOf(jobs))).toEqual(new Set(["cancelled"]));
  });

  it("jobs on a page that need it wait for it as long as need be; those that do not are done", async () => {
    const [near, far] = [await newJob(account, SOON), await newJob(account, { delay: { value: 3, unit: "day" } })];
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const state = await bulk.stored();
    await bulk.store({ ...state, rest: null, page: { jobIds: [near.id, far.id], tries: 0 }, matched: 2, revision: 1 });
    const down = databaseDown();
    const downAt = Date.now();
    while (Date.now() < downAt + 10 * MINUTE) await bulk.ringAt((await bulk.alarm()) ?? 0);
    expect(await bulk.stored()).toMatchObject({ status: "running", done: 1, failed: 0, page: { jobIds: [far.id] } });
    down.end();
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", matched: 2, done: 2, failed: 0 });
  });

  it("how far it has come is known all the same, and it can be aborted", async () => {
    await newJobs(account, 1, SOON);
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const down = databaseDown();
    expect(await bulk.show()).toMatchObject({ status: "running", matched: 0 });
    expect((await bulk.abort()).body.data).toMatchObject({ status: "aborted", completed_at: iso(Date.now()) });
    down.end();
    expect((await bulk.row())?.state).toMatchObject({ status: "running" });
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "aborted", matched: 0 });
    expect((await bulk.row())?.state).toMatchObject({ status: "aborted" });
    expect(await bulk.isEmpty()).toBe(true);
  });
});

describe("the sweeper", () => {
  it("wakes one that its object has not heard of, 15 s after it was asked for and not a millisecond earlier", async () => {
    const [job] = await newJobs(account, 1, LATER);
    const bulk = await unheardBulkAction(account, { action: "cancel", filter: { all: true } });
    const askedAt = Date.now();
    setClock(askedAt + 15 * SECOND - 1);
    await sweep();
    expect(await bulk.isEmpty()).toBe(true);
    setClock(askedAt + 15 * SECOND);
    await sweep();
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", done: 1 });
    expect(await job?.show()).toMatchObject({ status: "cancelled" });
  });

  it("finds one that lost its alarm, within three minutes", async () => {
    const [lost] = await newJobs(account, 2, SOON);
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const { end } = unreachable((name) => name.endsWith(lost?.id ?? ""));
    await bulk.ring();
    advance(5 * SECOND);
    await bulk.ring();
    end();
    await bulk.loseAlarm();
    await bulk.evict();
    advance(3 * MINUTE);
    await sweep();
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", matched: 2, done: 2 });
  });

  it("leaves alone what is over", async () => {
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    await bulk.runToItsEnd();
    expect(await bulk.row()).toMatchObject({ reportDueAt: null });
    advance(HOUR);
    await sweep();
    expect([await bulk.isEmpty(), logs.of("sweep")]).toEqual([true, []]);
  });
});

describe("with few calls in an invocation", () => {
  const bindings = env as { SUBREQUESTS: string };
  const { SUBREQUESTS: usual } = bindings;
  afterEach(() => {
    bindings.SUBREQUESTS = usual;
  });

  /** What the object itself asks of D1 and of other objects in one ring. */
  async function callsOf(bulk: BulkActionUnderTest): Promise<number> {
    let calls = 0;
    const prepare = env.DB.prepare.bind(env.DB);
    const getByName = env.JOBS.getByName.bind(env.JOBS);
    const statements = vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
      calls += 1;
      return prepare(query);
    });
    const objects = vi.spyOn(env.JOBS, "getByName").mockImplementation((name, options) => {
      calls += 1;
      return getByName(name, options);
    });
    await bulk.ring();
    statements.mockRestore();
    objects.mockRestore();
    return calls;
  }

  it.each(["50", "20", "10", "1"])("(%s) it goes on with another ring, and comes to its end", async (few) => {
    bindings.SUBREQUESTS = few;
    await newJobs(account, 23, LATER); // rows without owners: all calls are its own
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const calls = await callsOf(bulk);
    if (Number(few) >= 10) expect(calls).toBeLessThanOrEqual(Number(few));
    expect(await bulk.show()).toMatchObject({ status: "running" });
    expect(await bulk.alarm()).toBe(Date.now() + 1);
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", matched: 23, done: 23 });
  });
});

it("progress reaches the list while it goes on, at least every five seconds of work", async () => {
  const [lost] = await newJobs(account, 2, SOON);
  const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
  unreachable((name) => name.endsWith(lost?.id ?? ""));
  await bulk.ring();
  expect((await bulk.row())?.state).toMatchObject({ matched: 0, revision: 0 });
  setClock(NOON + 10 * SECOND);
  await bulk.ring();
  expect((await bulk.row())?.state).toMatchObject({ status: "running", matched: 2, done: 1 });
});
