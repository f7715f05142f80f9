// Messages outlive what they speak of. Each that can come late meets each fate a job can have had meanwhile: nothing is
// delivered again, and what the account is shown does not change.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OfferMessage } from "../../../src/delivery/enqueue.ts";
import type { Job } from "../../../src/domain/job.ts";
import worker from "../../../src/index.ts";
import type { Snapshot } from "../../../src/projection/snapshot.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { advance, DAY, MINUTE, NOON, setClock } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { pullQueuesAre, sentOffers } from "./harness/pull-queues.ts";
import { stateOf, sweepNow } from "./harness/recovery.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** What was on its way before the job met its fate. */
interface Underway {
  readonly job: JobUnderTest;
  readonly armed: Job;
  readonly snapshots: readonly Snapshot[];
  readonly offers: readonly OfferMessage[];
}

const LATE: Record<string, (underway: Underway) => Promise<unknown>> = {
  arm: ({ job, armed }) => job.owner.arm(armed, null),
  poke: ({ job }) => job.owner.poke(job.ref),
  "poke over the queue": ({ job }) => consume({ kind: "poke", v: 1, ...job.ref }),
  "take-up": ({ job }) => job.owner.takeUp(job.ref),
  "take-up over the queue": ({ job }) => consume({ kind: "take_up", v: 1, jobs: [job.ref] }),
  snapshot: ({ snapshots }) => post.deliver(snapshots),
  "offer over the queue": ({ offers }) => Promise.all(offers.map(consume)),
  offer: ({ offers }) => Promise.all(offers.map((one) => queueOf(one).offer([one]))),
  "entry that its claim gives back": ({ offers }) => Promise.all(offers.map((one) => queueOf(one).giveBack([one]))),
  "lease of a nomination": ({ job, offers }) =>
    Promise.all(offers.map(({ executionId }) => job.owner.lease(job.ref, executionId, "late"))),
  "receipt of an old revision": ({ job }) => job.owner.confirm(1, 99),
  "release of its lease": ({ job, armed }) => job.owner.release(armed.id),
  alarm: ({ job }) => job.ring(),
  sweep: async () => {
    advance(10 * MINUTE);
    await sweepNow();
  },
};

const FATES: Record<string, (job: JobUnderTest) => Promise<void>> = {
  completed: async (job) => {
    await finish(job);
  },
  cancelled: async (job) => void (await job.cancel()),
  "completed and confirmed": async (job) => {
    await finish(job);
    await post.deliver();
  },
  "cancelled and confirmed": async (job) => {
    await job.cancel();
    await post.deliver();
  },
  "completed and forgotten": async (job) => {
    await finish(job);
    await isForgotten(job);
  },
  "cancelled and forgotten": async (job) => {
    await job.cancel();
    await isForgotten(job);
  },
  "cancelled, retried by hand and completed": async (job) => {
    await job.cancel();
    await isForgotten(job);
    await job.retry();
    await finish(job);
  },
};

const BODIES = {
  push: {},
  pull: { handler: "work", delivery: { type: "pull" } },
};

async function underway(body: Record<string, unknown>): Promise<Underway> {
  const offers = sentOffers();
  const job = await newJob(account, body);
  const armed = await stateOf(job);
  if (!armed) throw new Error("not armed");
  await job.owner.poke(job.ref);
  const isPull = body.handler !== undefined;
  const busy = pullQueuesAre(async () => "busy");
  if (isPull) await job.ring();
  busy.end();
  expect(offers).toHaveLength(isPull ? 1 : 0);
  return { job, armed, snapshots: post.take(), offers };
}

/** Comes to its end: its push is answered, or a worker takes and completes it. */
async function finish(job: JobUnderTest): Promise<void> {
  await job.ring();
  const [execution] = (await job.executions()).slice(-1);
  const start = { execution_id: execution?.id };
  await api("POST", `/v1/worker/jobs/${job.id}/start`, { key: account.key, body: start });
  await api("POST", `/v1/worker/jobs/${job.id}/complete`, { key: account.key, body: start });
}

async function isForgotten(job: JobUnderTest): Promise<void> {
  await post.deliver();
  setClock(NOON + MINUTE);
  await job.ring();
  expect(await job.isEmpty()).toBe(true);
}

const consume = (body: unknown) =>
  worker.queue({ messages: [{ body, ack: () => {}, retry: () => {} }] } as unknown as MessageBatch<never>, env);

const queueOf = ({ accountId, handler }: OfferMessage) => env.PULL_QUEUES.getByName(`${accountId}/${handler}`);

const claimNow = async () =>
  (
    await api("POST", "/v1/worker/jobs/claim", {
      key: account.key,
      body: { handlers: ["work"], wait_time_seconds: 0 },
    })
  ).body.data;

describe.each(Object.entries(BODIES))("of a %s job", (_, body) => {
  describe.each(Object.entries(FATES))("that was %s meanwhile", (_, meetsItsFate) => {
    it.each(Object.entries(LATE))("a late %s changes nothing", async (_, comesLate) => {
      const before = await underway(body);
      const { job } = before;
      await meetsItsFate(job);
      const shown = await job.show();
      const deliveries = receiver.received.length;
      await comesLate(before);
      await job.ring();
      await post.deliver();
      expect(await claimNow()).toBeNull();
      expect(await job.show()).toEqual(shown);
      expect(await job.row()).toMatchObject({ status: shown.status });
      expect(receiver.received.length).toBe(deliveries);
    });
  });
});

describe("a manual retry", () => {
  /** The only job there is, and retention about to walk. */
  async function endedLongAgo(): Promise<JobUnderTest> {
    await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM retention_walk")]);
    receiver.answers(400, 200);
    const job = await newJob(account);
    await job.ring();
    await isForgotten(job);
    setClock(NOON + 31 * DAY);
    return job;
  }

  it("before retention keeps the job, and it runs", async () => {
    const job = await endedLongAgo();
    expect((await job.retry()).status).toBe(200);
    await sweepNow();
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });

  it("after retention finds no job, and leaves none behind", async () => {
    const job = await endedLongAgo();
    for (let minute = 0; (await job.row()) !== undefined && minute < 60; minute++) {
      advance(MINUTE);
      await sweepNow();
    }
    expect((await job.retry()).status).toBe(404);
    expect(await job.isEmpty()).toBe(true);
  });

  it("between retention's look at the row and its deletion keeps the job, and it runs", async () => {
    const job = await endedLongAgo();
    const batch = env.DB.batch.bind(env.DB);
    const deletion = vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      expect((await job.retry()).status).toBe(200);
      return batch<never>(statements);
    });
    for (let minute = 0; deletion.mock.calls.length === 0 && minute < 60; minute++) {
      advance(MINUTE);
      await sweepNow();
    }
    expect(await job.row()).toMatchObject({ status: "pending" });
    await job.ringWhenSet();
    expect(await job.executions()).toMatchObject([{ status: "failed" }, { status: "completed" }]);
  });

  it("at the same moment as retention: either it runs or it is gone, never half of it", async () => {
    const job = await endedLongAgo();
    const [retried] = await Promise.all([job.retry(), sweepNow()]);
    if (retried.status === 200) {
      await job.ringWhenSet();
      await post.deliver();
      expect(await job.row()).toMatchObject({ status: "completed", attempt: 2 });
    } else {
      expect([retried.status, await job.row(), await job.isEmpty()]).toEqual([404, undefined, true]);
    }
  });
});
