// One seed, one history. That histories obey the contract is the business of `npm run world`.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { bundlesOf } from "./deployments.ts";
import type { Bundle } from "./platform/bundle.ts";
import { live } from "./world.ts";

/** Worlds with deaths, losses and a slow database, small ones. */
const SEEDS = [10, 16];

let present: Bundle[];
beforeAll(async () => {
  present = await bundlesOf("present");
});

describe("a seed has one history", () => {
  it.each(SEEDS)("%i, bit for bit", async (seed) => {
    const first = await live({ seed, bundles: present });
    const second = await live({ seed, bundles: present, isTraced: true });
    expect(second.hash).toBe(first.hash);
    expect(first.violations).toEqual([]);
    expect(first.lives).toBeGreaterThan(0);
  });

  it("in a process of its own as well", async () => {
    const [seed = 0] = SEEDS;
    const here = await live({ seed, bundles: present });
    const main = join(import.meta.dirname, "main.ts");
    const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", main, "--seed", `${seed}`]);
    expect(stdout).toContain(`hash ${here.hash}`);
  });

  it("which is another one for another seed", async () => {
    const [one, other] = [await live({ seed: 6, bundles: present }), await live({ seed: 12, bundles: present })];
    expect(one.hash).not.toBe(other.hash);
  });
});
