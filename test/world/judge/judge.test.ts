// The judge is not mild: what no patch of the source makes red within reason, a made-up history does.

import { describe, expect, it } from "vitest";
import { put } from "../../../src/domain/flow.ts";
import { newTenant } from "../people/tenants.ts";
import { StoredObject } from "../platform/stored-object.ts";
import type { Climate } from "../weather.ts";
import { look } from "./bounds.ts";
import { checkBudget } from "./budget.ts";
import { Crowds } from "./crowds.ts";
import { type Books, compare } from "./flow-books.ts";
import { type JobFacts, Ledger, type Start } from "./ledger.ts";
import { checkRun, checkStart, mostLateMsOf } from "./starts.ts";
import { isForgotten } from "./waiting.ts";

const NOON = Date.UTC(2030, 0, 15, 12);
const CALM: Climate = new Map();
const STORMY: Climate = new Map([["d1-away", 1]]);

function aJob(ledger: Ledger, kind: "push" | "pull" = "push"): JobFacts {
  const wish = ledger.wish(newTenant("a"), kind);
  return ledger.made(wish, `job ${wish.n}`, NOON, 2);
}

const aStart = (at: number, more: Partial<Start> = {}): Start => ({
  at,
  executionId: "e",
  attempt: 1,
  heldUntil: at + 1_000,
  outcome: "open",
  acceptedAt: null,
  endedAt: null,
  ...more,
});

const rulesOf = ({ violations }: Ledger) => violations.map(({ rule }) => rule);

describe("what an object keeps is bounded", () => {
  const kept = (climate: Climate, name: string, value: object): string[] => {
    const ledger = new Ledger(() => NOON);
    const stored = new StoredObject();
    stored.put("state", value);
    look({ climate, hasMoves: false, ledger }, name, stored);
    return ledger.violations.map(({ what }) => what.replace(/^\S+ /, ""));
  };

  it.each([
    ["16 KB", STORMY, "ScheduleObject a/s", { text: "x".repeat(16_000) }, /^ScheduleObject a\/s keeps 160\d\d bytes$/],
    ["less", STORMY, "ScheduleObject a/s", { text: "x".repeat(15_900) }, null],
    ["four attempts while all is well", CALM, "JobObject a/j", { executions: [1, 2, 3, 4] }, /keeps 4 attempts$/],
    ["four attempts while D1 is away", STORMY, "JobObject a/j", { executions: [1, 2, 3, 4] }, null],
    ["four ends untold", STORMY, "JobObject a/j", { untold: [1, 2, 3, 4] }, /keeps 4 ends untold$/],
    ["three ends untold", STORMY, "JobObject a/j", { untold: [1, 2, 3] }, null],
  ])("%s", (_, climate, name, value, told) => {
    const violations = kept(climate, name, value);
    expect(violations).toHaveLength(told ? 1 : 0);
    if (told) expect(violations[0]).toMatch(told);
  });

  it("a line that is longer than what may stand in it", () => {
    const ledger = new Ledger(() => NOON);
    aJob(ledger, "pull"); // a wish and a job: two entries at most
    const stored = new StoredObject();
    stored.exec("CREATE TABLE waiting (id INTEGER)");
    for (let id = 0; id < 2; id++) stored.exec("INSERT INTO waiting VALUES (?)", [id]);
    look({ climate: STORMY, hasMoves: false, ledger }, "PullQueue a/h", stored);
    expect(rulesOf(ledger)).toEqual([]);
    stored.exec("INSERT INTO waiting VALUES (?)", [2]);
    look({ climate: STORMY, hasMoves: false, ledger }, "PullQueue a/h", stored);
    expect(rulesOf(ledger)).toEqual(["a line is bounded"]);
  });
});

describe("an attempt", () => {
  const started = (prepare: (job: JobFacts, ledger: Ledger) => void, at: number): string[] => {
    const ledger = new Ledger(() => at);
    const job = aJob(ledger);
    prepare(job, ledger);
    checkStart(ledger, job, aStart(at), at, { skewMs: 0, knowsSuspensions: true });
    return rulesOf(ledger);
  };

  it("of an account deleted more than 75 s ago", () => {
    const deleted = (job: JobFacts) => {
      job.tenant.deletedAt = NOON;
    };
    expect(started(deleted, NOON + 75_000)).toEqual([]);
    expect(started(deleted, NOON + 75_001)).toEqual(["a deleted account's jobs do not run"]);
  });

  it("of an account suspended more than 75 s ago", () => {
    const suspended = (job: JobFacts) => {
      job.tenant.suspensions.push({ from: NOON, until: NOON + 600_000 });
    };
    expect(started(suspended, NOON + 75_000)).toEqual([]);
    expect(started(suspended, NOON + 75_001)).toEqual(["a suspended account's attempts wait"]);
  });

  it("of a job that was run, ten seconds after the answer", () => {
    const ledger = new Ledger(() => NOON);
    const job = aJob(ledger);
    job.ranAt = NOON;
    checkRun(ledger, job, aStart(NOON + 10_000));
    expect(rulesOf(ledger)).toEqual([]);
    checkRun(ledger, job, aStart(NOON + 10_001));
    expect(rulesOf(ledger)).toEqual(["what is run starts"]);
  });

  it.each([
    ["that was answered 201", false, NOON + 60_000, false, 45_000],
    ["that a repeat was told of, while D1 is well", true, NOON - 1, false, 20_000],
    ["that a repeat was told of, D1 well a minute later", true, NOON + 60_000, false, 140_000],
    ["that a repeat was told of, where single queries fail", true, 0, true, 140_000],
  ])("of a job %s", (_, wasFound, wellSince, isFickle, mostMs) => {
    const job = aJob(new Ledger(() => NOON));
    job.wasFound = wasFound;
    expect(mostLateMsOf(job, 45_000, wellSince, isFickle)).toBe(mostMs);
  });

  it("beside thirty others of its moment", () => {
    const ledger = new Ledger(() => NOON);
    const crowds = new Crowds();
    for (let n = 0; n < 30; n++) crowds.check(ledger, aJob(ledger), aStart(NOON + n / 10));
    for (let n = 0; n < 30; n++) crowds.check(ledger, aJob(ledger), aStart(NOON + 100 + n));
    expect(rulesOf(ledger)).toEqual([]);
    for (let n = 0; n < 31; n++) crowds.check(ledger, aJob(ledger), aStart(NOON + 1_000 + n / 10));
    expect(rulesOf(ledger)).toEqual(["a crowd rings one after the other"]);
  });
});

it("a job waits for a worker for 115 s after one asked at the longest", () => {
  expect([isForgotten(NOON, NOON + 115_000), isForgotten(NOON, NOON + 115_001)]).toEqual([false, true]);
});

describe("a job that is made when its account has asked for a bulk action", () => {
  it.each([
    ["within the difference of two clocks", 4_000, 1],
    ["later than that", 4_001, 0],
  ])("%s", (_, afterMs, unsettled) => {
    let now = NOON;
    const ledger = new Ledger(() => now, 4_000);
    const tenant = newTenant("a");
    tenant.bulk.add("retry");
    tenant.bulkAskedAt = NOON;
    now = NOON + afterMs;
    expect(ledger.made(ledger.wish(tenant, "push"), "job", now, 2)).toMatchObject({ unsettled });
  });
});

describe("a job with two retries", () => {
  const judged = (status: string, statuses: readonly string[], starts: readonly Start[] = []): string[] => {
    const ledger = new Ledger(() => NOON);
    const job = aJob(ledger);
    job.starts.push(...starts);
    checkBudget(job, { status, last_error: { code: "http_status" } }, statuses, (rule, what) =>
      ledger.violated(rule, what),
    );
    return rulesOf(ledger);
  };

  it.each([
    ["three failures, with an interruption between", ["failed", "interrupted", "timed_out", "failed"], []],
    ["two failures", ["failed", "failed"], ["a job fails when its retries are used up"]],
    [
      "an interruption for a failure",
      ["failed", "interrupted", "failed"],
      ["a job fails when its retries are used up"],
    ],
    ["four failures", ["failed", "failed", "failed", "failed"], ["no retry more than asked for"]],
  ])("fails after %s", (_, statuses, violations) => {
    expect(judged("failed", statuses)).toEqual(violations);
  });

  it("fails at once when its target says that it is final", () => {
    expect(judged("failed", ["failed"], [aStart(NOON, { outcome: "final" })])).toEqual([]);
  });
});

describe("the books of a flow", () => {
  const LIMITS = { concurrency: 2, rate: null, breaker: null, paused: false };
  const flow = put(undefined, LIMITS, { accountId: "a", key: "f" }, NOON);
  const place = (n: number) => ({ jobId: `job ${n}`, attempt: 1, dueAt: NOON + n });
  const books = (at: number, slots: number[], line: number[], more: object = {}): Books => ({
    at: NOON + at,
    flow: { ...flow, ...more },
    slots: slots.map(place),
    line: line.map(place),
    isNewer: false,
  });
  const judged = (before: Books, now: Books): string[] => {
    const rules: string[] = [];
    compare(before, now, 0, (rule) => rules.push(rule));
    return rules;
  };

  it.each<[string, object, number[], number[], number[], number[]]>([
    ["a paused flow starts nothing", { paused: true }, [], [1], [1], []],
    ["a flow runs so many at once", {}, [1, 2], [3], [1, 2, 3], []],
    ["an open breaker starts nothing", { openUntil: NOON + 9_000 }, [], [1], [1], []],
    ["one attempt at a time tries", { openUntil: NOON }, [], [1, 2], [1, 2], []],
    ["first due, first served", {}, [1], [2, 3], [1, 3], [2]],
    ["no place is free while somebody waits", {}, [1], [2], [1], [2]],
  ])("%s", (rule, more, slotsBefore, lineBefore, slots, line) => {
    const [before, now] = [books(0, slotsBefore, lineBefore, more), books(1_000, slots, line, more)];
    expect(judged(before, now)).toEqual([rule]);
    expect(judged(before, { ...now, flow: { ...now.flow, revision: now.flow.revision + 1 } })).toEqual([]);
  });

  it.each<[string, object, number[], number[], number[], number[]]>([
    ["the next in line", {}, [1], [2, 3], [1, 2], [3]],
    ["more run than may since the limit was lowered", {}, [1, 2, 3], [4], [1, 2, 3], [4]],
    ["one tries", { openUntil: NOON }, [], [1, 2], [1], [2]],
    [
      "a rate lets nobody start for now",
      { rate: { limit: 1, period: { value: 1, unit: "minute" } } },
      [],
      [1],
      [],
      [1],
    ],
  ])("%s: as it should be", (_, more, slotsBefore, lineBefore, slots, line) => {
    expect(judged(books(0, slotsBefore, lineBefore, more), books(1_000, slots, line, more))).toEqual([]);
  });
});
