// Queues promise at least once and no order. Whatever they lose, double, swap or delay: no execution is handed out twice.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OfferMessage } from "../../../src/delivery/enqueue.ts";
import worker from "../../../src/index.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { MINUTE, NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { claim } from "../../workerd/pull/worker.ts";
import { BAD_DAYS, pullQueuesAre, sentOffers } from "./harness/pull-queues.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
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

  const claimed = async () => (await claim<{ job_id: string } | null>(account, {})).body.data?.job_id;

  it("delivered three times are handed out once", async () => {
    const { job, offer } = await queuedJob();
    await arrive([offer, offer]);
    expect(await claimed()).toBe(job.id);
    await arrive([offer]);
    expect([await claimed(), await claimed()]).toEqual([undefined, undefined]);
  });

  it("lost are made again after a minute", async () => {
    const { job } = await queuedJob();
    expect(await claimed()).toBeUndefined();
    await job.ringWhenSet();
    await job.ringAt(NOON + MINUTE + SECOND);
    expect(await claimed()).toBe(job.id);
  });

  it("a minute late, of a job cancelled meanwhile, hand out nothing", async () => {
    const { job, offer } = await queuedJob();
    await job.cancel();
    setClock(NOON + MINUTE);
    await arrive([offer]);
    expect(await claimed()).toBeUndefined();
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
