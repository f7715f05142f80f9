// What the overview counts: each execution once, in its minute, and what percentiles and groups are made of it.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketsOf, percentileOf, WINDOWS, type WindowName } from "../../src/domain/overview.ts";
import {
  type Counts,
  endsJobBy,
  FIRST_HELD_EPOCH,
  heldEpoch,
  hostOf,
  LATENESS_BOUNDS_MS,
  MAX_GROUPS,
  type SettledExecution,
  sharedEpochAt,
  stampOf,
  Tally,
} from "../../src/domain/tally.ts";
import { isNews, type Known, settledIn } from "../../src/store/settled.ts";
import { DAY, HOUR, MINUTE, NOON, PULL, PUSH, SECOND } from "./a-job.ts";
import { World, walks } from "./walk.ts";

const settled = (patch: Partial<SettledExecution> = {}): SettledExecution => ({
  accountId: "acct",
  jobId: "job",
  handler: "resize",
  host: "example.com",
  status: "completed",
  dueAt: NOON,
  startedAt: NOON,
  completedAt: NOON,
  errorCode: null,
  endsJob: false,
  ...patch,
});

function tallyOf(...all: SettledExecution[]): Tally {
  const tally = new Tally();
  for (const one of all) tally.add(one);
  return tally;
}

const countsOf = (tally: Tally, minute: number): Counts | undefined =>
  tally.counts.find((counts) => counts.minute === minute);

describe("an execution counts", () => {
  it("as started in the minute it started in, as ended in the minute it ended in, and in the total", () => {
    const tally = tallyOf(settled({ startedAt: NOON + MINUTE - 1, completedAt: NOON + MINUTE }));
    expect(countsOf(tally, NOON)).toMatchObject({ started: 1, completed: 0 });
    expect(countsOf(tally, NOON + MINUTE)).toMatchObject({ started: 0, completed: 1 });
    expect(countsOf(tally, 0)).toMatchObject({ started: 1, completed: 1, lateSum: MINUTE - 1, lateMax: MINUTE - 1 });
    expect(tally.counts).toHaveLength(3);
  });

  it.each([
    ["completed", true, { completed: 1, failed: 0, retried: 0 }],
    ["failed", true, { completed: 0, failed: 1, retried: 0 }],
    ["failed", false, { completed: 0, failed: 0, retried: 1 }],
    ["timed_out", true, { completed: 0, failed: 1, retried: 0 }],
    ["timed_out", false, { completed: 0, failed: 0, retried: 1 }],
    ["interrupted", true, { completed: 0, failed: 1, retried: 0 }],
    ["interrupted", false, { completed: 0, failed: 0, retried: 1 }],
    ["cancelled", false, { completed: 0, failed: 0, retried: 0 }],
  ] as const)("%s (ends its job: %s) as %o", (status, endsJob, wanted) => {
    expect(countsOf(tallyOf(settled({ status, endsJob })), NOON)).toMatchObject({ started: 1, ...wanted });
  });

  it("in the first bound that is not below its lateness; later than all of them as started alone", () => {
    for (const [i, bound] of LATENESS_BOUNDS_MS.entries())
      for (const latenessMs of [bound, (LATENESS_BOUNDS_MS[i - 1] ?? -1) + 1]) {
        const { late = [] } = countsOf(tallyOf(settled({ startedAt: NOON + latenessMs })), 0) ?? {};
        expect(late.indexOf(1), `${latenessMs} ms`).toBe(i);
      }
    const { late, started, lateMax } = countsOf(tallyOf(settled({ startedAt: NOON + HOUR + 1 })), 0) as Counts;
    expect([late.reduce((sum, n) => sum + n), started, lateMax]).toEqual([0, 1, HOUR + 1]);
  });

  it("on time when a clock that is behind starts it early", () => {
    expect(countsOf(tallyOf(settled({ startedAt: NOON - 1 })), 0)).toMatchObject({ lateSum: 0, lateMax: 0 });
  });

  it("for its account alone", () => {
    const tally = tallyOf(settled(), settled({ accountId: "other" }), settled());
    expect(tally.counts.filter(({ minute }) => minute === 0).map((one) => [one.accountId, one.started])).toEqual([
      ["acct", 2],
      ["other", 1],
    ]);
  });
});

describe("failures", () => {
  const failed = (patch: Partial<SettledExecution> = {}) =>
    settled({ status: "failed", errorCode: "http_status", ...patch });

  it("are grouped by error, handler and host for a quarter of an hour, with the newest job", () => {
    const tally = tallyOf(
      failed({ jobId: "a", completedAt: NOON + SECOND }),
      failed({ jobId: "b", completedAt: NOON + 15 * MINUTE - 1 }),
      failed({ jobId: "c", completedAt: NOON }),
      failed({ jobId: "d", completedAt: NOON + 15 * MINUTE }),
      failed({ errorCode: "timeout" }),
      failed({ handler: null }),
      failed({ host: null }),
    );
    expect(tally.failures).toHaveLength(5);
    expect(tally.failures[0]).toMatchObject({ slot: NOON, count: 3, jobId: "b", lastAt: NOON + 15 * MINUTE - 1 });
    expect(tally.failures[1]).toMatchObject({ slot: NOON + 15 * MINUTE, count: 1, jobId: "d" });
  });

  it("leave out what was interrupted, unless its job ended with it", () => {
    expect(tallyOf(failed({ status: "interrupted", errorCode: "platform" })).failures).toEqual([]);
    expect(tallyOf(failed({ status: "interrupted", errorCode: "platform", endsJob: true })).failures).toHaveLength(1);
    expect(tallyOf(failed({ status: "cancelled" }), settled()).failures).toEqual([]);
  });

  it("beyond twenty groups of an account and slot share one, and none is lost", () => {
    const many = Array.from({ length: 3 * MAX_GROUPS }, (_, i) =>
      failed({ host: `${i % (2 * MAX_GROUPS)}.example.com` }),
    );
    const { failures } = tallyOf(...many, failed({ accountId: "other", host: "far.example.com" }));
    const own = failures.filter(({ accountId }) => accountId === "acct");
    expect(own).toHaveLength(MAX_GROUPS + 1);
    expect(own.reduce((sum, { count }) => sum + count, 0)).toBe(many.length);
    expect(own.at(-1)).toMatchObject({ errorCode: "other", handler: "", host: "" });
    expect(failures.filter(({ accountId }) => accountId === "other")).toHaveLength(1);
  });

  it("name the host a push went to, with its port, and none for pull", () => {
    expect(hostOf({ ...PUSH, url: "https://user@Example.com:8443/a?b" })).toBe("example.com:8443");
    expect(hostOf(PULL)).toBeNull();
  });
});

describe("a percentile", () => {
  const lateness = fc.array(fc.nat(2 * HOUR), { minLength: 1, maxLength: 200 });

  it("is the bound above the exact one, and never above the latest", () => {
    fc.assert(
      fc.property(lateness, fc.constantFrom(0.5, 0.95, 0.99), (all, share) => {
        const counts = countsOf(tallyOf(...all.map((ms) => settled({ startedAt: NOON + ms }))), 0) as Counts;
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? 0;
        const bound = LATENESS_BOUNDS_MS.find((ms) => exact <= ms) ?? Number.POSITIVE_INFINITY;
        expect(percentileOf(counts, share)).toBe(Math.min(bound, Math.max(...all)));
      }),
    );
  });

  it("is null where nothing started", () => {
    expect(percentileOf({ started: 0, lateMax: 0, late: [] }, 0.5)).toBeNull();
  });
});

it.each(Object.keys(WINDOWS) as WindowName[])("the buckets of %s cover it, oldest first, without a gap", (window) => {
  const spanMs = { "15m": 15 * MINUTE, "1h": HOUR, "24h": DAY, "7d": 7 * DAY }[window];
  const { buckets, bucketMs } = WINDOWS[window];
  expect(buckets * bucketMs).toBe(spanMs);
  for (const now of [NOON, NOON + 1, NOON - 1]) {
    const all = bucketsOf(window, now);
    expect(all).toHaveLength(buckets);
    expect(all.every((at, i) => at % bucketMs === 0 && (i === 0 || at - (all[i - 1] ?? 0) === bucketMs))).toBe(true);
    expect(now - (all.at(-1) ?? 0)).toBeLessThan(bucketMs);
  }
});

it("a stamp is a safe integer and keeps how a failure was counted", () => {
  for (const chance of [0, 0.5, 1 - Number.EPSILON / 2]) {
    const epoch = heldEpoch(chance);
    expect(epoch).toBeGreaterThanOrEqual(FIRST_HELD_EPOCH);
    for (const endsJob of [true, false]) {
      const stamp = stampOf(epoch, { endsJob });
      expect(Number.isSafeInteger(stamp)).toBe(true);
      expect([Math.floor(stamp / 2), endsJobBy(stamp)]).toEqual([epoch, endsJob]);
    }
  }
  expect(sharedEpochAt(NOON + 100 * 365 * DAY)).toBeLessThan(FIRST_HELD_EPOCH);
});

it("on every walk, whatever reports are lost, late or out of order, each execution is news once", () => {
  const numRuns = Number(process.env.WALKS ?? 400);
  const property = fc.property(walks, (way) => {
    const world = new World(way);
    for (const move of way.moves) world.take(move);
    if (!world.forgotten) world.drain();
    const times = new Map<number, number>();
    let row: Known = { revision: 0, attempt: 0, settledAt: null };
    for (const heard of world.heard) {
      if (typeof heard === "number") row = { ...row, revision: heard };
      else {
        for (const one of settledIn(heard))
          if (isNews(one, heard, row)) times.set(one.attempt, (times.get(one.attempt) ?? 0) + 1);
        const { revision, facts } = heard;
        if (revision > row.revision) row = { revision, attempt: facts.attempt, settledAt: facts.settledAt };
      }
    }
    const over = [...world.history.values()].filter((one) => one.startedAt !== null && one.completedAt !== null);
    expect([...times].sort(([a], [b]) => a - b)).toEqual(over.map(({ attempt }) => [attempt, 1]));
  });
  fc.assert(property, { numRuns });
});
