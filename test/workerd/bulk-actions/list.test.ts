// GET /v1/bulk-actions, GET and abort of one (contract §2); that another account's does not exist; and how long one is kept.

import { createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { newJobId } from "../../../src/objects/new-id.ts";
import { reportBulkAction } from "../../../src/store/bulk-actions-store.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import { type Account, newAccount, remove, removeElsewhere } from "../harness/account.ts";
import { api, type Envelope } from "../harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { logs } from "../harness/logs.ts";
import { expectPause } from "../harness/pause.ts";
import { gapAt } from "../schedules/faults.ts";
import {
  type BulkActionJson,
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
  const tables = ["accounts", "api_keys", "jobs", "bulk_actions", "look_ahead", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

const ALL = { action: "cancel", filter: { all: true } };
const list = async (query = "", by = account): Promise<Envelope<BulkActionJson[]>> =>
  (await api<BulkActionJson[]>("GET", `/v1/bulk-actions${query}`, { key: by.key })).body;
const ids = async (query = "") => (await list(query)).data.map(({ id }) => id);

describe("a list", () => {
  it("is newest first, and shows what GET shows", async () => {
    await newJobs(account, 2, LATER);
    const one = await newBulkAction(account, ALL);
    await one.runToItsEnd();
    const two = await newBulkAction(account, { action: "delete", job_ids: [newJobId(NOON)] });
    const { data, meta } = await list();
    expect(data).toEqual([await two.show(), await one.show()]);
    expect(data).toMatchObject([
      { status: "running", matched: 0 },
      { status: "completed", matched: 2, done: 2 },
    ]);
    expect(meta.paging).toEqual({ page: 1, pages: 1, size: 20, total: 2, next_cursor: null });
  });

  it("is empty before there is anything", async () => {
    expect(await list()).toMatchObject({ data: [], meta: { paging: { total: 0, pages: 0, next_cursor: null } } });
  });

  it("is read in pages, by number and by cursor", async () => {
    const all: string[] = [];
    for (let i = 0; i < 5; i++) all.unshift((await newBulkAction(account, ALL)).id);
    expect(await ids("?size=2")).toEqual(all.slice(0, 2));
    expect(await ids("?size=2&page=3")).toEqual(all.slice(4));
    expect(await ids("?size=2&page=4")).toEqual([]);
    const { data, meta } = await list("?size=3");
    const rest = await list(`?size=3&cursor=${meta.paging.next_cursor}`);
    expect([...data, ...rest.data].map(({ id }) => id)).toEqual(all);
    expect(rest.meta.paging).toMatchObject({ page: 2, next_cursor: null });
  });

  it.each(["?status=running", "?size=101", "?size=0", "?cursor=x", "?page=2&cursor=MS4"])(
    "of %s is 422",
    async (query) => {
      expect((await api("GET", `/v1/bulk-actions${query}`, { key: account.key })).status).toBe(422);
    },
  );
});

describe("another account's bulk action", () => {
  const ROUTES: [string, "GET" | "POST", string][] = [
    ["reading", "GET", ""],
    ["aborting", "POST", "/abort"],
  ];

  it.each(ROUTES)("does not exist: %s", async (_, method, action) => {
    await newJobs(account, 1, LATER);
    const bulk = await newBulkAction(account, ALL);
    const stranger = await newAccount();
    const call = (id: string) => api(method, `/v1/bulk-actions/${id}${action}`, { key: stranger.key });
    const answer = await call(bulk.id);
    expect([answer.status, answer.body.code]).toEqual([404, "bulk_action_not_found"]);
    expect((await call(newJobId(Date.now()))).body).toEqual(answer.body);
    expect(await list("", stranger)).toMatchObject({ data: [], meta: { paging: { total: 0 } } });
    const theirs = env.BULK_ACTIONS.getByName(`${stranger.id}/${bulk.id}`);
    expect(await runInDurableObject(theirs, (_, { storage }) => [...storage.kv.list()])).toEqual([]);
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", done: 1 });
  });

  it.each(ROUTES)("with an id that cannot be one asks no object: %s", async (_, method, action) => {
    const asked: string[] = [];
    const getByName = (name: string) => asked.push(name);
    for (const id of ["ffffffff-ffff-4fff-8fff-ffffffffffff", newJobId(NOON)]) {
      const path = `/v1/bulk-actions/${id}${action}`;
      const answer = await api(method, path, { key: account.key, env: { BULK_ACTIONS: { getByName } } });
      expect([answer.status, answer.body.code]).toEqual([404, "bulk_action_not_found"]);
    }
    expect(asked).toEqual([]);
    const { status, body } = await api(method, `/v1/bulk-actions/x${action}`, { key: account.key });
    expect([status, body.errors[0]?.field]).toEqual([422, "id"]);
  });

  it("is not named by ids of its jobs", async () => {
    const stranger = await newAccount();
    const [job] = await newJobs(stranger, 1, LATER);
    const bulk = await newBulkAction(account, { action: "cancel", job_ids: [job?.id] });
    expect(await bulk.runToItsEnd()).toMatchObject({ matched: 1, done: 0, skipped: 1 });
    expect(await statusesOf(job ? [job] : [])).toEqual(["pending"]);
  });
});

describe("an abort", () => {
  it("before it begins leaves every job alone", async () => {
    const jobs = await newJobs(account, 3, LATER);
    const bulk = await newBulkAction(account, ALL);
    const { status, body } = await bulk.abort();
    expect([status, body.message]).toEqual([200, "Bulk action aborted."]);
    expect(body.data).toMatchObject({ status: "aborted", matched: 0, done: 0, completed_at: iso(Date.now()) });
    expect([await bulk.isEmpty(), await bulk.show()]).toEqual([true, body.data]);
    expect(new Set(await statusesOf(jobs))).toEqual(new Set(["pending"]));
  });

  it("of one that nobody has begun ends it, and the sweeper does not wake it", async () => {
    const [job] = await newJobs(account, 1, LATER);
    const bulk = await unheardBulkAction(account, ALL);
    expect((await bulk.abort()).body.data).toMatchObject({ status: "aborted" });
    advance(HOUR);
    await worker.scheduled(createScheduledController(), env);
    expect([await bulk.isEmpty(), (await job?.show())?.status]).toEqual([true, "pending"]);
  });

  it("in the middle of a page lets that be counted, and asks no other job", async () => {
    await newJobs(account, 150, LATER);
    const bulk = await newBulkAction(account, ALL);
    const gap = gapAt("before", 'update "jobs"');
    const rung = bulk.ring();
    await gap.reached();
    expect((await bulk.abort()).body.data).toMatchObject({ status: "aborted", matched: 100, completed_at: null });
    expect(await bulk.show()).toMatchObject({ status: "aborted", completed_at: null });
    gap.leave();
    await rung;
    const over = { status: "aborted", matched: 100, done: 100, skipped: 0, failed: 0, completed_at: iso(Date.now()) };
    expect(await bulk.show()).toMatchObject(over);
    const cancelled = await api<unknown[]>("GET", "/v1/jobs?status=cancelled", { key: account.key });
    expect(cancelled.body.meta.paging.total).toBe(100);
    expect((await bulk.row())?.state).toMatchObject({ status: "aborted", done: 100 });
  });

  it("while the next page is looked for leaves that alone", async () => {
    const jobs = await newJobs(account, 2, LATER);
    const bulk = await newBulkAction(account, ALL);
    const gap = gapAt("before", 'select "id", "status"');
    const rung = bulk.ring();
    await gap.reached();
    await bulk.abort();
    gap.leave();
    await rung;
    expect(await bulk.show()).toMatchObject({ status: "aborted", matched: 0 });
    expect(await statusesOf(jobs)).toEqual(["pending", "pending"]);
  });

  it("survives a death in the middle of a page", async () => {
    await newJobs(account, 2, LATER);
    const bulk = await newBulkAction(account, ALL);
    const gap = gapAt("after", 'update "jobs"');
    const rung = bulk.ring().catch(() => {});
    await gap.reached();
    await bulk.abort();
    await bulk.crash();
    gap.leave();
    await rung;
    await bulk.ringAfterDeath();
    expect(await bulk.show()).toMatchObject({ status: "aborted", matched: 2, done: 2 });
  });

  it.each<[string, (bulk: BulkActionUnderTest) => Promise<unknown>, string, string]>([
    ["completed", (bulk) => bulk.runToItsEnd(), "completed", "The bulk action had completed."],
    ["aborted", (bulk) => bulk.abort(), "aborted", "Bulk action aborted."],
  ])("of one that is %s is 200 with what it is", async (_, before, status, message) => {
    await newJobs(account, 1, LATER);
    const bulk = await newBulkAction(account, ALL);
    await before(bulk);
    const shown = await bulk.show();
    advance(MINUTE);
    const answer = await bulk.abort();
    expect([answer.status, answer.body.message, answer.body.data]).toEqual([200, message, { ...shown, status }]);
  });
});

describe("its row", () => {
  const cronAt = (at: number) => {
    setClock(at);
    return worker.scheduled(createScheduledController(), env);
  };

  it("is kept for 30 days after its end, to the millisecond", async () => {
    const bulk = await newBulkAction(account, ALL);
    advance(HOUR);
    await bulk.runToItsEnd();
    const endedAt = Date.now();
    await cronAt(endedAt + 30 * DAY);
    expect(await bulk.row()).toBeDefined();
    await cronAt(endedAt + 30 * DAY + HOUR);
    expect(await bulk.row()).toBeUndefined();
    expect((await bulk.call("GET")).status).toBe(404);
  });

  it("is kept while it runs, however old", async () => {
    const bulk = await newBulkAction(account, ALL);
    await cronAt(NOON + 400 * DAY);
    expect(await bulk.row()).toBeDefined();
  });

  it("goes with its account", async () => {
    await newJobs(account, 1, LATER);
    const bulk = await newBulkAction(account, ALL);
    await remove(account);
    await cronAt(NOON + MINUTE);
    expect(await bulk.row()).toBeUndefined();
  });

  it("that is gone is followed by one that is over", async () => {
    const [job] = await newJobs(account, 1, SOON);
    const bulk = await newBulkAction(account, ALL);
    await bulk.deleteRow();
    expect((await bulk.call("GET")).status).toBe(404);
    await bulk.ring();
    expect([await job?.show(), await bulk.isEmpty()]).toMatchObject([{ status: "cancelled" }, true]);
  });

  it("that is gone is written again by one that runs", async () => {
    await newJobs(account, 1, SOON);
    const bulk = await newBulkAction(account, ALL);
    const lost = { cancel: () => Promise.reject(new Error("overloaded")) };
    vi.spyOn(env.JOBS, "getByName").mockReturnValue(lost as never);
    await bulk.ring();
    await bulk.deleteRow();
    expect(await bulk.wake()).toBe(true);
    await until(async () => (await bulk.row()) !== undefined);
    expect((await bulk.row())?.state).toMatchObject({ status: "running", matched: 1 });
    expect(logs.of("row_restored")).toMatchObject([{ bulk_action_id: bulk.id, done: true }]);
  });

  it("takes the highest revision, in whatever order reports come", async () => {
    const bulk = await newBulkAction(account, ALL);
    const early = await bulk.stored();
    await bulk.runToItsEnd();
    if (early) await reportBulkAction(directoryOf(env), early);
    expect((await bulk.row())?.state).toMatchObject({ status: "completed" });
  });
});

describe("of an account that is gone", () => {
  it("it asks no job, and goes with its row", async () => {
    const jobs = await newJobs(account, 1, LATER);
    const bulk = await newBulkAction(account, ALL);
    await removeElsewhere(account);
    await bulk.ring();
    expect([await bulk.row(), await bulk.isEmpty()]).toEqual([undefined, true]);
    expect(await jobs[0]?.row()).toMatchObject({ status: "pending" });
  });

  it("one that nobody has begun is taken up once, and then goes", async () => {
    const bulk = await unheardBulkAction(account, ALL);
    await removeElsewhere(account);
    await env.DB.prepare("DELETE FROM accounts WHERE id = ?").bind(account.id).run();
    advance(MINUTE);
    await worker.scheduled(createScheduledController(), env);
    await bulk.ring();
    expect([await bulk.row(), await bulk.isEmpty()]).toEqual([undefined, true]);
  });
});

it("a report that the database refuses is told in the log, and repeated", async () => {
  const bulk = await newBulkAction(account, ALL);
  vi.spyOn(env.DB, "batch").mockRejectedValueOnce(new Error("D1_ERROR: no such column: SQLITE_ERROR"));
  expect((await bulk.abort()).body.data).toMatchObject({ status: "aborted" });
  expect(logs.of("report_refused")).toMatchObject([{ account_id: account.id, bulk_action_id: bulk.id }]);
  expectPause(await bulk.alarm(), 10 * SECOND);
  expect(await bulk.runToItsEnd()).toMatchObject({ status: "aborted" });
  expect((await bulk.row())?.state).toMatchObject({ status: "aborted" });
});
