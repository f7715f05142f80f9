// Between a due pull job and its worker stand its owner, a PullQueue, a queue and a route. Whichever is busy, silent, late,
// forgetful or dies: the job is handed to one worker, and only a wait is lost.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OfferMessage } from "../../../src/delivery/enqueue.ts";
import worker from "../../../src/index.ts";
import { NOMINATION_MS } from "../../../src/objects/pull-queue/nominations.ts";
import { PRESENCE_LAG_MS } from "../../../src/objects/pull-queue/presence.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { advance, hurry, MINUTE, NOON, SECOND, until } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { type Claimed, claim } from "../../workerd/pull/worker.ts";
import { BAD_DAYS, forgetful, pullQueuesAre, sentOffers } from "./harness/pull-queues.ts";

const PULL = { handler: "work", delivery: { type: "pull" }, timeout: 3_600 };

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const queue = () => env.PULL_QUEUES.getByName(`${account.id}/work`);
const pullJob = () => newJob(account, PULL);
const claimed = async () => (await claim(account, { max_jobs: 9 })).body.data;
const idsOf = (all: readonly Claimed[]) => all.map(({ job_id }) => job_id);

async function deliver(offers: readonly OfferMessage[]): Promise<void> {
  const messages = offers.map((body) => ({ body, ack: () => {}, retry: () => {} }));
  await worker.queue({ messages } as unknown as MessageBatch<never>, env);
}

/** It is completed, and was handed to nobody else. */
async function isDoneOnce(job: JobUnderTest, all: readonly Claimed[]): Promise<void> {
  expect(idsOf(all)).toEqual([job.id]);
  expect(await claimed()).toEqual([]);
  const body = { execution_id: all[0]?.execution_id };
  expect((await api("POST", `/v1/worker/jobs/${job.id}/complete`, { key: account.key, body })).status).toBe(200);
  expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  advance(20 * NOMINATION_MS);
  expect(await claimed()).toEqual([]);
}

describe("a PullQueue that is well", () => {
  it("is told by one call, and the default queue of nothing", async () => {
    const sent = sentOffers();
    let calls = 0;
    const day = pullQueuesAre((real) => {
      calls += 1;
      return real();
    });
    const job = await pullJob();
    await job.ring();
    day.end();
    expect([calls, sent]).toEqual([1, []]);
    await isDoneOnce(job, await claimed());
  });
});

describe.each(Object.entries(BAD_DAYS))("a PullQueue that is %s", (_, answering) => {
  it("leaves the offer to the default queue, and the job is handed out once", async () => {
    const hurried = hurry();
    const sent = sentOffers();
    const job = await pullJob();
    const day = pullQueuesAre(answering);
    await job.ring();
    day.end();
    hurried.end();
    expect(sent).toMatchObject([{ kind: "offer", accountId: account.id, jobId: job.id, handler: "work" }]);
    await deliver(sent);
    await isDoneOnce(job, await claimed());
    await deliver(sent);
    expect(await claimed()).toEqual([]);
  });

  it("while the default queue is down: the owner offers again after 30 s", async () => {
    const hurried = hurry();
    vi.spyOn(env.EXECUTIONS, "send").mockRejectedValue(new Error("the queue is down"));
    const job = await pullJob();
    const day = pullQueuesAre(answering);
    await job.ring();
    day.end();
    hurried.end();
    await job.ringWhenSet();
    await job.ringAt(NOON + 30 * SECOND);
    await isDoneOnce(job, await claimed());
  });
});

it("a PullQueue that forgets what it took, and the offer is made again after a minute", async () => {
  const job = await pullJob();
  const day = pullQueuesAre(forgetful);
  await job.ring();
  day.end();
  expect(await claimed()).toEqual([]);
  await job.ringWhenSet();
  await job.ringAt(NOON + MINUTE);
  await isDoneOnce(job, await claimed());
});

describe("between nomination and lease", () => {
  it("the route dies: the entry lapses, and the next claim has the job", async () => {
    const job = await pullJob();
    await job.ring();
    expect(await queue().nominate("dies", 1, 0)).toHaveLength(1);
    expect(await claimed()).toEqual([]);
    advance(NOMINATION_MS);
    await isDoneOnce(job, await claimed());
  });

  it("the PullQueue dies: it nominates twice, and one has the lease", async () => {
    const job = await pullJob();
    await job.ring();
    const [first] = await queue().nominate("the first", 1, 0);
    await evictDurableObject(queue());
    const [second] = await queue().nominate("the second", 1, 0);
    expect(second).toEqual(first);
    const lease = () => job.owner.lease(job.ref, first?.executionId ?? "", null);
    const leases = [await lease(), await lease()];
    expect(leases).toMatchObject([{ ok: true }, { ok: false, error: { code: "lease_lost" } }]);
  });

  it("the PullQueue dies with an entry that it had handed over without a row: its owner offers again after a minute", async () => {
    const job = await pullJob();
    const poll = queue().nominate("dies, too", 1, 20_000);
    await queue().dueTimes(1);
    await job.ring();
    expect(await poll).toMatchObject([{ jobId: job.id }]);
    await job.crash();
    advance(NOMINATION_MS);
    expect(await claimed()).toEqual([]);
    await job.ringWhenSet();
    await job.ringAt(NOON + MINUTE);
    await isDoneOnce(job, await claimed());
  });

  it("the job is cancelled: nobody has it, and its neighbour is handed out in the same claim", async () => {
    const [job, neighbour] = [await pullJob(), await pullJob()];
    await job.ring();
    const [entry] = await queue().nominate("slow", 1, 0);
    await job.cancel();
    advance(1);
    await neighbour.ring();
    await queue().giveBack(entry ? [entry] : []);
    expect(idsOf((await claim(account, { max_jobs: 1 })).body.data)).toEqual([neighbour.id]);
    expect(await job.show()).toMatchObject({ status: "cancelled", attempts: 0 });
  });
});

describe("after the lease", () => {
  it("the removal is lost: the entry lapses, its lease is refused, and it goes", async () => {
    const job = await pullJob();
    await job.ring();
    const [entry] = await queue().nominate("dies", 1, 0);
    await job.owner.lease(job.ref, entry?.executionId ?? "", null);
    advance(NOMINATION_MS);
    expect(await claimed()).toEqual([]);
    await until(async () => (await queue().nominate("looks", 1, 0)).length === 0);
    advance(20 * NOMINATION_MS);
    expect(await queue().nominate("looks", 1, 0)).toEqual([]);
    expect(await job.show()).toMatchObject({ status: "running", attempts: 1 });
  });
});

describe("who asks for a handler", () => {
  const reasonOf = async (job: JobUnderTest) =>
    (await api<{ waiting_on: { reason: string } }>("GET", `/v1/jobs/${job.id}`, { key: account.key })).body.data
      .waiting_on.reason;
  const poll = (worker_id = "one") => claim(account, { worker_id });
  const seen = async () => (await queue().view()).workers.map(({ workerId }) => workerId);
  const presenceRows = () =>
    runInDurableObject(queue(), (_, { storage }) => [...storage.kv.list({ prefix: "presence" })].length);

  it("is known after the PullQueue died between a poll and its write: nobody is declared gone before a minute", async () => {
    await poll();
    advance(PRESENCE_LAG_MS - 1);
    await poll("two"); // written by nobody
    const job = await pullJob();
    await job.ring();
    await evictDurableObject(queue());
    advance(MINUTE - 1);
    expect(await reasonOf(job)).toBe("waiting_for_worker");
    advance(2);
    expect(await reasonOf(job)).toBe("no_worker");
    expect(await seen()).toEqual(["one"]);
  });

  it("is known after all instances died in the middle of a poll", async () => {
    const waiting = queue().nominate("dies, too", 1, 20_000, [], "one");
    await queue().dueTimes(1);
    const job = await pullJob();
    await Promise.allSettled([waiting, job.crash()]);
    await job.ring();
    expect(await reasonOf(job)).toBe("waiting_for_worker");
    advance(MINUTE + PRESENCE_LAG_MS);
    expect(await reasonOf(job)).toBe("no_worker");
  });

  it("does not change by calls that are repeated or come late", async () => {
    await poll();
    advance(MINUTE);
    for (const _ of [1, 2]) {
      await queue().leave("a poll of an hour ago");
      await queue().remove([{ jobId: "j", executionId: "e", dueAt: NOON }]);
      await queue().giveBack([]);
      await queue().view();
    }
    expect((await queue().view()).lastPollAt).toBe(NOON);
    await poll();
    await poll();
    expect(await queue().view()).toMatchObject({ lastPollAt: NOON + MINUTE, workers: [{ workerId: "one" }] });
    expect(await presenceRows()).toBe(1);
  });

  it("is nobody's concern when its write is lost: polls and offers go on", async () => {
    await runInDurableObject(queue(), (_, { storage }) => {
      vi.spyOn(storage, "put").mockImplementation(() => Promise.reject(new Error("the disk is full")));
    });
    await poll();
    const job = await pullJob();
    await job.ring();
    await isDoneOnce(job, await claimed());
  });

  it("an account's list of handlers names it once, however often its PullQueue died before it had noted that", async () => {
    for (let death = 0; death < 3; death++) {
      await poll();
      await runInDurableObject(queue(), (_, { storage }) => storage.kv.delete("registered"));
      await evictDurableObject(queue());
    }
    const { data } = (await api<{ handler: string }[]>("GET", "/v1/handlers", { key: account.key })).body;
    expect(data.map(({ handler }) => handler)).toEqual(["work"]);
  });
});

it("a batch half of whose owners do not answer hands out the other half, and that half when they are back", async () => {
  const jobs: JobUnderTest[] = [];
  for (let n = 0; n < 6; n++) {
    const job = await pullJob();
    await job.ring();
    jobs.push(job);
    advance(1);
  }
  const silent = new Set(jobs.filter((_, n) => n % 2 === 0).map(({ id }) => `${account.id}/${id}`));
  const broken = { lease: () => Promise.reject(new Error("the object was reset")) };
  const JOBS = { getByName: (name: string) => (silent.has(name) ? broken : env.JOBS.getByName(name)) };
  const half = (await claim(account, { max_jobs: 6 }, { JOBS })).body.data;
  expect(idsOf(half)).toEqual(jobs.filter((_, n) => n % 2 === 1).map(({ id }) => id));
  expect(await claimed()).toEqual([]);
  advance(NOMINATION_MS);
  expect(idsOf(await claimed())).toEqual(jobs.filter((_, n) => n % 2 === 0).map(({ id }) => id));
});
