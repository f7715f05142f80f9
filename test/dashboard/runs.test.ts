import { describe, expect, it } from "vitest";
import {
  changeBetween,
  markRuns,
  offsetAt,
  wordsOfChange,
  wordsOfTouch,
} from "../../dashboard/src/screens/schedules/clock-change.ts";
import { type RunJob, runMarks, wordsOfMarks } from "../../dashboard/src/screens/schedules/run-marks.ts";
import { nextCronTick } from "../../src/domain/cron.ts";
import { clockChangeAfter } from "../../src/domain/time-zone.ts";

const LONDON = "Europe/London";
const at = (text: string) => Date.parse(text);

/** What the service itself would run. */
function runsOf(cron: string, zone: string, from: string, count: number): number[] {
  const runs: number[] = [];
  for (let last = at(from); runs.length < count; last = runs.at(-1) ?? last)
    runs.push(nextCronTick(cron, zone, last) ?? 0);
  return runs;
}

describe("the offset of a zone", () => {
  it("is known to the minute, on both sides of a change, also before the epoch and for half hours", () => {
    expect(offsetAt(at("2027-03-28T00:59:59.999Z"), LONDON)).toBe(0);
    expect(offsetAt(at("2027-03-28T01:00:00.000Z"), LONDON)).toBe(60);
    expect(offsetAt(at("2027-01-01T00:00:00Z"), "Asia/Kathmandu")).toBe(345);
    expect(offsetAt(at("1960-07-01T00:00:00.500Z"), "America/New_York")).toBe(-240);
  });

  it("is that of UTC where the browser does not know the zone", () => {
    expect(offsetAt(0, "Not/AZone")).toBe(0);
  });
});

describe("a change of the clocks", () => {
  it.each([LONDON, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago"])(
    "in %s is found to the millisecond",
    (zone) => {
      let from = at("2027-01-01T00:00:00Z");
      for (let i = 0; i < 6; i++) {
        const change = clockChangeAfter(from, zone);
        if (change === undefined) break;
        expect(changeBetween(change - 86_400_000, change + 86_400_000, zone)?.at).toBe(change);
        from = change;
      }
    },
  );

  it("is not where there is none", () => {
    expect(changeBetween(at("2027-05-01T00:00:00Z"), at("2027-06-01T00:00:00Z"), LONDON)).toBeUndefined();
  });

  it("reads as a sentence", () => {
    const spring = changeBetween(at("2027-03-28T00:00:00Z"), at("2027-03-29T00:00:00Z"), LONDON);
    const autumn = changeBetween(at("2027-10-31T00:00:00Z"), at("2027-11-01T00:00:00Z"), LONDON);
    expect(spring && wordsOfChange(spring)).toBe("Clocks go forward on 2027-03-28: 01:00 becomes 02:00.");
    expect(autumn && wordsOfChange(autumn)).toBe("Clocks go back on 2027-10-31: 02:00 becomes 01:00.");
  });
});

describe("runs around a change of the clocks", () => {
  it("at half past one in March: the run lies behind the gap, and says so", () => {
    const marked = markRuns(runsOf("30 1 * * *", LONDON, "2027-03-26T12:00:00Z", 4), LONDON);
    expect(marked.map(({ touch }) => touch)).toEqual([undefined, "first after the gap", undefined, undefined]);
    expect(marked.map(({ change }) => change?.at)).toEqual([
      undefined,
      at("2027-03-28T01:00:00Z"),
      undefined,
      undefined,
    ]);
    expect(wordsOfTouch("first after the gap")).toContain("does not exist");
  });

  it("at half past one in October: the run is the first of two", () => {
    const marked = markRuns(runsOf("30 1 * * *", LONDON, "2027-10-30T12:00:00Z", 2), LONDON);
    expect(marked.map(({ touch }) => touch)).toEqual(["first of two", undefined]);
    expect(marked[1]?.change?.at).toBe(at("2027-10-31T01:00:00Z"));
  });

  it("every half hour in October: both passes through the hour are marked, and nothing else", () => {
    const marked = markRuns(runsOf("*/30 * * * *", LONDON, "2027-10-30T23:29:00Z", 7), LONDON);
    expect(marked.map(({ at, touch }) => [new Date(at).toISOString().slice(11, 16), touch])).toEqual([
      ["23:30", undefined],
      ["00:00", "first of two"],
      ["00:30", "first of two"],
      ["01:00", "second of two"],
      ["01:30", "second of two"],
      ["02:00", undefined],
      ["02:30", undefined],
    ]);
  });

  it("once a year there is no change between two runs that have the same offset", () => {
    const marked = markRuns(runsOf("0 9 1 6 *", LONDON, "2027-01-01T00:00:00Z", 3), LONDON);
    expect(marked.map(({ change, touch }) => [change, touch])).toEqual(Array(3).fill([undefined, undefined]));
  });
});

describe("the last runs", () => {
  const job = (id: string, more: Partial<RunJob> = {}): RunJob => ({
    ...{ id, status: "completed", idempotency_key: "s.1", scheduled_for: "2030-01-01T12:00:00.000Z", attempts: 1 },
    completed_at: "2030-01-01T12:00:01.500Z",
    ...more,
  });

  it("stand in the order in which they ran, with how long they took", () => {
    const marks = runMarks([job("b", { status: "running", completed_at: null }), job("a")], "s");
    expect(marks.map(({ jobId, lengthMs }) => [jobId, lengthMs])).toEqual([
      ["a", 1_500],
      ["b", null],
    ]);
  });

  it("tell those that were triggered by hand", () => {
    const marks = runMarks([job("a", { idempotency_key: null }), job("b", { idempotency_key: "t.1" }), job("c")], "s");
    expect(marks.map(({ jobId, byHand }) => [jobId, byHand])).toEqual([
      ["c", false],
      ["b", true],
      ["a", true],
    ]);
  });

  it("read as a sentence", () => {
    expect(wordsOfMarks(runMarks([job("a"), job("b", { status: "failed" }), job("c")], "s"))).toBe(
      "2 completed, 1 failed",
    );
  });
});
