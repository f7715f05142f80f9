// The waiting room itself: what is over is nominated to nobody, though its row goes a moment later.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import type { PullQueue } from "../../src/objects/pull-queue.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { NOON, until } from "./harness/clock.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const queue = () => env.PULL_QUEUES.getByName(account.id);
const offer = (n: number) => ({ jobId: `job ${n}`, executionId: `execution ${n}`, handler: "h", dueAt: NOON + n });
const nominate = () => queue().nominate("a poll", ["h"], 0);
const count = ({ storage }: DurableObjectState) =>
  storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM waiting").one().n;
const rows = () => runInDurableObject(queue(), (_, state) => count(state));

/** How many rows stand right after these executions are over. */
const over = (offers: readonly ReturnType<typeof offer>[]) =>
  runInDurableObject(queue(), (room: PullQueue, state) => {
    for (const one of offers) void room.remove(one);
    return count(state);
  });

it("an execution that is over is nominated to nobody, whether its row still stands or not", async () => {
  await queue().add([offer(1), offer(2)]);
  expect(await over([offer(1)])).toBe(2);
  expect(await nominate()).toEqual(offer(2));
  await until(async () => (await rows()) === 1);
  expect(await nominate()).toBeNull();
});

it("the rows of a hundred executions that are over go together", async () => {
  const offers = Array.from({ length: 100 }, (_, n) => offer(n));
  await queue().add(offers);
  expect(await over(offers.slice(1))).toBe(100);
  const seen = new Set<number>();
  await until(async () => seen.add(await rows()).has(1));
  expect([...seen].filter((n) => n !== 100)).toEqual([1]);
});

it("an instance that dies before has forgotten nothing that waits: what is over is nominated again, for a lease to refuse", async () => {
  await queue().add([offer(1), offer(2)]);
  await queue().remove(offer(1));
  await evictDurableObject(queue());
  expect([await nominate(), await nominate(), await nominate()]).toEqual([offer(1), offer(2), null]);
});

it("an execution that is given back after it was over waits again", async () => {
  await queue().add([offer(1)]);
  await queue().remove(offer(1));
  await queue().putBack(offer(1));
  expect(await nominate()).toEqual(offer(1));
  await until(async () => (await rows()) === 1);
});
