// A request with two faults is told of the one the contract puts first (§1, "order of refusals").

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount, suspend } from "./harness/account.ts";
import { api, must } from "./harness/api.ts";
import { newJob } from "./harness/job.ts";

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";
const NEVER = { limit: async () => ({ success: false }) };

/** In the contract's order. */
const FAULTS = [
  "path",
  "method",
  "key",
  "suspended",
  "scope",
  "rate",
  "size",
  "json",
  "schema",
  "existence",
  "state",
] as const;
type Fault = (typeof FAULTS)[number];

const ANSWERS: Record<Fault, [number, string]> = {
  path: [404, "not_found"],
  method: [405, "method_not_allowed"],
  key: [401, "unauthorized"],
  suspended: [403, "account_suspended"],
  scope: [403, "forbidden"],
  rate: [429, "rate_limit_exceeded"],
  size: [413, "payload_too_large"],
  json: [400, "bad_request"],
  schema: [422, "validation_error"],
  existence: [404, "job_not_found"],
  state: [409, "job_not_cancellable"],
};

let account: Account;
let suspended: Account;
/** Keys that may do something else. */
let limited: { readonly key: string; readonly suspended: string };
let endedId: string;
let liveId: string;

beforeEach(async () => {
  account = await newAccount();
  suspended = await newAccount();
  limited = { key: await readKey(account), suspended: await readKey(suspended) };
  await suspend(suspended);
  const ended = await newJob(account);
  await ended.ring();
  endedId = ended.id;
  liveId = (await newJob(account)).id;
});

function keyWith(isSuspended: boolean, isLimited: boolean): string {
  if (isLimited) return isSuspended ? limited.suspended : limited.key;
  return isSuspended ? suspended.key : account.key;
}

const readKey = async ({ key }: Account): Promise<string> =>
  (await must(api<{ key: string }>("POST", "/v1/api-keys", { key, body: { name: "r", scope: "read" } }))).key;

/** A cancellation with the faults asked for and no others. */
function send(...faults: Fault[]) {
  const has = (fault: Fault) => faults.includes(fault);
  const id = has("existence") ? UNKNOWN_ID : has("state") ? endedId : liveId;
  const path = `/v1/${has("path") ? "jobz" : "jobs"}/${id}/cancel${has("schema") ? "?colour=red" : ""}`;
  const text = has("json") ? "{" : "{}";
  const raw = has("size") ? text.padEnd(262_145, " ") : has("json") ? text : undefined;
  return api(has("method") ? "PATCH" : "POST", path, {
    key: has("key") ? undefined : keyWith(has("suspended"), has("scope")),
    raw,
    ...(has("rate") ? { env: { API_RATE_LIMIT: NEVER } } : {}),
  });
}

it("a request without a fault goes through", async () => {
  expect((await send()).status).toBe(200);
});

describe.each(FAULTS)("the fault in %s", (first) => {
  it("has its own answer", async () => {
    const { status, body } = await send(first);
    expect([status, body.code]).toEqual(ANSWERS[first]);
  });

  const later = FAULTS.slice(FAULTS.indexOf(first) + 1).filter(
    (second) => !(first === "existence" && second === "state"),
  );
  if (later.length > 0)
    it.each(later)("is told before the fault in %s", async (second) => {
      const { status, body } = await send(first, second);
      expect([status, body.code]).toEqual(ANSWERS[first]);
    });
});

it("a refused request changes nothing", async () => {
  for (const fault of FAULTS) await send(fault);
  const { body } = await api<{ status: string }>("GET", `/v1/jobs/${liveId}`, { key: account.key });
  expect(body.data.status).toBe("pending");
});

it("an id in the path that is no UUID is 422 on `id`, before anybody looks for it", async () => {
  for (const [method, action] of [
    ["GET", ""],
    ["GET", "/executions"],
    ["POST", "/cancel"],
    ["POST", "/retry"],
  ] as const) {
    const { status, body } = await api(method, `/v1/jobs/not-a-uuid${action}`, { key: account.key });
    expect(status).toBe(422);
    expect(body.errors.map(({ field }) => field)).toEqual(["id"]);
  }
});

it("an id in the path may be written in upper case", async () => {
  const { status } = await api("GET", `/v1/jobs/${liveId.toUpperCase()}`, { key: account.key });
  expect(status).toBe(200);
});

it("a rate limit says when to come back", async () => {
  expect((await send("rate")).headers.get("Retry-After")).toBe("10");
});
