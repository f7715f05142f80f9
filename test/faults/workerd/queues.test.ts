// Queues promise at least once and no order. Whatever they lose, double, swap or delay: the read model ends at the highest
// revision, and no execution is handed out twice.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OfferMessage } from "../../../src/delivery/enqueue.ts";
import worker from "../../../src/index.ts";
import type { Snapshot } from "../../../src/projection/snapshot.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { MINUTE, NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { Chance } from "../harness/chance.ts";
import { BAD_DAYS, pullQueuesAre, sentOffers } from "./harness/pull-queues.ts";

const SEED = Number(env.FAULTS_SEED || 4);

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** A job that failed twice, was retried by hand and succeeded; with everything it ever sent. */
async function eventfulJob(): Promise<{ job: JobUnderTest; sent: Snapshot[] }> {
  receiver.answers(500, 400, 500, 200);
  const job = await newJob(account);
  await job.ring();
  await job.ringWhenSet();
  await job.retry();
  await job.ringWhenSet();
  await job.ringWhenSet();
  await job.owner.poke(job.ref);
  return { job, sent: post.take() };
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(chance.between(0, left.length - 1), 1));
}

describe("snapshots", () => {
  it(`in any order, lost before the last or doubled, leave the highest revision (seed ${SEED})`, async () => {
    const chance = new Chance(SEED);
    for (let round = 0; round < 12; round++) {
      const { job, sent } = await eventfulJob();
      expect(sent.length).toBeGreaterThanOrEqual(5);
      const last = sent.at(-1) as Snapshot;
      const arriving = sent.slice(0, -1).filter(() => chance.happens(70));
      const doubled = arriving.filter(() => chance.happens(50));
      for (const snapshot of shuffled([...arriving, ...doubled, last], chance)) await post.deliver([snapshot]);
      expect(await job.row()).toMatchObject({ status: "completed", attempt: 4, revision: last.revision });
      const shown = (await job.executions()).map(({ status }) => status);
      expect(shown).toEqual(["failed", "failed", "failed", "completed"]);
      expect((await job.executionRows()).map(({ status }) => status)).toEqual(shown);
    }
  });

  it("all lost but the one sent again after a minute: the end arrives", async () => {
    const job = await newJob(account);
    await job.ring();
    post.take();
    await job.ringWhenSet();
    await post.deliver();
    expect(await job.row()).toMatchObject({ status: "completed" });
  });

  it("of before a manual retry arrive a minute after it and change nothing", async () => {
    receiver.answers(400, 200);
    const job = await newJob(account);
    await job.ring();
    const late = post.take();
    await post.deliver(late);
    await job.retry();
    await job.ringWhenSet();
    await post.deliver();
    setClock(Date.now() + MINUTE);
    await post.deliver(late);
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 2 });
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });
});

describe("offers", () => {
  const PULL = { handler: "work", delivery: { type: "pull" } };

  /** A job whose offer went over the default queue, PullQueue being busy. */
  async function queuedJob(): Promise<{ job: JobUnderTest; offer: OfferMessage }> {
    const offers = sentOffers();
    const busy = pullQueuesAre(BAD_DAYS.busy);
    const job = await newJob(account, PULL);
    await job.ring();
    busy.end();
    return { job, offer: offers[0] as OfferMessage };
  }

  async function arrive(offers: readonly OfferMessage[], around: object = {}) {
    const messages = offers.map((body) => ({ body, ack: vi.fn(), retry: vi.fn() }));
    await worker.queue({ messages } as unknown as MessageBatch<never>, { ...env, ...around });
    return messages.map(({ ack, retry }) =>
      ack.mock.calls.length > 0 ? "ack" : retry.mock.calls.length > 0 ? "retry" : "none",
    );
  }

  const claim = async () =>
    (
      await api<{ job_id: string } | null>("POST", "/v1/worker/jobs/claim", {
        key: account.key,
        body: { handlers: ["work"], wait_time_seconds: 0 },
      })
    ).body.data?.job_id;

  it("delivered three times are handed out once", async () => {
    const { job, offer } = await queuedJob();
    await arrive([offer, offer]);
    expect(await claim()).toBe(job.id);
    await arrive([offer]);
    expect([await claim(), await claim()]).toEqual([undefined, undefined]);
  });

  it("lost are made again after a minute", async () => {
    const { job } = await queuedJob();
    expect(await claim()).toBeUndefined();
    await job.ringWhenSet();
    await job.ringAt(NOON + MINUTE + SECOND);
    expect(await claim()).toBe(job.id);
  });

  it("a minute late, of a job cancelled meanwhile, hand out nothing", async () => {
    const { job, offer } = await queuedJob();
    await job.cancel();
    setClock(NOON + MINUTE);
    await arrive([offer]);
    expect(await claim()).toBeUndefined();
    expect(await job.show()).toMatchObject({ status: "cancelled", attempts: 0 });
  });

  it.each([
    ["does not answer", () => Promise.reject(new Error("overloaded"))],
    ["is busy", async () => "busy"],
  ])("whose PullQueue %s go back to the queue, and no others", async (_, answers) => {
    const { offer } = await queuedJob();
    const other = { ...offer, accountId: (await newAccount()).id };
    const queues = {
      getByName: (name: string) =>
        name === `${other.accountId}/work` ? { offer: () => answers() } : env.PULL_QUEUES.getByName(name),
    };
    expect(await arrive([offer, other], { PULL_QUEUES: queues })).toEqual(["ack", "retry"]);
  });
});
