import { beforeEach, describe, expect, it } from "vitest";
import { Cache, FRESH_MS, STALE_MS, UNKNOWN_MS } from "../../src/accounts/cache.ts";
import { err, ok } from "../../src/domain/result.ts";
import type { Stored } from "../../src/store/store.ts";
import { HOUR, NOON, SECOND } from "./a-job.ts";

const MAX_ENTRIES = 10_000;
const ASK_AGAIN_MS = 10 * SECOND;
const DOWN = err({ code: "unavailable", retryAfterSeconds: 5 } as const);

let cache: Cache<string>;
let reads: number;

/** Asks for a key while the store would answer this. */
function get(now: number, answer: Stored<string | undefined>, key = "key") {
  return cache.get(key, now, async () => {
    reads += 1;
    return answer;
  });
}

beforeEach(() => {
  cache = new Cache();
  reads = 0;
});

it("the limits are the contract's", () => {
  expect([FRESH_MS, UNKNOWN_MS, STALE_MS]).toEqual([60 * SECOND, 10 * SECOND, HOUR]);
});

describe("a known entry", () => {
  beforeEach(async () => {
    await get(NOON, ok("old"));
  });

  it("is given from memory for a minute", async () => {
    expect(await get(NOON + FRESH_MS - 1, ok("new"))).toEqual(ok("old"));
    expect(reads).toBe(1);
  });

  it("is read again then, and is fresh once more", async () => {
    expect(await get(NOON + FRESH_MS, ok("new"))).toEqual(ok("new"));
    expect(await get(NOON + 2 * FRESH_MS - 1, ok("newest"))).toEqual(ok("new"));
    expect(reads).toBe(2);
  });

  it("that is gone at the next read is gone", async () => {
    expect(await get(NOON + FRESH_MS, ok(undefined))).toEqual(ok(undefined));
    expect(await get(NOON + FRESH_MS, DOWN)).toEqual(ok(undefined));
  });

  it("is read again when the clock has gone back", async () => {
    expect(await get(NOON - 1, ok("new"))).toEqual(ok("new"));
  });

  it("is served stale for an hour from its last reading while reads fail, to the millisecond", async () => {
    expect(await get(NOON + FRESH_MS, DOWN)).toEqual(ok("old"));
    expect(await get(NOON + STALE_MS - 1, DOWN)).toEqual(ok("old"));
    expect(await get(NOON + STALE_MS, DOWN)).toEqual(DOWN);
  });

  it("is asked for every ten seconds while reads fail, and no more often", async () => {
    const since = NOON + FRESH_MS;
    await get(since, DOWN);
    await get(since + ASK_AGAIN_MS - 1, DOWN);
    expect(reads).toBe(2);
    expect(await get(since + ASK_AGAIN_MS, ok("new"))).toEqual(ok("new"));
    expect(reads).toBe(3);
  });

  it("is forgotten when somebody says so", async () => {
    cache.forget("key");
    expect(await get(NOON, ok("new"))).toEqual(ok("new"));
  });
});

describe("an unknown key", () => {
  it("is remembered for ten seconds, so that guessing does not reach the store", async () => {
    await get(NOON, ok(undefined));
    expect(await get(NOON + UNKNOWN_MS - 1, ok("new"))).toEqual(ok(undefined));
    expect(await get(NOON + UNKNOWN_MS, ok("new"))).toEqual(ok("new"));
  });

  it("is never served stale: who was unknown may be known by now", async () => {
    await get(NOON, ok(undefined));
    expect(await get(NOON + UNKNOWN_MS, DOWN)).toEqual(DOWN);
  });

  it("is unavailable while the store is down, and asked for each time", async () => {
    expect([await get(NOON, DOWN), await get(NOON, DOWN)]).toEqual([DOWN, DOWN]);
    expect(reads).toBe(2);
  });
});

it("the memory is bounded: the entry read longest ago makes room", async () => {
  for (let i = 0; i < MAX_ENTRIES; i++) await get(NOON, ok("x"), `key ${i}`);
  await get(NOON + FRESH_MS, ok("again"), "key 0");
  await get(NOON + FRESH_MS - 1, ok("x"), "one more");
  reads = 0;
  await get(NOON + FRESH_MS - 1, ok("x"), "key 2");
  expect(reads).toBe(0);
  await get(NOON + FRESH_MS, DOWN, "key 0");
  expect(reads).toBe(0);
  await get(NOON + FRESH_MS - 1, ok("x"), "key 1");
  expect(reads).toBe(1);
});
