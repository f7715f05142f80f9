import { describe, expect, it } from "vitest";
import { byCode } from "../../dashboard/src/screens/overview/failing-codes.ts";
import { jobsDueIn, jobsOfBucket, jobsOfFailing } from "../../dashboard/src/screens/overview/jobs-of.ts";
import type { Failing } from "../../dashboard/src/screens/overview/overview-answer.ts";
import { countScale, latenessScale, roundUp, spanOf, timeTicks } from "../../dashboard/src/screens/overview/scale.ts";

const NOON = Date.UTC(2030, 0, 1, 12);
const MINUTE = 60_000;

describe("a scale of counts", () => {
  it("rounds up to 1, 2 and 5", () => {
    expect([0, 1, 1.1, 2, 3, 5, 6, 11, 20, 21, 99, 501].map(roundUp)).toEqual([
      1, 1, 2, 2, 5, 5, 10, 20, 20, 50, 100, 1_000,
    ]);
  });

  it.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [4, [0, 2, 4]],
    [80, [0, 50, 100]],
    [100_000, [0, 50_000, 100_000]],
  ])("up to %i has whole numbers, and all bars have room", (max, values) => {
    const { top, ticks } = countScale(max);
    expect(ticks.map(({ value }) => value)).toEqual(values);
    expect(ticks.at(-1)).toEqual({ value: top, place: 1 });
  });
});

describe("a scale of lateness", () => {
  it("gives each power of ten the same room, and at least a second", () => {
    const { placeOf, ticks, top } = latenessScale(3);
    expect(top).toBe(1_000);
    expect(ticks.map(({ value }) => value)).toEqual([1, 10, 100, 1_000]);
    expect([0, 1, 10, 1_000].map(placeOf).map((place) => Math.round(place * 100))).toEqual([0, 0, 33, 100]);
  });

  it("reaches beyond the latest", () => {
    expect(latenessScale(1_001).top).toBe(10_000);
    expect(latenessScale(60_000).top).toBe(60_000);
    expect(latenessScale(90_000_000).placeOf(90_000_000)).toBe(1);
  });
});

describe("moments below a chart", () => {
  it("are round ones, at the bucket in which they lie", () => {
    const starts = Array.from({ length: 15 }, (_, i) => NOON + 3 * MINUTE + i * MINUTE);
    expect(timeTicks(starts, "15m", "utc")).toEqual([
      { index: 2, label: "12:05" },
      { index: 7, label: "12:10" },
      { index: 12, label: "12:15" },
    ]);
  });

  it("are days in a week, also where no bucket begins at midnight", () => {
    const starts = Array.from({ length: 84 }, (_, i) => NOON + MINUTE * 60 * (2 * i + 1));
    const ticks = timeTicks(starts, "7d", "utc");
    expect(ticks.map(({ label }) => label)).toEqual(["Wed 2", "Thu 3", "Fri 4", "Sat 5", "Sun 6", "Mon 7", "Tue 8"]);
    expect(ticks[0]?.index).toBe(6);
  });

  it("say which span a bar has", () => {
    expect(spanOf(NOON, 15 * MINUTE, "utc")).toBe("2030-01-01 12:00 to 12:15 UTC");
  });
});

const failing = (more: Partial<Failing>): Failing => ({
  ...{
    error_code: "http_status",
    handler: null,
    host: null,
    count: 1,
    last_at: "2030-01-01T12:00:00.000Z",
    job_id: "x",
  },
  ...more,
});

describe("behind what is counted are jobs", () => {
  it("those of a bar were due in its time, both bounds being exclusive", () => {
    expect(jobsOfBucket({ at: "2030-01-01T12:00:00.000Z" }, 60)).toEqual({
      scheduled_after: "2030-01-01T11:59:59.999Z",
      scheduled_before: "2030-01-01T12:01:00.000Z",
      created_before: "2030-01-01T13:01:00.000Z",
    });
    expect(jobsOfBucket({ at: "2030-01-01T12:00:00.000Z" }, 60, "failed")).toMatchObject({ status: "failed" });
  });

  it("those of a minute to come wait", () => {
    expect(jobsDueIn("2030-01-01T12:00:00.000Z")).toEqual({
      status: "pending",
      scheduled_after: "2030-01-01T11:59:59.999Z",
      scheduled_before: "2030-01-01T12:01:00.000Z",
    });
  });

  it("those of a group have all in common that it names", () => {
    const overview = { buckets: [{ at: "2030-01-02T12:00:00.000Z" }] };
    expect(jobsOfFailing(failing({ handler: "a", host: "b.example" }), overview)).toEqual({
      ...{ status: "failed", error_code: "http_status", handler: "a", host: "b.example" },
      scheduled_after: "2030-01-02T11:45:00.000Z",
    });
    expect(jobsOfFailing(failing({}), overview)).not.toHaveProperty("handler");
  });

  it("the group of all the rest has nothing in common", () => {
    expect(jobsOfFailing(failing({ error_code: "other" }), { buckets: [] })).toBeUndefined();
  });
});

it("failures that no filter tells apart are one group: those of a host without a handler, and those with one", () => {
  const [code] = byCode([
    failing({ count: 4, host: "a" }),
    failing({ count: 2, host: "a", handler: "h", last_at: "2030-01-01T13:00:00.000Z", job_id: "latest" }),
    failing({ count: 1, host: "b", handler: "h" }),
    failing({ count: 1, host: "b", handler: "i" }),
  ]);
  expect(code?.groups).toEqual([
    failing({ count: 6, host: "a", last_at: "2030-01-01T13:00:00.000Z", job_id: "latest" }),
    failing({ count: 1, host: "b", handler: "h" }),
    failing({ count: 1, host: "b", handler: "i" }),
  ]);
  expect(code?.count).toBe(8);
});

it("failures of one code stand together, the most frequent first", () => {
  const codes = byCode([
    failing({ error_code: "timeout", count: 3, host: "a" }),
    failing({ count: 2, host: "b", last_at: "2030-01-01T13:00:00.000Z" }),
    failing({ count: 9, host: "c" }),
    failing({ error_code: "new_code", count: 1 }),
  ]);
  expect(codes.map(({ code, count }) => [code, count])).toEqual([
    ["http_status", 11],
    ["timeout", 3],
    ["new_code", 1],
  ]);
  expect(codes[0]?.groups.map(({ host }) => host)).toEqual(["c", "b"]);
  expect(codes[0]?.lastAt).toBe("2030-01-01T13:00:00.000Z");
  expect(codes.map(({ meaning }) => meaning)).toEqual([
    "the target answered with an error",
    "no answer in time",
    "new_code",
  ]);
});
