// A list that changes while somebody looks: rows keep their places.

import { describe, expect, it } from "vitest";
import { type ListAnswer, listingOf, PAGE, refreshed, sizeFor } from "../../dashboard/src/screens/jobs/listing.ts";
import { aJob } from "./a-listed-job.ts";

const id = (n: number) => `${String(n).padStart(8, "0")}-0000-4000-8000-000000000000`;
const job = (n: number, revision = 1) => aJob({ id: id(n), revision });
const answer = (numbers: readonly number[], next: string | null = null): ListAnswer => ({
  jobs: numbers.map((n) => job(n)),
  paging: { page: 1, pages: 1, size: 50, total: numbers.length, next_cursor: next },
});
const shownIn = (listing: { rows: readonly { id: string }[] }) => listing.rows.map((row) => Number(row.id.slice(0, 8)));

it("rows keep their places when newer ones come, and those are counted", () => {
  const after = refreshed(listingOf(answer([3, 2, 1])), answer([5, 4, 3, 2, 1]));
  expect(shownIn(after)).toEqual([3, 2, 1]);
  expect([after.fresh, after.gone.size]).toEqual([2, 0]);
  expect(shownIn(listingOf(after.latest))).toEqual([5, 4, 3, 2, 1]);
});

it("one that comes to match in the middle is counted, and moves nothing", () => {
  const after = refreshed(listingOf(answer([5, 1])), answer([5, 3, 1]));
  expect(shownIn(after)).toEqual([5, 1]);
  expect(after.fresh).toBe(1);
});

it("a row that is gone keeps its place and is marked", () => {
  const after = refreshed(listingOf(answer([3, 2, 1])), answer([3, 1]));
  expect(shownIn(after)).toEqual([3, 2, 1]);
  expect([...after.gone]).toEqual([id(2)]);
});

it("a row that new ones have pushed off the page is not gone", () => {
  const after = refreshed(listingOf(answer([3, 2, 1], "older")), answer([5, 4, 3], "older"));
  expect([after.fresh, after.gone.size]).toEqual([2, 0]);
});

it("what moves up from the next page is appended, and the way to older ones goes on behind it", () => {
  const after = refreshed(listingOf(answer([5, 4, 3], "behind 3")), answer([5, 4, 2], "behind 2"));
  expect(shownIn(after)).toEqual([5, 4, 3, 2]);
  expect(after.paging.next_cursor).toBe("behind 2");
  expect(after.fresh).toBe(0);
});

it("a full page is not made longer", () => {
  const numbers = Array.from({ length: PAGE }, (_, n) => 1_000 - n);
  const after = refreshed(listingOf(answer(numbers, "next")), answer([...numbers, 5], "next"));
  expect(after.rows).toHaveLength(PAGE);
});

it("a row never goes back to an older revision", () => {
  const shown = listingOf({ ...answer([1]), jobs: [job(1, 7)] });
  expect(refreshed(shown, { ...answer([1]), jobs: [job(1, 6)] }).rows[0]?.revision).toBe(7);
  expect(refreshed(shown, { ...answer([1]), jobs: [job(1, 8)] }).rows[0]?.revision).toBe(8);
});

it("an empty list shows what comes at once", () => {
  expect(shownIn(refreshed(listingOf(answer([])), answer([1])))).toEqual([1]);
});

describe("the size that is asked for", () => {
  it("grows with what is new, up to what the service gives", () => {
    const shown = listingOf(answer([1]));
    expect(sizeFor(undefined)).toBe(PAGE);
    expect(sizeFor({ ...shown, fresh: 7 })).toBe(PAGE + 7);
    expect(sizeFor({ ...shown, fresh: 500 })).toBe(100);
  });
});
