// PATCH /v1/schedules/:id (contract §6): what is named is changed, the rest stays; it takes effect from the next tick.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { HOUR, iso, MINUTE, NOON, setClock } from "../harness/clock.ts";
import { PUSH } from "../harness/job.ts";
import { HOURLY, newSchedule, type ScheduleUnderTest } from "./schedule.ts";

const NOW = NOON + 10 * MINUTE;

let account: Account;
let schedule: ScheduleUnderTest;
beforeEach(async () => {
  account = await newAccount();
  schedule = await newSchedule(account, { ...HOURLY, description: "d", payload: { a: 1 }, runs: 9 });
  setClock(NOW);
});

const CHANGES: Record<string, unknown>[] = [
  { name: "new" },
  { description: "new" },
  { description: "" },
  { handler: "new" },
  { cron: "0 9 * * MON" },
  { interval: { value: 5, unit: "minute" } },
  { timezone: "Europe/London" },
  { runs: 3 },
  { stop_at: "2031-01-01T00:00:00.000Z" },
  { delivery: { type: "push", http: { ...PUSH.http, headers: {} } } },
  { payload: { b: 2 } },
  { timeout: 60 },
  { max_retries: 0 },
  { overlap: "skip" },
  { tags: ["c"] },
  { flow: "g" },
  { backoff: { type: "list", delays: [1, 2] } },
  { expires_after: { value: 90, unit: "minute" } },
  { name: "new", runs: 3, timeout: 60 },
];

it.each(CHANGES)("changes what is named and nothing else: %o", async (change) => {
  const before = await schedule.show();
  const { status, body } = await schedule.patch(change);
  expect(status).toBe(200);
  const timing =
    "cron" in change
      ? { interval: null, next_run_at: "2030-01-07T09:00:00.000Z" }
      : "interval" in change
        ? { next_run_at: iso(NOW + 5 * MINUTE) }
        : {};
  expect(body.data).toEqual({ ...before, ...timing, ...change, updated_at: iso(NOW), revision: 1 });
  expect(await schedule.show()).toEqual(body.data);
});

it.each([
  {},
  {
    name: null,
    description: null,
    handler: null,
    cron: null,
    interval: null,
    timezone: null,
    runs: null,
    stop_at: null,
    delivery: null,
    payload: null,
    timeout: null,
    max_retries: null,
  },
])("null is the same as leaving out: nothing is changed by %o", async (change) => {
  const before = await schedule.show();
  expect((await schedule.patch(change)).body.data).toEqual({ ...before, updated_at: iso(NOW), revision: 1 });
});

it("null takes a newer field back to its default", async () => {
  const given = {
    backoff: { type: "list", delays: [1] },
    expires_after: { value: 1, unit: "day" },
    tags: ["t"],
    flow: "f",
  };
  const rich = await newSchedule(account, { ...HOURLY, ...given, overlap: "skip" });
  expect(await rich.show()).toMatchObject({ ...given, overlap: "skip" });
  const none = { backoff: null, expires_after: null, flow: null };
  expect((await rich.patch({ ...none, tags: null, overlap: null })).body.data).toMatchObject({
    ...none,
    tags: [],
    overlap: "allow",
  });
});

describe("the timing", () => {
  it("that is said again leaves the next run where it is", async () => {
    for (const same of [HOURLY, { interval: { value: 60, unit: "minute" } }, { timezone: "Asia/Tokyo" }])
      expect((await schedule.patch(same)).body.data.next_run_at).toBe(iso(NOON + HOUR));
  });

  it("that is another one counts from now, and rings then", async () => {
    await schedule.patch({ interval: { value: 5, unit: "minute" } });
    await schedule.ringWhenSet();
    expect(await schedule.alarm()).toBe(NOW + 5 * MINUTE);
    await schedule.ringAt(NOW + 5 * MINUTE);
    expect(await schedule.ticks()).toEqual([NOW + 5 * MINUTE]);
  });

  it("of a cron keeps its zone, and its zone alone may be changed", async () => {
    await schedule.patch({ cron: "0 9 * * *", timezone: "Asia/Tokyo" });
    expect((await schedule.patch({ cron: "0 10 * * *" })).body.data.next_run_at).toBe("2030-01-02T01:00:00.000Z");
    expect((await schedule.patch({ timezone: "Europe/London" })).body.data).toMatchObject({
      cron: "0 10 * * *",
      next_run_at: "2030-01-02T10:00:00.000Z",
    });
  });

  it("cannot be both", async () => {
    const { status, body } = await schedule.patch({ ...HOURLY, cron: "* * * * *" });
    expect([status, body.errors[0]?.field]).toEqual([422, "interval"]);
  });
});

describe("pending jobs stay", () => {
  it("as they were made", async () => {
    await schedule.ringAt(NOON + HOUR);
    await schedule.patch({ name: "new", payload: { b: 2 } });
    expect(await schedule.jobs()).toMatchObject([{ name: "a schedule", payload: '{"a":1}', status: "pending" }]);
  });
});

describe("an end by a change", () => {
  it.each([{ runs: 1 }, { stop_at: iso(NOON + HOUR + 10) }])("completes the schedule at once: %o", async (change) => {
    await schedule.ringAt(NOON + HOUR);
    expect((await schedule.patch(change)).body.data).toMatchObject({ status: "completed", next_run_at: null });
    await schedule.ringAt(NOON + 5 * HOUR);
    expect(await schedule.ticks()).toEqual([NOON + HOUR]);
  });
});

describe("the handler", () => {
  it("is needed for pull: 400 handler_required_for_pull, nothing is changed", async () => {
    const pushing = await newSchedule(account, { ...HOURLY, handler: null, delivery: PUSH });
    const { status, body } = await pushing.patch({ delivery: { type: "pull" }, name: "new" });
    expect([status, body.code, body.errors]).toEqual([400, "handler_required_for_pull", []]);
    expect(await pushing.show()).toMatchObject({ name: "a schedule", delivery: { type: "push" } });
    expect((await pushing.patch({ delivery: { type: "pull" }, handler: "h" })).status).toBe(200);
  });
});

describe("a change is refused", () => {
  it.each<[string, Record<string, unknown>]>([
    ["name", { name: "" }],
    ["name", { name: "x".repeat(256) }],
    ["description", { description: "x".repeat(1001) }],
    ["handler", { handler: "" }],
    ["cron", { cron: "@daily" }],
    ["interval", { interval: { value: 6 * 365, unit: "day" } }],
    ["interval.value", { interval: { value: 0, unit: "day" } }],
    ["timezone", { timezone: "Nowhere" }],
    ["timezone", { timezone: "JST" }],
    ["timezone", { timezone: "JST", cron: "0 9 * * *" }],
    ["runs", { runs: 0 }],
    ["stop_at", { stop_at: iso(NOW) }],
    ["stop_at", { stop_at: "1970-01-01T00:00:00Z" }],
    ["payload", { payload: {} }],
    ["timeout", { timeout: 86_401 }],
    ["timeout", { timeout: 601, delivery: PUSH }],
    ["max_retries", { max_retries: 51 }],
    ["delivery.http.url", { delivery: { type: "push", http: { url: "https://10.0.0.1", method: "GET" } } }],
    ["overlap", { overlap: "queue" }],
    ["tags", { tags: ["a", "a"] }],
    ["idempotency_key", { idempotency_key: "k" }],
    ["status", { status: "active" }],
    ["id", { id: "x" }],
  ])("on %s, and changes nothing: %o", async (field, change) => {
    const before = await schedule.show();
    const { status, body } = await schedule.patch({ ...change });
    expect([status, body.errors.map((error) => error.field)]).toEqual([422, [field]]);
    expect(await schedule.show()).toEqual(before);
  });

  it("that makes a timeout too long which was given before", async () => {
    const long = await newSchedule(account, { ...HOURLY, timeout: 86_400 });
    const { status, body } = await long.patch({ delivery: PUSH });
    expect([status, body.errors[0]?.field]).toEqual([422, "timeout"]);
  });
});
