// The limits of a flow in words and as they are typed, and the order of its line.

import { expect, it } from "vitest";
import type { Job } from "../../dashboard/src/api/job.ts";
import { inLine } from "../../dashboard/src/screens/flows/in-line.ts";
import {
  breakerWords,
  concurrencyWords,
  type Draft,
  draftOf,
  EMPTY,
  limitsIn,
  limitsWords,
  rateWords,
} from "../../dashboard/src/screens/flows/limits.ts";
import { aJob } from "./a-listed-job.ts";

const MINUTE = { value: 1, unit: "minute" } as const;
const ALL = {
  key: "mail",
  concurrency: 5,
  rate: { limit: 100, period: { value: 10, unit: "second" } },
  breaker: { failures: 10, pause: MINUTE },
} as const;
const NONE = { key: "mail", concurrency: null, rate: null, breaker: null };

it("limits read as a person says them", () => {
  expect([concurrencyWords(ALL), rateWords(ALL), breakerWords(ALL)]).toEqual([
    "5 at once",
    "100 per 10 seconds",
    "after 10 failures in a row, for 1 minute",
  ]);
  expect([concurrencyWords(NONE), rateWords(NONE), breakerWords(NONE)]).toEqual(["any number", "any rate", "none"]);
  expect([limitsWords(ALL), limitsWords({ ...NONE, concurrency: 1 }), limitsWords(NONE)]).toEqual([
    "5 at once, 100 per 10 seconds, breaker",
    "1 at once",
    "none",
  ]);
  expect(rateWords({ ...NONE, rate: { limit: 3, period: MINUTE } })).toBe("3 per minute");
});

it("what a form begins with is sent as it was", () => {
  const { key: _, ...limits } = ALL;
  expect(limitsIn(draftOf(ALL))).toEqual(limits);
  expect(limitsIn(draftOf(NONE))).toEqual({});
});

it("a limit whose number is emptied is left out, and what is no number is sent for the service to refuse", () => {
  const typed: Draft = { ...EMPTY, concurrency: " ", rateLimit: "many", ratePeriod: "", failures: "3", pause: "1.5" };
  expect(limitsIn(typed)).toEqual({
    rate: { limit: "many", period: { value: undefined, unit: "minute" } },
    breaker: { failures: 3, pause: { value: 1.5, unit: "minute" } },
  });
});

it("the line begins with the job that is due first; of one moment, with the one made first; who is not due stands in none", () => {
  const job = (id: string, second: number, more: Partial<Job> = {}) =>
    aJob({ id, status: "pending", run_at: new Date(second * 1_000).toISOString(), ...more });
  const jobs = [
    job("c", 3),
    job("b", 1),
    job("a", 1),
    job("r", 2, { status: "retrying" }),
    job("x", 0, { status: "running" }),
    job("y", 3.001, { status: "retrying" }),
  ];
  expect(inLine(jobs, 3_000).map(({ id }) => id)).toEqual(["a", "b", "r", "c"]);
});
