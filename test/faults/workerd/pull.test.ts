// Between a due pull job and its worker stand its owner, a PullQueue, a queue and a route. Whichever is busy, silent, late,
// forgetful or dies: the job is handed to one worker, and only a wait is lost.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OfferMessage } from "../../../src/delivery/enqueue.ts";
import worker from "../../../src/index.ts";
import { NOMINATION_MS } from "../../../src/objects/pull-queue/nominations.ts";
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
