import { expect, it } from "vitest";
import { backoffMs, parseRetryAfter } from "../src/backoff.ts";

const BACKOFF = { baseMs: 1_000, capMs: 30_000 };
const NOON = Date.UTC(2030, 0, 1, 12);

it("draws from the full range, doubling up to the cap", () => {
  const ceilings = [1, 2, 3, 4, 5, 6, 50, 5_000].map((failures) => backoffMs(failures, BACKOFF, 1, null));
  expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(backoffMs(5, BACKOFF, 0, null)).toBe(0);
});

it("never comes back before Retry-After, and spreads out behind it", () => {
  expect(backoffMs(1, BACKOFF, 0, 7_000)).toBe(7_000);
  expect(backoffMs(1, BACKOFF, 0.5, 7_000)).toBe(7_500);
});

it("does not sleep through a day because a header says so", () => {
  expect(backoffMs(1, BACKOFF, 0, 86_400_000)).toBe(3_600_000);
});

it("reads Retry-After as seconds, as a date, and not at all", () => {
  expect(parseRetryAfter("12", NOON)).toBe(12_000);
  expect(parseRetryAfter("Tue, 01 Jan 2030 12:00:05 GMT", NOON)).toBe(5_000);
  expect(parseRetryAfter("Tue, 01 Jan 2030 11:00:00 GMT", NOON)).toBe(0);
  expect(parseRetryAfter("soon", NOON)).toBeNull();
  expect(parseRetryAfter(null, NOON)).toBeNull();
});
