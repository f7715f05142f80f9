// Bulk actions: what is sent, how one is followed, and what is repeated after faults.

import { describe, expect, it } from "vitest";
import { type BulkAction, ChronosConnectionError } from "../src/index.ts";
import { refuse } from "./answers.ts";
import type { FakeBulkAction } from "./fake-bulk-actions.ts";
import { NOON, outcomeOf, pass, setUp } from "./setup.ts";

const COMPLETED = { status: "completed", completed_at: "2030-01-01T12:00:04.000Z" };
const BULK = /\/v1\/bulk-actions$/;

async function withAction() {
  const kit = setUp();
  const bulk = await kit.chronos.jobs.bulk({ action: "cancel", all: true });
  const [action] = kit.app.bulk.actions as [FakeBulkAction];
  kit.line.sent.length = 0;
  return { ...kit, bulk, action };
}

it("selects by a filter, in the API's names", async () => {
  const { chronos, line } = setUp();
  await chronos.jobs.bulk({
    action: "retry",
    filter: {
      status: ["failed", "cancelled"],
      handler: "a",
      scheduleId: null,
      tag: "import-17",
      createdAfter: new Date(NOON),
      flow: undefined,
    },
  });
  expect(line.sent).toMatchObject([{ method: "POST", path: "/v1/bulk-actions" }]);
  expect(line.sent[0]?.body).toEqual({
    action: "retry",
    filter: {
      status: ["failed", "cancelled"],
      handler: "a",
      schedule_id: "null",
      tag: "import-17",
      created_after: "2030-01-01T12:00:00.000Z",
    },
  });
});

it("selects by ids, and everything only when that is said", async () => {
  const { chronos, line } = setUp();
  await chronos.jobs.bulk({ action: "delete", jobIds: ["a", "b"] });
  await chronos.jobs.bulk({ action: "run", all: true });
  expect(line.sent.map(({ body }) => body)).toEqual([
    { action: "delete", job_ids: ["a", "b"] },
    { action: "run", filter: { all: true } },
  ]);
});

it("gives the action that was started, times as Dates", async () => {
  const { bulk, action } = await withAction();
  expect(bulk).toEqual({
    id: action.id,
    action: "cancel",
    status: "running",
    matched: 0,
    done: 0,
    skipped: 0,
    failed: 0,
    createdAt: new Date(NOON),
    completedAt: null,
  } satisfies BulkAction);
});

it("counts in a dry run, and starts nothing", async () => {
  const { chronos, line, app } = setUp();
  for (const name of ["1", "2"]) await chronos.jobs.create({ name, handler: "a" });
  expect(await chronos.jobs.bulk({ action: "cancel", filter: { handler: "a" }, dryRun: true })).toEqual({
    action: "cancel",
    matched: 2,
  });
  expect(line.sent.at(-1)?.body).toEqual({ action: "cancel", filter: { handler: "a" }, dry_run: true });
  expect(app.bulk.actions).toEqual([]);
});

it("reads one, lists them newest first, and says when there is none", async () => {
  const { chronos, bulk } = await withAction();
  const second = await chronos.jobs.bulk({ action: "run", all: true });
  expect(await chronos.bulk.get(bulk.id)).toEqual(bulk);
  const ids: string[] = [];
  for await (const { id } of chronos.bulk.list({ size: 1 })) ids.push(id);
  expect(ids).toEqual([second.id, bulk.id]);
  await expect(chronos.bulk.get("none")).rejects.toMatchObject({ code: "bulk_action_not_found", status: 404 });
});

describe("wait()", () => {
  it("looks every two seconds until it has ended, and reports each look", async () => {
    const { chronos, bulk, action, line } = await withAction();
    const seen: string[] = [];
    const ended = chronos.bulk.wait(bulk.id, { onProgress: ({ done, status }) => seen.push(`${done} ${status}`) });
    await pass(0);
    action.done = 40;
    await pass(2_000);
    Object.assign(action, { done: 90, skipped: 9, failed: 1, ...COMPLETED });
    await pass(1_999);
    expect(line.sent).toHaveLength(2);
    await pass(1);
    expect(await ended).toMatchObject({ status: "completed", done: 90, skipped: 9, failed: 1 });
    expect(seen).toEqual(["0 running", "40 running", "90 completed"]);
    expect(line.sent.map(({ at }) => at - NOON)).toEqual([0, 2_000, 4_000]);
  });

  it("returns an aborted one, too, and looks as often as it is told", async () => {
    const { chronos, bulk, line } = await withAction();
    const ended = chronos.bulk.wait(bulk.id, { intervalMs: 500 });
    await pass(500);
    await chronos.bulk.abort(bulk.id);
    await pass(500);
    expect(await ended).toMatchObject({ status: "aborted", completedAt: new Date("2030-01-01T12:00:01Z") });
    expect(line.sent.map(({ method }) => method)).toEqual(["GET", "GET", "POST", "GET"]);
  });

  it("waits for an aborted one to count the jobs it was changing", async () => {
    const { chronos, bulk, action } = await withAction();
    Object.assign(action, { status: "aborted", done: 40 });
    const ended = chronos.bulk.wait(bulk.id);
    await pass(1_999);
    Object.assign(action, { done: 43, completed_at: "2030-01-01T12:00:02.000Z" });
    await pass(1);
    expect(await ended).toMatchObject({ status: "aborted", done: 43 });
  });

  it("outlasts a passing fault", async () => {
    const { chronos, bulk, action, line } = await withAction();
    line.breaks(/./, "lost", 3);
    Object.assign(action, COMPLETED);
    expect(await outcomeOf(chronos.bulk.wait(bulk.id))).toMatchObject({ status: "completed" });
  });

  it("gives up when no look is left in its time, and says that the action goes on", async () => {
    const { chronos, bulk, line } = await withAction();
    const error = await outcomeOf(chronos.bulk.wait(bulk.id, { timeoutMs: 4_000 }));
    expect(error).toBeInstanceOf(ChronosConnectionError);
    expect(error).toMatchObject({ message: expect.stringContaining("it goes on") });
    expect(line.sent.map(({ at }) => at - NOON)).toEqual([0, 2_000]);
  });

  it("ends at once, between two looks, when its signal aborts", async () => {
    const { chronos, bulk } = await withAction();
    const leaving = new AbortController();
    const ended = chronos.bulk.wait(bulk.id, { signal: leaving.signal }).catch((error: unknown) => error);
    await pass(100);
    leaving.abort(new Error("left"));
    await pass(0);
    expect(await ended).toBe(leaving.signal.reason);
  });

  it("ends with what its progress callback throws", async () => {
    const { chronos, bulk } = await withAction();
    const onProgress = () => {
      throw new Error("enough");
    };
    expect(await outcomeOf(chronos.bulk.wait(bulk.id, { onProgress }))).toMatchObject({ message: "enough" });
  });
});

describe("after a fault", () => {
  it("starts an action again only after 429: the lost one may be under way", async () => {
    const { chronos, line, app } = setUp();
    line.breaks(BULK, () => refuse(429, "rate_limit_exceeded", "Later"));
    expect(await outcomeOf(chronos.jobs.bulk({ action: "retry", all: true }))).toMatchObject({ action: "retry" });
    line.breaks(BULK, "unanswered");
    const lost = chronos.jobs.bulk({ action: "retry", all: true });
    expect(await outcomeOf(lost)).toBeInstanceOf(ChronosConnectionError);
    expect(app.bulk.actions).toHaveLength(2);
  });

  it("repeats a dry run, which does nothing", async () => {
    const { chronos, line } = setUp();
    line.breaks(BULK, "lost", 3);
    expect(await outcomeOf(chronos.jobs.bulk({ action: "retry", all: true, dryRun: true }))).toMatchObject({
      matched: 0,
    });
  });

  it("aborts again, and returns the aborted action", async () => {
    const { chronos, bulk, line } = await withAction();
    line.breaks(/abort$/, "unanswered");
    expect(await outcomeOf(chronos.bulk.abort(bulk.id))).toMatchObject({ status: "aborted" });
    expect(line.sent.map(({ method }) => method)).toEqual(["POST", "POST"]);
  });

  it("returns an action that completed before the abort as it is", async () => {
    const { chronos, bulk, action, line } = await withAction();
    Object.assign(action, COMPLETED);
    line.breaks(/abort$/, "lost");
    expect(await outcomeOf(chronos.bulk.abort(bulk.id))).toMatchObject({ status: "completed" });
  });
});
