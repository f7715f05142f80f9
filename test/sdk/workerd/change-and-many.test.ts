// The SDK's calls that change jobs, handle many at once and keep schedules up to date, against the application in the same
// process.

import { beforeEach, expect, it, vi } from "vitest";
import type { NewJob, ScheduleSpec } from "../../../sdk/src/index.ts";
import { losing, newClient, refusal } from "./client.ts";

const TOMORROW = new Date(Date.now() + 86_400_000);
const NEXT_WEEK = new Date(Date.now() + 7 * 86_400_000);
const LATER: NewJob = { name: "One", handler: "hello", scheduledFor: TOMORROW };
const NIGHTLY: ScheduleSpec = { name: "Nightly", handler: "report", cron: "0 2 * * *" };
const FULL: ScheduleSpec = {
  ...NIGHTLY,
  cron: "0 2 * * MON",
  description: "Sums up the day",
  timezone: "Europe/London",
  runs: 100,
  stopAt: new Date(Date.now() + 300 * 86_400_000),
  overlap: "skip",
  delivery: { type: "push", http: { url: "https://example.com/", method: "POST", headers: { "X-A": "1" } } },
  payload: { b: 1, a: [2] },
  timeout: 60,
  maxRetries: 5,
  tags: ["b", "a"],
  flow: "mail",
  backoff: { type: "exponential", initial: 60 },
  expiresAfter: { value: 60, unit: "minute" },
};

beforeEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.spyOn(console, "log").mockImplementation(() => {});
});

it("changes every field of a job, and resets each with null", async () => {
  const { jobs } = await newClient();
  const { id } = await jobs.create(LATER);
  const changed = await jobs.update(id, {
    name: "Two",
    handler: "other",
    payload: { user_name: "Ada" },
    scheduledFor: NEXT_WEEK,
    delivery: { type: "push", http: { url: "https://example.com/", method: "POST" } },
    timeout: 60,
    maxRetries: 5,
    tags: ["a", "b"],
    flow: "mail",
    backoff: { type: "list", delays: [1, 60] },
    expiresAfter: { value: 1, unit: "day" },
  });
  expect(changed).toMatchObject({
    name: "Two",
    handler: "other",
    payload: { user_name: "Ada" },
    scheduledFor: NEXT_WEEK,
    runAt: NEXT_WEEK,
    delivery: { type: "push", http: { url: "https://example.com/", method: "POST" } },
    timeout: 60,
    maxRetries: 5,
    tags: ["a", "b"],
    flow: "mail",
    backoff: { type: "list", delays: [1, 60] },
    expiresAt: new Date(NEXT_WEEK.getTime() + 86_400_000),
  });
  expect(await jobs.get(id)).toEqual({ ...changed, waitingOn: expect.objectContaining({ reason: "not_due" }) });
  const nulls = { payload: null, delivery: null, timeout: null, maxRetries: null, tags: null, flow: null } as const;
  expect(await jobs.update(id, { ...nulls, backoff: null, expiresAfter: null })).toMatchObject({
    payload: null,
    delivery: { type: "pull" },
    timeout: 30,
    maxRetries: 3,
    tags: [],
    flow: null,
    expiresAt: null,
    scheduledFor: NEXT_WEEK,
  });
});

it("takes a time on the wall of a zone", async () => {
  const { jobs } = await newClient();
  const job = await jobs.create({
    name: "One",
    handler: "a",
    scheduledFor: "2030-07-01T09:00",
    timezone: "Europe/London",
  });
  expect(job.scheduledFor).toEqual(new Date("2030-07-01T08:00:00Z"));
  await jobs.cancel(job.id);
});

it("changes the revision that was named, or nothing", async () => {
  const { jobs } = await newClient();
  const { id, revision } = await jobs.create(LATER);
  const changed = await jobs.update(id, { timeout: 60 }, { ifMatch: revision });
  expect(changed.revision).toBeGreaterThan(revision);
  const error = await refusal(jobs.update(id, { timeout: 90 }, { ifMatch: revision }));
  expect(error).toMatchObject({ name: "PreconditionFailedError", status: 412, data: { timeout: 60 } });
  expect(error).toMatchObject({ data: { revision: changed.revision } });
});

it("returns the changed job when the answer to a conditional change is lost", async () => {
  const { jobs } = await newClient({ fetch: losing(/\/v1\/jobs\//, "PATCH") });
  const { id, revision } = await jobs.create(LATER);
  expect(await jobs.update(id, { timeout: 60, tags: ["a"] }, { ifMatch: revision })).toMatchObject({ timeout: 60 });
});

it("runs a job now, and deletes it once it has ended, key and all", async () => {
  const { jobs } = await newClient({ fetch: losing(/\/v1\/jobs\//, "DELETE") });
  const { id } = await jobs.create({ ...LATER, idempotencyKey: "k" });
  expect(await refusal(jobs.delete(id))).toMatchObject({ code: "job_not_deletable" });
  expect(await jobs.run(id)).toMatchObject({ id, scheduledFor: TOMORROW });
  await vi.waitFor(async () => expect((await jobs.get(id)).status).toBe("queued"));
  expect(await refusal(jobs.run(id))).toMatchObject({ code: "job_not_runnable" });
  expect(await refusal(jobs.update(id, { timeout: 60 }))).toMatchObject({ code: "job_not_editable" });
  const { items } = await jobs.executions(id).page();
  expect(items).toMatchObject([{ trigger: "manual_run" }]);
  await jobs.cancel(id);
  await jobs.delete(id);
  expect(await refusal(jobs.get(id))).toMatchObject({ code: "job_not_found" });
  expect((await jobs.create({ ...LATER, idempotencyKey: "k" })).id).not.toBe(id);
});

it("replaces the job of a key while it is pending", async () => {
  const { jobs } = await newClient();
  const keyed = { ...LATER, idempotencyKey: "k", onConflict: "replace" } as const;
  const { id } = await jobs.create(keyed);
  expect(await jobs.create({ ...keyed, payload: { edit: 2 } })).toMatchObject({ id, payload: { edit: 2 } });
});

it("creates many, and says which keys were in use", async () => {
  const { jobs } = await newClient({ fetch: losing(/\/batch$/) });
  const held = await jobs.create({ ...LATER, name: "Held", idempotencyKey: "k7" });
  const inputs = Array.from({ length: 130 }, (_, i) => ({
    ...LATER,
    name: `${i}`,
    payload: { i },
    tags: ["many"],
    idempotencyKey: `k${i}`,
  }));
  const entries = await jobs.createMany(inputs);
  expect(entries.map(({ job }) => job.name)).toEqual(inputs.map(({ name }, i) => (i === 7 ? "Held" : name)));
  expect(entries.flatMap(({ created }, i) => (created ? [] : [i]))).toEqual([7]);
  expect(entries[7]?.job.id).toBe(held.id);
  expect(entries[8]?.job.payloadText).toBe('{"i":8}');
  const invalid = await refusal(jobs.createMany([LATER, { ...LATER, name: "" }]));
  expect(invalid).toMatchObject({ code: "validation_error", errors: [{ field: "jobs.1.name" }] });
});

it("finds jobs by tags, flow, name, time and origin", async () => {
  const { jobs } = await newClient();
  await jobs.create({ ...LATER, tags: ["a", "b"], flow: "mail" });
  await jobs.create({ ...LATER, name: "Two", tags: ["a"], scheduledFor: NEXT_WEEK });
  const names = async (filters: Parameters<typeof jobs.list>[0]) =>
    (await jobs.list(filters).page()).items.map(({ name }) => name);
  expect(await names({ tag: "a" })).toEqual(["Two", "One"]);
  expect(await names({ tag: ["a", "b"] })).toEqual(["One"]);
  expect(await names({ flow: "mail" })).toEqual(["One"]);
  expect(await names({ name: "Two" })).toEqual(["Two"]);
  expect(await names({ scheduledAfter: new Date(TOMORROW.getTime() + 1) })).toEqual(["Two"]);
  expect(await names({ scheduledBefore: NEXT_WEEK })).toEqual(["One"]);
  expect(await names({ origin: ["schedule", "event"] })).toEqual([]);
});

it("cancels many by a filter, by ids, and all", async () => {
  const { jobs, bulk } = await newClient();
  await jobs.createMany(Array.from({ length: 6 }, (_, i) => ({ ...LATER, tags: [i < 3 ? "a" : "b"] })));
  const filter = { tag: "a" };
  expect(await jobs.bulk({ action: "cancel", filter, dryRun: true })).toEqual({ action: "cancel", matched: 3 });
  const started = await jobs.bulk({ action: "cancel", filter });
  const seen: number[] = [];
  const ended = await bulk.wait(started.id, { intervalMs: 100, onProgress: ({ done }) => void seen.push(done) });
  expect(ended).toMatchObject({ action: "cancel", status: "completed", matched: 3, done: 3, skipped: 0, failed: 0 });
  expect(seen.at(-1)).toBe(3);
  const jobIds = (await jobs.list().page()).items.map(({ id }) => id);
  const rest = await bulk.wait((await jobs.bulk({ action: "cancel", jobIds })).id, { intervalMs: 100 });
  expect(rest).toMatchObject({ matched: 6, done: 3, skipped: 3 });
  const gone = await bulk.wait((await jobs.bulk({ action: "delete", all: true })).id, { intervalMs: 100 });
  expect(gone).toMatchObject({ matched: 6, done: 6 });
  expect((await jobs.list().page()).items).toEqual([]);
  expect((await bulk.list().page()).items.map(({ id }) => id)).toEqual([gone.id, rest.id, started.id]);
  expect(await refusal(bulk.get(crypto.randomUUID()))).toMatchObject({ code: "bulk_action_not_found" });
});

it("selects one-off jobs in a bulk action by a null schedule", async () => {
  const { jobs } = await newClient();
  await jobs.create(LATER);
  const matched = async (scheduleId: string | null) =>
    (await jobs.bulk({ action: "cancel", filter: { scheduleId }, dryRun: true })).matched;
  expect([await matched(null), await matched(crypto.randomUUID())]).toEqual([1, 0]);
});

it("ends at an abort, which leaves what has ended as it is", async () => {
  const { jobs, bulk } = await newClient({ fetch: losing(/\/abort$/) });
  await jobs.createMany(Array.from({ length: 100 }, (_, i) => ({ ...LATER, name: `${i}` })));
  const { id } = await jobs.bulk({ action: "cancel", all: true });
  await bulk.abort(id);
  const ended = await bulk.wait(id, { intervalMs: 100 });
  expect(ended.completedAt).toBeInstanceOf(Date);
  expect(ended.done + ended.skipped + ended.failed).toBe(ended.matched);
  expect(await bulk.abort(id)).toEqual(ended);
});

it("ensures a schedule: created once, left alone, changed where it differs, reset where nothing is said", async () => {
  const { schedules } = await newClient();
  const made = await schedules.ensure("nightly", FULL);
  expect(made).toMatchObject({ idempotencyKey: "nightly", overlap: "skip", skippedRuns: 0, flow: "mail" });
  const again = await schedules.ensure("nightly", {
    ...FULL,
    tags: ["a", "b"],
    expiresAfter: { value: 1, unit: "hour" },
  });
  expect(again).toEqual(made);
  const reset = await schedules.ensure("nightly", NIGHTLY);
  expect(reset).toMatchObject({
    id: made.id,
    cron: "0 2 * * *",
    description: FULL.description,
    timezone: "UTC",
    runs: FULL.runs,
    stopAt: FULL.stopAt,
    overlap: "allow",
    delivery: { type: "pull" },
    payload: FULL.payload,
    timeout: 30,
    maxRetries: 3,
    tags: [],
    flow: null,
    backoff: null,
    expiresAfter: null,
  });
  expect(await schedules.ensure("nightly", NIGHTLY)).toEqual(reset);
  expect((await schedules.list().page()).items).toHaveLength(1);
  await schedules.archive(made.id);
  expect(await refusal(schedules.ensure("nightly", NIGHTLY))).toMatchObject({ name: "ScheduleEndedError" });
});

it.each(Object.keys(FULL).filter((field) => !["name", "cron"].includes(field)))(
  "changes nothing at the second start for a spec that leaves out %s",
  async (field) => {
    const { schedules } = await newClient();
    await schedules.ensure("nightly", FULL);
    const spec = { ...FULL, [field]: undefined } as ScheduleSpec;
    const first = await schedules.ensure("nightly", spec);
    expect(await schedules.ensure("nightly", spec)).toEqual(first);
    expect(first.revision).toBeLessThanOrEqual(1);
    await schedules.archive(first.id);
  },
);

it("changes nothing at the second start for a backoff whose first pause is longer than an hour", async () => {
  const { schedules } = await newClient();
  const spec: ScheduleSpec = { ...NIGHTLY, backoff: { type: "fixed", initial: 7_200 } };
  const made = await schedules.ensure("nightly", spec);
  expect(await schedules.ensure("nightly", spec)).toEqual(made);
  await schedules.archive(made.id);
});

it("resets by null what can be reset, and refuses an end that has passed before it looks at the key", async () => {
  const { schedules } = await newClient();
  const { id } = await schedules.ensure("nightly", FULL);
  const nulls = { tags: null, flow: null, backoff: null, expiresAfter: null, overlap: null } as const;
  expect(await schedules.update(id, nulls)).toMatchObject({ ...nulls, tags: [], overlap: "allow" });
  const past = schedules.ensure("nightly", { ...FULL, stopAt: new Date(0) });
  expect(await refusal(past)).toMatchObject({ status: 422, errors: [{ field: "stop_at" }] });
  await schedules.archive(id);
});

it("ensures one schedule for ten that ask at once, of two versions", async () => {
  const { schedules } = await newClient();
  const spec = (i: number): ScheduleSpec => ({ ...NIGHTLY, timeout: i % 2 ? 60 : 90 });
  const all = await Promise.all(Array.from({ length: 10 }, (_, i) => schedules.ensure("nightly", spec(i))));
  expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  expect(all.map(({ timeout }) => timeout)).toEqual(all.map((_, i) => (i % 2 ? 60 : 90)));
});

it("pauses, changes, resumes and triggers a schedule", async () => {
  const { schedules, jobs } = await newClient();
  const { id } = await schedules.create(NIGHTLY);
  expect(await schedules.pause(id)).toMatchObject({ status: "paused" });
  expect(await schedules.pause(id)).toMatchObject({ status: "paused" });
  expect(await schedules.update(id, { timeout: 60 })).toMatchObject({ status: "paused", timeout: 60 });
  expect(await schedules.resume(id)).toMatchObject({ status: "active", nextRunAt: expect.any(Date) });
  const job = await schedules.trigger(id);
  expect(job).toMatchObject({ scheduleId: id, name: "Nightly", timeout: 60 });
  await jobs.cancel(job.id);
  await schedules.archive(id);
});
