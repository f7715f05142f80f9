// Flows over the API (contract §8): made, changed, read, paused, deleted, and seen by nobody else.

import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { advance, iso, NOON, SECOND } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { type FlowJson, FlowUnderTest, jobsIn } from "./flow.ts";

let account: Account;
let flow: FlowUnderTest;
beforeEach(async () => {
  account = await newAccount();
  flow = new FlowUnderTest(account, "mail/provider ü");
});

const LIMITS = {
  concurrency: 5,
  rate: { limit: 100, period: { value: 1, unit: "minute" } },
  breaker: { failures: 10, pause: { value: 30, unit: "second" } },
};
const list = (query = "") => api<FlowJson[]>("GET", `/v1/flows${query}`, { key: account.key });

it("a flow is shown as it was defined, and read again, in the list as well", async () => {
  const { status, body, headers } = await flow.call("PUT", "", LIMITS);
  expect([status, headers.get("ETag")]).toEqual([201, `"${NOON}"`]);
  expect(body.data).toEqual({
    key: flow.key,
    ...LIMITS,
    paused: false,
    paused_until: null,
    waiting: 0,
    running: 0,
    oldest_waiting_since: null,
    revision: NOON,
    created_at: iso(NOON),
    updated_at: iso(NOON),
  });
  const read = await flow.call("GET");
  expect([read.body.data, read.headers.get("ETag")]).toEqual([body.data, `"${NOON}"`]);
  expect((await list()).body.data).toEqual([body.data]);
});

it("a definition replaces the one before: what is left out is without limit, but for a pause", async () => {
  await flow.put({ ...LIMITS, paused: true });
  advance(SECOND);
  const { status, body } = await flow.call("PUT", "", { concurrency: 7 });
  expect(status).toBe(200);
  expect(body.data).toMatchObject({ concurrency: 7, rate: null, breaker: null, paused: true, revision: NOON + 1 });
  expect(body.data).toMatchObject({ created_at: iso(NOON), updated_at: iso(NOON + SECOND) });
  expect(await flow.put({ paused: false })).toMatchObject({ concurrency: null, paused: false });
});

it("shows how many wait and run, and since when the first of them waits", async () => {
  await flow.put({ paused: true });
  await jobsIn(flow, 3);
  const shown = { waiting: 3, running: 0, oldest_waiting_since: iso(NOON + 1) };
  expect(await flow.get()).toMatchObject(shown);
  expect((await list()).body.data).toMatchObject([shown]);
});

it("a list has pages, by key", async () => {
  for (const key of ["c", "a", "b"]) await new FlowUnderTest(account, key).put({});
  const { body } = await list("?size=2");
  expect(body.data.map(({ key }) => key)).toEqual(["a", "b"]);
  expect(body.meta.paging).toMatchObject({ page: 1, pages: 2, size: 2, total: 3 });
  expect((await list("?size=2&page=2")).body.data.map(({ key }) => key)).toEqual(["c"]);
});

it.each([
  ["no slot", { concurrency: 0 }, "concurrency"],
  ["too many slots", { concurrency: 1_001 }, "concurrency"],
  ["half a slot", { concurrency: 1.5 }, "concurrency"],
  ["no start", { rate: { ...LIMITS.rate, limit: 0 } }, "rate.limit"],
  ["too many starts", { rate: { ...LIMITS.rate, limit: 10_001 } }, "rate.limit"],
  ["no period", { rate: { limit: 1 } }, "rate.period"],
  ["an unknown unit", { rate: { limit: 1, period: { value: 1, unit: "year" } } }, "rate.period.unit"],
  ["too long a period", { rate: { limit: 1, period: { value: 32, unit: "day" } } }, "rate.period"],
  ["no failures", { breaker: { ...LIMITS.breaker, failures: 0 } }, "breaker.failures"],
  ["too many failures", { breaker: { ...LIMITS.breaker, failures: 101 } }, "breaker.failures"],
  ["too long a pause", { breaker: { failures: 1, pause: { value: 8, unit: "day" } } }, "breaker.pause"],
  ["a pause that is no yes or no", { paused: "yes" }, "paused"],
  ["an unknown field", { limit: 5 }, "limit"],
])("%s is 422, names the field and changes nothing", async (_, body, field) => {
  await flow.put(LIMITS);
  const { status, body: answer } = await flow.call("PUT", "", body);
  expect([status, answer.errors.map((error) => error.field)]).toEqual([422, [field]]);
  expect(await flow.get()).toMatchObject({ ...LIMITS, revision: NOON });
});

it("a key has 255 characters at most", async () => {
  expect((await new FlowUnderTest(account, "k".repeat(255)).call("PUT", "", {})).status).toBe(201);
  const { status, body } = await new FlowUnderTest(account, "k".repeat(256)).call("PUT", "", {});
  expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["key"]]);
});

it("a change of what has moved is 412 and shows the flow as it is now", async () => {
  await flow.put({ concurrency: 1 });
  await flow.put({ concurrency: 2 });
  for (const method of ["PUT", "DELETE"] as const) {
    const { status, body } = await flow.call(method, "", method === "PUT" ? {} : undefined, { ifMatch: `"${NOON}"` });
    expect([status, body.code, body.data]).toEqual([412, "precondition_failed", await flow.get()]);
  }
  const seen = { ifMatch: `"${NOON + 1}"` };
  expect((await flow.call("PUT", "", { concurrency: 3 }, seen)).body.data).toMatchObject({ concurrency: 3 });
  expect((await flow.call("DELETE", "", undefined, { ifMatch: `"${NOON + 2}"` })).status).toBe(200);
});

it("a pause and its end count as changes, once each", async () => {
  await flow.put({});
  expect(await flow.pause()).toMatchObject({ paused: true, paused_until: null, revision: NOON + 1 });
  expect(await flow.pause()).toMatchObject({ paused: true, revision: NOON + 1 });
  expect(await flow.resume()).toMatchObject({ paused: false, revision: NOON + 2 });
  expect(await flow.resume()).toMatchObject({ paused: false, revision: NOON + 2 });
});

it.each([
  ["GET", ""],
  ["DELETE", ""],
  ["POST", "/pause"],
  ["POST", "/resume"],
] as const)("%s %s of a flow that nobody has defined is 404", async (method, action) => {
  const { status, body } = await flow.call(method, action);
  expect([status, body.code]).toEqual([404, "flow_not_found"]);
  expect(await flow.isGone()).toBe(true);
});

it("a flow that must have a revision is not made", async () => {
  const { status, body } = await flow.call("PUT", "", {}, { ifMatch: '"1"' });
  expect([status, body.code]).toEqual([404, "flow_not_found"]);
  expect((await list()).body.data).toEqual([]);
});

it("of another account it is not there, whatever is asked", async () => {
  await flow.put(LIMITS);
  const stranger = await newAccount();
  const theirs = new FlowUnderTest(stranger, flow.key);
  for (const [method, action] of [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/pause"],
    ["POST", "/resume"],
  ] as const)
    expect((await theirs.call(method, action)).status).toBe(404);
  expect((await theirs.call("PUT", "", { concurrency: 1 })).status).toBe(201);
  expect((await list()).body.data).toMatchObject([{ concurrency: 5, revision: NOON }]);
});

it("a deleted flow is gone from the list at once, and may be made again", async () => {
  await flow.put(LIMITS);
  await flow.pause();
  const { revision } = await flow.get();
  await flow.remove();
  expect((await list()).body).toMatchObject({ data: [], meta: { paging: { total: 0 } } });
  expect((await flow.call("DELETE")).status).toBe(404);
  await flow.ring();
  expect(await flow.isGone()).toBe(true);
  advance(SECOND);
  const again = await flow.call("PUT", "", {});
  expect(again.status).toBe(201);
  expect(again.body.data.revision, "a tag of the deleted one matches nothing").toBeGreaterThan(revision + 1);
  expect((await list()).body.data).toMatchObject([{ key: flow.key, concurrency: null }]);
});

it("of an account that was deleted a moment ago it is as good as no account's", async () => {
  await flow.put({});
  await env.DB.prepare("UPDATE accounts SET status = 'deleted' WHERE id = ?").bind(account.id).run();
  const { status, body } = await new FlowUnderTest(account, "another").call("PUT", "", {});
  expect([status, body.code]).toEqual([401, "unauthorized"]);
});

it("a change while the database is down holds at once, and its row follows", async () => {
  await flow.put({ concurrency: 5 });
  const outage = databaseDown();
  expect((await flow.owner.remove(flow.ref, null)).ok).toBe(true);
  expect((await flow.owner.put(flow.ref, { concurrency: 1, rate: null, breaker: null, paused: false }, null)).ok).toBe(
    false,
  );
  outage.end();
  advance(10 * SECOND);
  await flow.ring();
  expect((await list()).body.data).toMatchObject([{ concurrency: 1 }]);
});
