// The rules of a bulk action: which jobs it means, how far it has come, and how it counts.

import { describe, expect, it } from "vitest";
import {
  abort,
  type BulkAction,
  beginPage,
  bulkAction,
  bulkReportDueAt,
  bulkWakeAt,
  confirmed,
  counted,
  countedSome,
  frozen,
  hasMade,
  heldUp,
  isOver,
  type Known,
  remembering,
  worthAsking,
} from "../../src/domain/bulk-action.ts";
import { LET_GO_MS } from "../../src/domain/timer.ts";

const NOON = Date.UTC(2030, 0, 1, 12);
const SECOND = 1_000;
const AFTER = { filter: { handler: "h" }, after: "c" };

const asked = (): BulkAction =>
  bulkAction({ accountId: "account", id: "action", now: NOON }, "cancel", { filter: { handler: "h" } });
const withPage = (jobIds: readonly string[], rest: BulkAction["rest"] = AFTER): BulkAction =>
  beginPage(asked(), { jobIds, skipped: 0, rest }, NOON);
const all = (done: number) => ({ done, skipped: 0, unreached: [] });

describe("the jobs that are meant", () => {
  it("are those of a filter, from the newest on, that were there when it was asked for", () => {
    expect(asked().rest).toEqual({ filter: { handler: "h", createdBefore: NOON }, after: null });
  });

  it.each([
    [undefined, NOON],
    [NOON - 1, NOON - 1],
    [NOON, NOON],
    [NOON + 1, NOON],
  ])("a bound of %j becomes %j: what is created later is never touched", (createdBefore, bound) => {
    const filter = createdBefore === undefined ? {} : { createdBefore };
    expect(frozen(filter, NOON).createdBefore).toBe(bound);
  });

  it("are each named once", () => {
    const { rest } = bulkAction({ accountId: "a", id: "b", now: NOON }, "run", { jobIds: ["x", "y", "x"] });
    expect(rest).toEqual({ jobIds: ["x", "y"] });
  });
});

describe("a job is asked", () => {
  const ACTIONS = ["cancel", "retry", "run", "delete"] as const;
  const STATUSES = ["pending", "queued", "running", "retrying", "completed", "failed", "cancelled"] as const;
  const askable = (updatedAt: number) =>
    Object.fromEntries(
      ACTIONS.map((action) => {
        const rows: Known[] = STATUSES.map((status) => ({ id: status, status, updatedAt }));
        return [action, worthAsking(action, STATUSES, rows, NOON)];
      }),
    );

  it("unless it ended in a way that forbids the change, and so long ago that no owner holds it", () => {
    const live = ["pending", "queued", "running", "retrying"];
    expect(askable(NOON - LET_GO_MS - 1)).toEqual({
      cancel: live,
      retry: [...live, "failed", "cancelled"],
      run: live,
      delete: [...STATUSES],
    });
  });

  it("whatever its row says, as long as an owner may know better", () => {
    for (const jobs of Object.values(askable(NOON - LET_GO_MS))) expect(jobs).toEqual([...STATUSES]);
  });

  it("only if it is there", () => {
    expect(worthAsking("delete", ["gone", "there"], [{ id: "there", status: "failed", updatedAt: 0 }], NOON)).toEqual([
      "there",
    ]);
  });
});

describe("a page", () => {
  it("is written before its jobs are asked, and matches them all", () => {
    const begun = beginPage(asked(), { jobIds: ["a", "b"], skipped: 3, rest: AFTER }, NOON + 1);
    expect(begun).toMatchObject({
      page: { jobIds: ["a", "b"], tries: 0 },
      rest: AFTER,
      revision: 1,
      updatedAt: NOON + 1,
    });
    expect(begun).toMatchObject({ matched: 5, done: 0, skipped: 3, failed: 0, status: "running", completedAt: null });
  });

  it("that is counted makes way for the next at once", () => {
    const done = counted(withPage(["a", "b", "c"]), { done: 2, skipped: 1, unreached: [] }, NOON + 5);
    expect(done).toMatchObject({
      page: null,
      rest: AFTER,
      goOnAt: NOON + 5,
      matched: 3,
      done: 2,
      skipped: 1,
      failed: 0,
    });
    expect(done.status).toBe("running");
  });

  it("without a job to be asked needs no counting", () => {
    const begun = beginPage(asked(), { jobIds: [], skipped: 2, rest: AFTER }, NOON);
    expect(begun).toMatchObject({ page: null, rest: AFTER, matched: 2, skipped: 2, status: "running" });
  });

  it.each([
    ["with jobs", (last: BulkAction) => counted(last, all(1), NOON + 9), withPage(["a"], null)],
    ["without", (last: BulkAction) => beginPage(last, { jobIds: [], skipped: 0, rest: null }, NOON + 9), asked()],
  ])("that is the last one, %s, completes the bulk action", (_, step, last) => {
    expect(isOver(last)).toBe(false);
    expect(step(last)).toMatchObject({ status: "completed", completedAt: NOON + 9, reportAt: NOON + 9 });
  });
});

describe("jobs that cannot be reached", () => {
  const unreached = { done: 1, skipped: 0, unreached: ["b"] };

  it("are asked again after 2, 10, 30 and 60 s, and have failed then", () => {
    let [action, now] = [withPage(["a", "b"]), NOON];
    for (const [tries, pause] of [2, 10, 30, 60].entries()) {
      action = counted(action, { ...unreached, done: tries === 0 ? 1 : 0 }, now);
      expect(action).toMatchObject({ page: { jobIds: ["b"], tries: tries + 1 }, done: 1, failed: 0 });
      expect(bulkWakeAt({ ...action, reportAt: null })).toBe(now + pause * SECOND);
      now = action.goOnAt;
    }
    action = counted(action, { ...unreached, done: 0 }, now);
    expect(action).toMatchObject({ page: null, matched: 2, done: 1, failed: 1, goOnAt: now });
  });

  it("lose no try while the database cannot answer", () => {
    let action = withPage(["a", "b"]);
    for (let hours = 0; hours < 100; hours++) action = countedSome(action, { ...unreached, done: 0 }, NOON);
    expect(action).toMatchObject({ page: { jobIds: ["b"], tries: 0 }, goOnAt: NOON + 10 * SECOND, failed: 0 });
  });

  it("do not hold back the count of their neighbours", () => {
    expect(countedSome(withPage(["a", "b"]), unreached, NOON)).toMatchObject({ matched: 2, done: 1 });
  });
});

it("a database that cannot say which jobs come next is asked again after 10 s; nothing else changes", () => {
  const action = asked();
  expect(heldUp(action, NOON + 1)).toEqual({ ...action, goOnAt: NOON + 1 + 10 * SECOND });
});

describe("an abort", () => {
  it("ends it at once when no job is being asked", () => {
    const aborted = abort(counted(withPage(["a"]), all(1), NOON), NOON + 1);
    expect(aborted).toMatchObject({ status: "aborted", rest: null, matched: 1, done: 1, completedAt: NOON + 1 });
  });

  it("lets the page under way be counted first", () => {
    const aborted = abort(withPage(["a", "b"]), NOON + 1);
    expect(aborted).toMatchObject({ status: "aborted", page: { jobIds: ["a", "b"] }, completedAt: null });
    const over = counted(aborted, all(2), NOON + 2);
    expect(over).toMatchObject({ status: "aborted", matched: 2, done: 2, completedAt: NOON + 2 });
  });

  it.each([
    ["completed", counted(withPage(["a"], null), all(1), NOON)],
    ["aborted", abort(withPage(["a"]), NOON)],
  ])("changes nothing of one that is %s", (_, action) => {
    expect(abort(action, NOON + 1)).toBe(action);
  });
});

describe("its object wakes", () => {
  it("to begin, and the sweeper expects it then", () => {
    expect([bulkWakeAt(asked()), bulkReportDueAt(asked())]).toEqual([NOON, NOON]);
  });

  it("to report within 5 s of a change, and not later because of further ones", () => {
    let action = withPage(["a"]);
    expect(action.reportAt).toBe(NOON + 5 * SECOND);
    action = counted(action, { done: 0, skipped: 0, unreached: ["a"] }, NOON + SECOND);
    expect(action.reportAt).toBe(NOON + 5 * SECOND);
    action = counted(confirmed(action), { done: 0, skipped: 0, unreached: ["a"] }, NOON + 2 * SECOND);
    expect([action.reportAt, bulkWakeAt(action)]).toEqual([NOON + 7 * SECOND, NOON + 7 * SECOND]);
  });

  it("once it is over, only until that is reported", () => {
    const over = counted(withPage(["a"], null), all(1), NOON);
    expect([bulkWakeAt(over), bulkReportDueAt(over)]).toEqual([NOON, null]);
    expect(bulkWakeAt(confirmed(over))).toBeNull();
  });
});

describe("a job", () => {
  const ID = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

  it("remembers the last four bulk actions that have changed it", () => {
    let operations: string | null = null;
    for (let n = 1; n <= 5; n++) {
      expect(hasMade(operations, ID(n))).toBe(false);
      operations = remembering(operations, ID(n));
      expect(hasMade(operations, ID(n))).toBe(true);
    }
    expect([1, 2, 3, 4, 5].map((n) => hasMade(operations, ID(n)))).toEqual([false, true, true, true, true]);
  });
});
