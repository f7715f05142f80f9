// The ceilings follow from the seed, and the model's figures move them.

import { expect, it } from "vitest";
import { measureCeilings, type Search, type Size } from "./ceilings.ts";

const search: Search = {
  ...{ delivery: "push", making: "singly", databases: 1 },
  ...{ from: 40, seconds: 3, writeMs: 25 },
};
const TINY: Size = {
  ...{ seed: 7, searches: [search], paces: [], pullQueueJobs: 60 },
  figures: { isolates: 2 }, // each evaluates the service's code
  bursts: [{ delivery: "push", databases: 1, jobs: 100 }],
  flows: [{ jobs: 60, concurrency: 5 }],
};
const quietly = () => {};

it("the same seed has the same ceilings, another has others", async () => {
  const first = await measureCeilings(TINY, quietly);
  expect(await measureCeilings(TINY, quietly)).toEqual(first);
  const other = await measureCeilings({ ...TINY, seed: 8, searches: [] }, quietly);
  expect(other.bursts).not.toEqual(first.bursts);
  expect(first.ceilings[0]).toMatchObject({ writeMs: 25, at: { busiest: { station: "database" }, missing: 0 } });
});
