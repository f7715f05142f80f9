import { beforeEach, describe, expect, it, vi } from "vitest";
import { Cache, FRESH_MS, STALE_MS, UNKNOWN_MS } from "../../src/accounts/cache.ts";
import { err, ok } from "../../src/domain/result.ts";
import type { Stored } from "../../src/store/store.ts";
import { HOUR, NOON, SECOND } from "./a-job.ts";

const MAX_ENTRIES = 10_000;
const ASK_AGAIN_MS = 10 * SECOND;
const DOWN = err({ code: "unavailable", retryAfterSeconds: 5 } as const);

let cache: Cache<string>;
let reads: number;
let now: number;

/** Asks for a key while the store would answer this, after so long. */
async function get(at: number, answer: Stored<string | undefined>, key = "key", takesMs = 0) {
  now = at;
  const read = async () => {
    reads += 1;
    await Promise.resolve();
    now += takesMs;
    return answer;
  };
  return cache.get(key, () => now, read);
}

beforeEach(() => {
  cache = new Cache(() => {});
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

describe("a read that takes time", () => {
  const SLOW_MS = 10 * SECOND;

  it("counts from its beginning: what was revoked meanwhile may be in it, and 60 s are a promise", async () => {
    await get(NOON, ok("old"), "key", SLOW_MS);
    expect(await get(NOON + FRESH_MS - 1, ok("new"))).toEqual(ok("old"));
    expect(await get(NOON + FRESH_MS, ok("new"))).toEqual(ok("new"));
  });

  it("of a key nobody holds counts from its end: it would be stale on arrival", async () => {
    await get(NOON, ok(undefined), "key", SLOW_MS);
    await get(NOON + SLOW_MS + UNKNOWN_MS - 1, ok("new"));
    expect(reads).toBe(1);
  });

  it("and fails slows one request; those that follow are answered from memory", async () => {
    await get(NOON, ok("old"));
    const since = NOON + FRESH_MS;
    expect(await get(since, DOWN, "key", SLOW_MS)).toEqual(ok("old"));
    for (let second = 0; second < 10; second++)
      expect(await get(since + SLOW_MS + second * SECOND, DOWN)).toEqual(ok("old"));
    expect(reads).toBe(2);
  });

  it("and whose request died is taken over by one of those that wait for it, after a second", async () => {
    vi.useFakeTimers();
    void cache.get(
      "key",
      () => NOON,
      () => new Promise<never>(() => {}),
    );
    let readers = 0;
    const began = performance.now();
    const waits: number[] = [];
    const others = Array.from({ length: 5 }, () =>
      cache
        .get(
          "key",
          () => NOON,
          async () => {
            readers += 1;
            return ok("value");
          },
        )
        .then((answer) => {
          waits.push(performance.now() - began);
          return answer;
        }),
    );
    await vi.advanceTimersByTimeAsync(2 * SECOND);
    expect(await Promise.all(others)).toEqual(Array(5).fill(ok("value")));
    expect([readers, Math.max(...waits) < 1.2 * SECOND]).toEqual([1, true]);
    vi.useRealTimers();
  });

  it("and never ends keeps one caller in ten seconds for a quarter of a second", async () => {
    vi.useFakeTimers();
    await get(NOON, ok("old"));
    await get(NOON + FRESH_MS, DOWN);
    let hanging = 0;
    const hangs = () => {
      hanging += 1;
      return new Promise<never>(() => {});
    };
    const waits: number[] = [];
    for (let second = 10; second < 40; second++) {
      const began = performance.now();
      const answered = cache.get("key", () => NOON + FRESH_MS + second * SECOND, hangs);
      void answered.then(() => waits.push(performance.now() - began));
      await vi.advanceTimersByTimeAsync(SECOND);
      expect(await answered).toEqual(ok("old"));
    }
    expect(hanging).toBe(3);
    expect(waits.filter((ms) => ms > 0)).toEqual([250, 250, 250]);
    vi.useRealTimers();
  });

  it("and fails spares other keys its time, too", async () => {
    await get(NOON, ok("one"), "one");
    await get(NOON, ok("two"), "two");
    await get(NOON + FRESH_MS, DOWN, "one", SLOW_MS);
    reads = 0;
    expect(await get(NOON + FRESH_MS + SLOW_MS, DOWN, "two")).toEqual(ok("two"));
    expect(reads).toBe(0);
  });

  it("is shared by all who ask meanwhile", async () => {
    let answer: (stored: Stored<string>) => void = () => {};
    const read = () => {
      reads += 1;
      return new Promise<Stored<string>>((resolve) => {
        answer = resolve;
      });
    };
    const asking = [1, 2, 3].map(() => cache.get("key", () => NOON, read));
    answer(ok("value"));
    expect(await Promise.all(asking)).toEqual([ok("value"), ok("value"), ok("value")]);
    expect(reads).toBe(1);
    await get(NOON + FRESH_MS, ok("new"));
    expect(reads).toBe(2);
  });

  it("is not waited for longer than D1 is, if it died with the request that began it", async () => {
    vi.useFakeTimers();
    void cache.get(
      "key",
      () => NOON,
      () => new Promise<never>(() => {}),
    );
    const asking = get(NOON, ok("value"));
    await vi.advanceTimersByTimeAsync(12 * SECOND);
    expect(await asking).toEqual(ok("value"));
    vi.useRealTimers();
  });

  it("is not remembered if the key was revoked meanwhile", async () => {
    now = NOON;
    const read = async () => {
      await Promise.resolve();
      cache.forget("key");
      return ok("revoked");
    };
    expect(await cache.get("key", () => now, read)).toEqual(ok("revoked"));
    expect(await get(NOON, ok(undefined))).toEqual(ok(undefined));
  });
});

it("keys that nobody holds have a small memory of their own: they push out none that somebody holds", async () => {
  await get(NOON, ok("mine"), "mine");
  for (let i = 0; i < MAX_ENTRIES + 1; i++) await get(NOON + 1, ok(undefined), `guess ${i}`);
  expect(await get(NOON + FRESH_MS - 1, DOWN, "mine")).toEqual(ok("mine"));
  reads = 0;
  await get(NOON + 1, ok(undefined), `guess ${MAX_ENTRIES}`);
  await get(NOON + 1, ok(undefined), `guess ${MAX_ENTRIES - 999}`);
  expect(reads).toBe(0);
  await get(NOON + 1, ok(undefined), `guess ${MAX_ENTRIES - 1_000}`);
  expect(reads).toBe(1);
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
