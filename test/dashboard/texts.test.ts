// Times, counts and JSON as people read them.

import { describe, expect, it } from "vitest";
import type { BulkAction } from "../../dashboard/src/api/bulk-action.ts";
import { countJobs, outcomeOf } from "../../dashboard/src/bulk/words.ts";
import { targetOf } from "../../dashboard/src/screens/job/target.ts";
import { indented } from "../../dashboard/src/ui/json-indent.ts";
import { formatClock, formatDistance, formatExact, formatLength } from "../../dashboard/src/ui/time-format.ts";
import { AT, aJob } from "./a-listed-job.ts";

const NOW = Date.parse(AT);

describe("a length of time", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_540, "1.5 s"],
    [9_999, "9.9 s"],
    [10_000, "10 s"],
    [61_000, "1 min 1 s"],
    [3_600_000, "1 h"],
    [90_061_000, "1 d 1 h"],
    [40 * 86_400_000, "40 d"],
    [-5_000, "−5 s"],
  ])("%i ms is %s", (ms, text) => {
    expect(formatLength(ms)).toBe(text);
  });
});

describe("a distance", () => {
  it.each([
    [0, "now"],
    [1_499, "now"],
    [1_500, "in 1 s"],
    [-59_999, "59 s ago"],
    [-60_000, "1 min ago"],
    [2 * 3_600_000, "in 2 h"],
    [-26 * 3_600_000, "1 d ago"],
  ])("%i ms away is %s", (ms, text) => {
    expect(formatDistance(NOW + ms, NOW)).toBe(text);
  });
});

it("an exact time names its clock", () => {
  expect(formatExact(NOW, "utc")).toBe("2026-11-27 06:00:00 UTC");
  expect(formatExact(NOW + 7, "utc", { milliseconds: true })).toBe("2026-11-27 06:00:00.007 UTC");
  expect(formatExact(NOW, "local")).toMatch(/^2026-11-2\d \d\d:\d\d:00 [+−]\d\d:\d\d$/);
  expect(formatClock(NOW, "utc")).toBe("06:00");
});

describe("indented JSON", () => {
  it("differs in white space alone", () => {
    const json = '{"n":9223372036854775808,"a":1.0,"a":2,"s":"{,: \\"\\\\","e":{},"l":[ ],"x":[1,{"y":null}]}';
    expect(indented(json)).toBe(
      [
        "{",
        '  "n": 9223372036854775808,',
        '  "a": 1.0,',
        '  "a": 2,',
        '  "s": "{,: \\"\\\\",',
        '  "e": {},',
        '  "l": [],',
        '  "x": [',
        "    1,",
        "    {",
        '      "y": null',
        "    }",
        "  ]",
        "}",
      ].join("\n"),
    );
  });

  it("leaves a text or a number as it is", () => {
    expect([indented("1.50"), indented('" a "'), indented("[]")]).toEqual(["1.50", '" a "', "[]"]);
  });
});

describe("a bulk action", () => {
  const action = (more: Partial<BulkAction>): BulkAction => ({
    id: "id",
    action: "retry",
    status: "completed",
    matched: 0,
    done: 0,
    skipped: 0,
    failed: 0,
    created_at: AT,
    completed_at: AT,
    ...more,
  });

  it("tells of a partial failure", () => {
    expect(outcomeOf(action({ done: 1_180, skipped: 15, failed: 5 }))).toBe(
      "1,180 jobs retried, 15 skipped because of their status, 5 failed: the service could not reach them.",
    );
    expect(outcomeOf(action({ done: 1, status: "aborted" }))).toBe("Aborted: 1 job retried.");
  });

  it("does not pretend to have counted further than the service counts", () => {
    expect([1, 2, 9_999, 10_000].map(countJobs)).toEqual(["1 job", "2 jobs", "9,999 jobs", "10,000 or more jobs"]);
  });
});

it("a target is a handler, or a method and an address", () => {
  const http = { url: "https://example.com/a", method: "POST" as const };
  expect(targetOf(aJob())).toBe("send-mail");
  expect(targetOf(aJob({ delivery: { type: "push", http } }))).toBe("POST example.com/a");
});
