// What an account may have at a time: its jobs are counted now and then, and what was let through since is added.

import { describe, expect, it } from "vitest";
import { OpenPolls } from "../../src/accounts/open-polls.ts";
import { RECOUNT_MS, WaitingJobs } from "../../src/accounts/waiting-jobs.ts";
import { accountLimit } from "../../src/domain/account-limits.ts";
import { err, ok } from "../../src/domain/result.ts";

const NOON = Date.UTC(2030, 0, 1, 12);

/** An isolate in front of a database that has so many live jobs, and the jobs of an account among them. */
function isolate(limit: number, { own = 0, others = 0 } = {}) {
  const waiting = new WaitingJobs();
  const world = { now: NOON, own, others, looks: 0, tookMs: 0, isDown: false };
  const count = async () => {
    world.looks += 1;
    world.now += world.tookMs;
    return world.isDown
      ? err({ code: "unavailable" as const, retryAfterSeconds: 5 })
      : ok({ own: world.own, all: world.own + world.others });
  };
  const make = async (size = 1, account = "a") => {
    const behind: Promise<unknown>[] = [];
    const looking = { clock: () => world.now, count, later: (work: Promise<unknown>) => behind.push(work) };
    const may = await waiting.mayMake(account, size, limit, looking);
    await Promise.all(behind);
    if (may) world.own += size;
    return may;
  };
  return { world, make };
}

describe("jobs that wait", () => {
  it("a lone isolate lets exactly as many through as there may be", async () => {
    const { world, make } = isolate(1_000_000, { own: 999_000 });
    let made = 0;
    while (await make()) made += 1;
    expect([made, world.own]).toEqual([1_000, 1_000_000]);
  });

  it("a batch that does not fit as a whole is refused, one that does is not", async () => {
    const { make } = isolate(250, { own: 200 });
    expect([await make(), await make(50), await make(49)]).toEqual([true, false, true]);
  });

  it("room is found within ten seconds of the last look, and not looked for before", async () => {
    const { world, make } = isolate(10, { own: 10 });
    while (await make()) world.own = 10;
    const { looks } = world;
    world.own = 5;
    world.now += RECOUNT_MS - 1;
    expect([await make(), world.looks]).toEqual([false, looks]);
    world.now += 1;
    expect([await make(), world.looks]).toEqual([true, looks + 1]);
  });

  it("a look that takes long is made as much more rarely: the database does one thing at a time", async () => {
    const { world, make } = isolate(1_000, { own: 1_000 });
    world.tookMs = 1_000;
    while (await make()) world.own = 1_000;
    const { looks } = world;
    world.now += 98_999;
    expect([await make(), world.looks]).toEqual([false, looks]);
    world.now += 1;
    await make();
    expect(world.looks).toBe(looks + 1);
  });

  it("far from the limit a look is made after an eighth of what is free", async () => {
    const { world, make } = isolate(1_000_000);
    for (let batch = 0; batch < 2_000; batch++) {
      expect(await make(100)).toBe(true);
      world.own = 0; // they end as fast
    }
    expect(world.looks).toBe(2); // after the first thousand, and after 125,000 more
  });

  it("a look reads all that is live, so an isolate makes a hundredth of that before the next", async () => {
    const { world, make } = isolate(1_000, { others: 500_000 });
    for (let made = 0; made < 500; made++) expect(await make()).toBe(true);
    expect(world.looks).toBe(1);
    for (let made = 0; made < 100; made++) expect(await make(1, "another")).toBe(true);
    expect(world.looks).toBe(1);
  });

  it("what other isolates made is seen at the next look", async () => {
    const { world, make } = isolate(1_000);
    await make();
    world.own = 1_000;
    let made = 0;
    while (await make()) made += 1;
    expect(made).toBeLessThanOrEqual(124);
  });

  it("a database that does not answer refuses nothing here", async () => {
    const { world, make } = isolate(1);
    world.isDown = true;
    expect([await make(), await make(), await make()]).toEqual([true, true, true]);
  });
});

describe("claims that wait", () => {
  const open = (polls: OpenPolls, id: string, now = NOON, account = "a") =>
    polls.open(account, id, 20_000, 2, () => now);

  it("are as many as there may be for each account, and free their place when they end", () => {
    const polls = new OpenPolls();
    const first = open(polls, "1");
    expect([open(polls, "2"), open(polls, "3"), open(polls, "4", NOON, "b")].map((one) => one !== null)).toEqual([
      true,
      false,
      true,
    ]);
    first?.();
    expect(open(polls, "3")).not.toBeNull();
    first?.();
    expect(open(polls, "5")).toBeNull();
  });

  it("do not count for ever when their request was torn down", () => {
    const polls = new OpenPolls();
    open(polls, "1");
    open(polls, "2");
    expect(open(polls, "3", NOON + 49_999)).toBeNull();
    expect(open(polls, "3", NOON + 50_000)).not.toBeNull();
  });
});

it.each([
  [undefined, 10_000],
  ["1", 1],
  [25, 25],
  ["1000000000", 1_000_000_000],
  ["0", null],
  ["1000000001", null],
  ["1e3", null],
  ["", null],
])("the setting %j means %j", (setting, limit) => {
  expect(accountLimit("MAX_SCHEDULES", setting)).toBe(limit);
});
