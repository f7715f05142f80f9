// The waiting room itself: what waits is nominated once, oldest due first; what is over to nobody; and nothing stays for ever.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { NOMINATION_MS } from "../../../src/objects/pull-queue/nominations.ts";
import { ENTRY_LIFE_MS, MAX_UNWRITTEN, type PullQueue } from "../../../src/objects/pull-queue/pull-queue.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, HOUR, hurry, NOON, setClock, until } from "../harness/clock.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const queue = () => env.PULL_QUEUES.getByName(`${account.id}/h`);
const entry = (n: number) => ({ jobId: `job ${n}`, executionId: `execution ${n}`, dueAt: NOON + n });
const entries = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
const nominate = (most = 1, waitMs = 0, pollId = "a poll") => queue().nominate(pollId, most, waitMs);
const isStored = ({ storage }: DurableObjectState) =>
  storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").toArray().length > 0;
const count = (state: DurableObjectState) =>
  isStored(state) ? state.storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM waiting").one().n : 0;
const rows = () => runInDurableObject(queue(), (_, state) => count(state));

describe("what waits", () => {
  it("is nominated oldest due first, so many as are asked for, and to one poll only", async () => {
    await queue().offer([entry(3), entry(1), entry(2)]);
    expect(await queue().dueTimes(2)).toEqual([NOON + 1, NOON + 2]);
    expect(await nominate(2)).toEqual(entries(1, 2));
    expect(await queue().dueTimes(2)).toEqual([NOON + 3]);
    expect([await nominate(2), await nominate(2)]).toEqual([[entry(3)], []]);
  });

  it("offered again is nominated once", async () => {
    for (const _ of [1, 2, 3]) await queue().offer([entry(1)]);
    expect(await nominate(9)).toEqual([entry(1)]);
    await queue().offer([entry(1)]);
    expect(await nominate(9)).toEqual([]);
  });

  it("outlives its instance", async () => {
    await queue().offer(entries(1, 3));
    await evictDurableObject(queue());
    expect(await nominate(9)).toEqual(entries(1, 3));
  });
});

describe("a nomination of which nothing is heard", () => {
  it("lapses after 10 seconds and not a millisecond earlier", async () => {
    await queue().offer([entry(1)]);
    await nominate();
    advance(NOMINATION_MS - 1);
    expect(await nominate()).toEqual([]);
    advance(1);
    expect(await nominate()).toEqual([entry(1)]);
  });

  it("is never first again: what nobody has had goes before it", async () => {
    await queue().offer(entries(1, 3));
    await nominate();
    advance(NOMINATION_MS);
    expect([await nominate(), await nominate(), await nominate()]).toEqual([[entry(2)], [entry(3)], [entry(1)]]);
  });

  it("is left alone for twice as long each time", async () => {
    await queue().offer([entry(1)]);
    for (const doubled of [1, 2, 4]) {
      expect(await nominate()).toEqual([entry(1)]);
      advance(doubled * NOMINATION_MS - 1);
      expect(await nominate()).toEqual([]);
      advance(1);
    }
  });

  it("given back is free at once, as if nobody had had it", async () => {
    await queue().offer(entries(1, 2));
    const given = await nominate();
    await queue().giveBack(given);
    expect(await nominate(2)).toEqual(entries(1, 2));
  });
});

describe("a poll that waits", () => {
  it("is handed what is offered without a row being written, and nobody else is", async () => {
    const [first, second] = [nominate(1, 5_000, "first"), nominate(2, 5_000, "second")];
    await queue().dueTimes(1); // it has arrived by then
    expect(await queue().offer(entries(1, 4))).toBe("taken");
    expect(await Promise.all([first, second])).toEqual([[entry(1)], entries(2, 3)]);
    expect(await rows()).toBe(1);
    await queue().remove(entries(1, 3));
    expect([await nominate(9), await rows()]).toEqual([[entry(4)], 1]);
  });

  it("and says nothing of what it was handed: that waits with a row when the nomination lapses", async () => {
    hurry();
    const poll = nominate(1, 500_000);
    await queue().dueTimes(1); // it has arrived by then
    await queue().offer([entry(1)]);
    expect(await poll).toEqual([entry(1)]);
    expect(await rows()).toBe(0);
    advance(NOMINATION_MS);
    await until(async () => (await rows()) === 1);
    expect(await nominate()).toEqual([entry(1)]);
  });

  it("is given what another one gives back", async () => {
    await queue().offer([entry(1)]);
    const given = await nominate();
    const poll = nominate(1, 5_000, "another");
    await queue().dueTimes(1); // it has arrived by then
    await queue().giveBack(given);
    expect(await poll).toEqual([entry(1)]);
  });

  it("is let go when it is left, and takes nothing that is offered later", async () => {
    const poll = nominate(1, 5_000);
    await queue().dueTimes(1); // it has arrived by then
    await queue().leave("a poll");
    expect(await poll).toEqual([]);
    await queue().offer([entry(1)]);
    expect(await nominate()).toEqual([entry(1)]);
  });
});

describe("what is over", () => {
  /** How many rows stand right after these are over. */
  const over = (some: readonly ReturnType<typeof entry>[]) =>
    runInDurableObject(queue(), (room, state) => {
      void room.remove(some);
      return count(state);
    });

  it("is nominated to nobody, whether its row still stands or not", async () => {
    await queue().offer(entries(1, 2));
    expect(await over([entry(1)])).toBe(2);
    expect(await nominate()).toEqual([entry(2)]);
    await until(async () => (await rows()) === 1);
    expect(await nominate()).toEqual([]);
  });

  it("may come with the next call", async () => {
    await queue().offer(entries(1, 2));
    await nominate();
    expect(await queue().nominate("a poll", 9, 0, [entry(1)])).toEqual([entry(2)]);
    await until(async () => (await rows()) === 1);
  });

  it("goes together: a hundred rows in one commit", async () => {
    await queue().offer(entries(0, 99));
    expect(await over(entries(1, 99))).toBe(100);
    const seen = new Set<number>();
    await until(async () => seen.add(await rows()).has(1));
    expect([...seen].filter((n) => n !== 100)).toEqual([1]);
  });

  it("is nominated again by an instance that has forgotten it, for a lease to refuse", async () => {
    await queue().offer(entries(1, 2));
    await queue().remove([entry(1)]);
    await evictDurableObject(queue());
    expect([await nominate(), await nominate(), await nominate()]).toEqual([[entry(1)], [entry(2)], []]);
  });

  it("and is given back all the same waits again", async () => {
    await queue().offer([entry(1)]);
    await queue().remove([entry(1)]);
    await queue().giveBack([entry(1)]);
    expect(await nominate()).toEqual([entry(1)]);
    await until(async () => (await rows()) === 1);
  });
});

describe("when there is too much at once", () => {
  it("the answer is `busy` and not a fault, and nothing of what was refused is kept", async () => {
    const most = entries(1, MAX_UNWRITTEN);
    const together = (object: PullQueue) => Promise.all([object.offer(most), object.offer([entry(0)])]);
    const answers = await runInDurableObject(queue(), together);
    expect(answers).toEqual(["taken", "busy"]);
    expect(await rows()).toBe(MAX_UNWRITTEN);
    expect(await queue().offer([entry(0)])).toBe("taken");
    expect(await nominate()).toEqual([entry(0)]);
  });

  it("a hundred owners that offer at once are all taken", async () => {
    const answers = await Promise.all(entries(1, 100).map((one) => queue().offer([one])));
    expect(new Set(answers)).toEqual(new Set(["taken"]));
    expect(await rows()).toBe(100);
  });
});

describe("the daily look", () => {
  const alarm = () => runInDurableObject(queue(), (_, { storage }) => storage.getAlarm());
  const ringWhenSet = async () => {
    const at = await alarm();
    if (at === null) return;
    setClock(at);
    await runDurableObjectAlarm(queue());
  };

  it("is set with the first entry, and not set anew by those that follow", async () => {
    await queue().offer([entry(1)]);
    expect(await alarm()).toBe(NOON + ENTRY_LIFE_MS);
    advance(HOUR);
    await evictDurableObject(queue());
    await queue().offer([entry(2)]);
    expect(await alarm()).toBe(NOON + ENTRY_LIFE_MS);
  });

  it("removes what no owner has offered for a day, keeps what one has, and leaves nothing at all in the end", async () => {
    await queue().offer(entries(1, 2));
    for (let hour = 1; hour < 24; hour++) {
      advance(HOUR);
      await queue().offer([entry(2)]);
    }
    advance(HOUR);
    await runDurableObjectAlarm(queue());
    expect(await rows()).toBe(1);
    for (let day = 0; day < 9; day++) await ringWhenSet();
    expect(await runInDurableObject(queue(), (_, state) => isStored(state))).toBe(false);
    expect(await alarm()).toBeNull();
  });

  it("of an object whose entries are all over, and that nobody uses for a week, deletes it; what is offered afterwards waits as ever", async () => {
    await queue().offer([entry(1)]);
    await queue().remove([entry(1)]);
    for (let day = 0; day < 9; day++) await ringWhenSet();
    expect(await runInDurableObject(queue(), (_, state) => isStored(state))).toBe(false);
    await queue().offer([entry(2)]);
    expect([await nominate(9), await alarm()]).toEqual([[entry(2)], Date.now() + ENTRY_LIFE_MS]);
  });
});

it("an object that nobody offers anything, and nobody polls, stays empty", async () => {
  await queue().view();
  await queue().remove([entry(1)]);
  await queue().leave("a poll");
  expect(await runInDurableObject(queue(), (_, state) => isStored(state))).toBe(false);
});
