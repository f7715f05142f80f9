// Several databases share the calls of a minute, and take turns where they are too few.

import { expect, it } from "vitest";
import { whoseTurn } from "../../src/domain/allowance.ts";

const NOON = Date.UTC(2030, 0, 1, 12);
const MINUTE = 60_000;

const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);
const minutes = (databases: number, calls: number, count: number) =>
  upTo(count).map((n) => whoseTurn(upTo(databases), calls, NOON + n * MINUTE));

it.each([
  [1, 50],
  [1, 10],
  [2, 100],
  [100, 10_000],
])("%i databases with %i calls: all of them each minute", (databases, calls) => {
  expect(minutes(databases, calls, 3)).toEqual([upTo(databases), upTo(databases), upTo(databases)]);
});

it("on the Free plan one after the other", () => {
  expect(minutes(3, 50, 4)).toEqual([[0], [1], [2], [0]]);
  expect(minutes(3, 10, 4)).toEqual([[0], [1], [2], [0]]);
});

it("nobody is left out, and nobody comes twice in a round", () => {
  const round = minutes(100, 1_000, 5);
  expect(round.map((these) => these.length)).toEqual([20, 20, 20, 20, 20]);
  expect(round.flat().sort((a, b) => a - b)).toEqual(upTo(100));
});
