import { expect, it } from "vitest";
import { backoffMs, parseRetryAfter } from "../src/backoff.ts";

const BACKOFF = { baseMs: 1_000, capMs: 30_000 };

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

it("reads Retry-After as seconds, as a date that counts from the answer's own, and not at all", () => {
  const date = "Tue, 01 Jan 2030 12:00:00 GMT";
  expect(parseRetryAfter("12", null)).toBe(12_000);
  expect(parseRetryAfter("Tue, 01 Jan 2030 12:00:05 GMT", date)).toBe(5_000);
  expect(parseRetryAfter("Tue, 01 Jan 2030 11:00:00 GMT", date)).toBe(0);
  expect(parseRetryAfter("Tue, 01 Jan 2030 12:00:05 GMT", null)).toBeNull();
  expect(parseRetryAfter("soon", date)).toBeNull();
  expect(parseRetryAfter(null, date)).toBeNull();
});
