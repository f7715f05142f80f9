// Who asks a PullQueue: exact while the instance lives, and after its loss never so old that a worker is declared gone too early.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { MAX_WORKERS_SEEN, WORKER_SEEN_MS } from "../../../src/domain/handler.ts";
import { PRESENCE_LAG_MS, type StoredPresence } from "../../../src/objects/pull-queue/presence.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, DAY, hurry, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { claim } from "./worker.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const queue = (handler = "h") => env.PULL_QUEUES.getByName(`${account.id}/${handler}`);
const entry = (n: number) => ({ jobId: `job ${n}`, executionId: `execution ${n}`, dueAt: NOON + n });
const poll = (workerId: string | null = null, waitMs = 0, pollId = "a poll") =>
  queue().nominate(pollId, 1, waitMs, [], workerId);
const seen = async () => {
  const { lastPollAt, lastPollBy, workers } = await queue().view();
  return { lastPollAt, lastPollBy, workers };
};
const lastPollAt = async () => (await queue().view()).lastPollAt;
const stored = () =>
  runInDurableObject(queue(), (_, { storage }) => storage.kv.get<StoredPresence>("presence")?.lastPollAt ?? null);
const isEmpty = (handler = "h") =>
  runInDurableObject(queue(handler), async (_, { storage }) => {
    const tables = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").toArray();
    return tables.length === 0 && [...storage.kv.list()].length === 0 && (await storage.getAlarm()) === null;
  });

describe("what waits", () => {
  const waits = async () => {
    const { waiting, oldestDueAt } = await queue().view();
    return [waiting, oldestDueAt];
  };

  it("is counted, with the oldest: offered once or again, nominated, given back, removed", async () => {
    expect(await waits()).toEqual([0, null]);
    await queue().offer([entry(2), entry(1), entry(3)]);
    await queue().offer([entry(2)]);
    expect(await waits()).toEqual([3, NOON + 1]);
    const taken = await queue().nominate("a poll", 2, 0);
    expect(await waits()).toEqual([1, NOON + 3]);
    await queue().remove([entry(1)]);
    expect(await waits()).toEqual([1, NOON + 3]);
    await queue().remove([entry(1), entry(9)]);
    await queue().giveBack(taken.slice(1));
    expect(await waits()).toEqual([2, NOON + 2]);
    await queue().remove([entry(2), entry(3)]);
    expect(await waits()).toEqual([0, null]);
  });

  it("is counted by an instance that has to look first", async () => {
    await queue().offer([entry(1), entry(2)]);
    await evictDurableObject(queue());
    await queue().remove([entry(1)]);
    expect(await waits()).toEqual([1, NOON + 2]);
  });

  it("leaves out what is in the hands of a poll, until it is given back", async () => {
    const waiting = poll(null, 5_000);
    await queue().dueTimes(1); // it has arrived by then
    await queue().offer([entry(1)]);
    await waiting;
    expect(await waits()).toEqual([0, null]);
    await queue().giveBack([entry(1)]);
    expect(await waits()).toEqual([1, NOON + 1]);
    await queue().remove([entry(1)]);
    expect(await waits()).toEqual([0, null]);
  });

  it("is counted anew when entries without an owner have gone", async () => {
    await queue().offer([entry(1)]);
    expect(await waits()).toEqual([1, NOON + 1]);
    advance(DAY);
    await runDurableObjectAlarm(queue());
    expect(await waits()).toEqual([0, null]);
  });

  it("tells of one execution whether it is there", async () => {
    await queue().offer([entry(1)]);
    const holds = async (n: number) => (await queue().view(entry(n))).holds;
    expect([await holds(1), await holds(2)]).toEqual([true, false]);
    await queue().remove([entry(1)]);
    expect(await holds(1)).toBe(false);
  });
});

describe("a poll", () => {
  it("is seen, with the worker's name if it gives one", async () => {
    expect(await seen()).toEqual({ lastPollAt: null, lastPollBy: null, workers: [] });
    await poll();
    expect(await seen()).toEqual({ lastPollAt: NOON, lastPollBy: NOON, workers: [] });
    advance(SECOND);
    await poll("one");
    advance(SECOND);
    await queue().dueTimes(1, "two");
    const at = NOON + 2 * SECOND;
    const workers = [
      { workerId: "two", lastPollAt: at },
      { workerId: "one", lastPollAt: NOON + SECOND },
    ];
    expect(await seen()).toEqual({ lastPollAt: at, lastPollBy: at, workers });
  });

  it("of a claim names its worker at every handler, however many there are", async () => {
    await claim(account, { handlers: ["h", "i", "j"], worker_id: "one" });
    for (const handler of ["h", "i", "j"])
      expect((await queue(handler).view()).workers).toEqual([{ workerId: "one", lastPollAt: NOON }]);
  });

  it("that waits asks the whole time, and no longer", async () => {
    const waiting = poll("one", 5_000);
    await queue().dueTimes(1);
    advance(10 * SECOND);
    expect((await seen()).workers).toEqual([{ workerId: "one", lastPollAt: NOON + 10 * SECOND }]);
    await queue().leave("a poll");
    await waiting;
    advance(10 * SECOND);
    expect(await lastPollAt()).toBe(NOON + 10 * SECOND);
  });

  it("names a worker for five minutes after it asked, to the millisecond", async () => {
    await poll("one");
    advance(WORKER_SEEN_MS);
    expect((await seen()).workers).toHaveLength(1);
    advance(1);
    expect(await seen()).toEqual({ lastPollAt: NOON, lastPollBy: NOON, workers: [] });
  });

  it("of the hundred and first worker takes the place of the one that asked longest ago", async () => {
    for (let n = 0; n < MAX_WORKERS_SEEN; n++) await poll(`worker ${n}`);
    await poll("worker 0");
    await poll("one more");
    const names = (await seen()).workers.map(({ workerId }) => workerId);
    expect(names).toHaveLength(MAX_WORKERS_SEEN);
    expect(names.slice(0, 2)).toEqual(["one more", "worker 0"]);
    expect(names).not.toContain("worker 1");
  });

  it("is not made by a question", async () => {
    await queue().view();
    expect(await lastPollAt()).toBeNull();
    expect(await isEmpty()).toBe(true);
  });
});

describe("on disk", () => {
  it("it is written with the first poll, and then once in 30 seconds, not a millisecond earlier", async () => {
    await poll("one");
    expect(await stored()).toBe(NOON);
    for (const ms of [1, PRESENCE_LAG_MS - 1]) {
      setClock(NOON + ms);
      await poll("one");
      expect(await stored()).toBe(NOON);
    }
    setClock(NOON + PRESENCE_LAG_MS);
    await poll("two");
    expect(await stored()).toBe(NOON + PRESENCE_LAG_MS);
  });

  it("survives the instance with its workers", async () => {
    await poll("one");
    advance(PRESENCE_LAG_MS);
    await poll("two");
    const before = await seen();
    await evictDurableObject(queue());
    expect(await seen()).toEqual(before);
  });

  it("may be older than the truth by what was not written: how late the last poll can have been is known", async () => {
    await poll("one");
    advance(PRESENCE_LAG_MS - 1);
    await poll("two");
    await evictDurableObject(queue());
    advance(DAY);
    expect(await seen()).toMatchObject({ lastPollAt: NOON, lastPollBy: NOON + PRESENCE_LAG_MS });
  });

  it("an instance that looks within these 30 seconds knows that nobody can have asked later", async () => {
    await poll();
    advance(SECOND);
    await evictDurableObject(queue());
    expect(await seen()).toMatchObject({ lastPollAt: NOON, lastPollBy: NOON + SECOND });
  });

  it("keeps up with polls that wait", async () => {
    hurry();
    const waiting = poll("one", 5_000_000);
    await queue().dueTimes(1);
    advance(PRESENCE_LAG_MS);
    await until(async () => (await stored()) === NOON + PRESENCE_LAG_MS);
    await queue().leave("a poll");
    await waiting;
  });

  it("a newer deployment's is left untouched, and the polls of this instance are seen all the same", async () => {
    const newer = { v: 2, polls: "unheard of" };
    await runInDurableObject(queue(), (_, { storage }) => storage.kv.put("presence", newer));
    await evictDurableObject(queue());
    advance(DAY);
    await poll("one");
    expect(await lastPollAt()).toBe(NOON + DAY);
    expect(await runInDurableObject(queue(), (_, { storage }) => storage.kv.get("presence"))).toEqual(newer);
  });
});

describe("a handler that nobody uses", () => {
  const lookDaily = async (days: number) => {
    for (let day = 0; day < days; day++) {
      advance(DAY);
      await runDurableObjectAlarm(queue());
    }
  };

  it("is remembered for seven days after the last poll, and then nothing at all is kept", async () => {
    await poll("one");
    await lookDaily(6);
    expect(await lastPollAt()).toBe(NOON);
    await lookDaily(2);
    expect(await isEmpty()).toBe(true);
    expect(await lastPollAt()).toBeNull();
    await poll("two");
    expect(await lastPollAt()).toBe(Date.now());
    expect(await stored()).toBe(Date.now());
  });

  it("is kept while somebody asks, or anything is offered", async () => {
    await poll();
    await lookDaily(6);
    await queue().offer([entry(1)]);
    await queue().remove([entry(1)]);
    await until(
      async () => (await runInDurableObject(queue(), (_, { storage }) => storage.kv.get("registered"))) === Date.now(),
    );
    await lookDaily(7);
    expect(await isEmpty()).toBe(false);
    await lookDaily(1);
    expect(await isEmpty()).toBe(true);
  });
});
