import { describe, expect, it } from "vitest";
import { MAX_STAGGER_MS, staggerMs } from "../../src/domain/stagger.ts";

/** Arms so many jobs of each account for one moment, in this order. @returns when each rings */
function arm(...accounts: readonly string[]): { account: string; ms: number }[] {
  const armed = new Map<string, number>();
  return accounts.map((account) => {
    const ms = staggerMs(armed, account);
    armed.set(account, (armed.get(account) ?? 0) + 1);
    return { account, ms };
  });
}
const times = (count: number, account: string): string[] => Array(count).fill(account);

describe("jobs due in one instant", () => {
  it("ring two milliseconds one after the other, the first on time", () => {
    const rings = arm(...times(100, "a")).map(({ ms }) => ms);
    expect(rings.slice(0, 4)).toEqual([0, 2, 4, 6]);
    expect(rings.at(-1)).toBe(198);
  });

  it("never ring early, and at most a few seconds late, evenly spread however many they are", () => {
    const rings = arm(...times(4_000, "a")).map(({ ms }) => ms);
    expect([Math.min(...rings), Math.max(...rings) < MAX_STAGGER_MS]).toEqual([0, true]);
    const perSecond = [0, 1, 2, 3].map((second) => rings.filter((ms) => Math.floor(ms / 1_000) === second).length);
    expect(perSecond).toEqual([1_000, 1_000, 1_000, 1_000]);
  });

  it("of several accounts take turns: a single job does not wait behind another's crowd", () => {
    const rings = arm(...times(1_200, "crowd"), "single", "single");
    expect(rings.filter(({ account }) => account === "single").map(({ ms }) => ms)).toEqual([0, 4]);
  });
});
