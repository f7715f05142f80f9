// Messages outlive what they speak of. Each that can come late meets each fate a job can have had meanwhile: nothing is
// delivered again, and what the account is shown does not change.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OfferMessage } from "../../../src/delivery/enqueue.ts";
import { type Job, specOf } from "../../../src/domain/job.ts";
import { KEEP_MS, STALE_ARM_MS } from "../../../src/domain/timer.ts";
import worker from "../../../src/index.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import { changeRow, claimRow } from "../../../src/store/jobs-store.ts";
import { askedOf, type JobReport } from "../../../src/store/report.ts";
import { type JobRow, rowOfSpec } from "../../../src/store/rows.ts";
import { jsonText } from "../../harness/json-text.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { advance, DAY, iso, MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob, unarmedJob } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { factsAt, reportAt } from "../../workerd/harness/reports.ts";
import { eventJobs, newWebhook, typesOf } from "../../workerd/webhooks/webhook.ts";
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
  readonly reports: readonly JobReport[];
  readonly offers: readonly OfferMessage[];
  /** The execution a worker could have had. */
  readonly executionId: string;
}

const LATE: Record<string, (underway: Underway) => Promise<unknown>> = {
  wake: ({ job }) => job.owner.wake(job.ref),
  report: ({ reports }) => post.deliver(reports),
  "report of its first state": ({ job }) =>
    post.deliver([reportAt(job, 1, { facts: factsAt(1, { status: "pending", attempt: 0 }) })]),
  "offer over the queue": ({ offers }) => Promise.all(offers.map(consume)),
  offer: ({ offers }) => Promise.all(offers.map((one) => queueOf(one).offer([one]))),
  "entry that its claim gives back": ({ offers }) => Promise.all(offers.map((one) => queueOf(one).giveBack([one]))),
  "lease of its first execution": ({ job, executionId }) => job.owner.lease(job.ref, executionId, null),
  "release of its lease": ({ job, executionId }) => job.owner.release(executionId),
  "heartbeat of its first execution": ({ job, executionId }) =>
    job.owner.heartbeat(job.ref, executionId, jsonText({ late: true })),
  alarm: ({ job }) => job.ring(),
  "edit, laid over the job as it was armed": ({ job, armed }) =>
    job.owner.edit(job.ref, { ...specOf(armed), name: "late", retimed: false }, armed.revision),
  replacement: ({ job, armed }) =>
    job.owner.edit(job.ref, { ...specOf(armed), name: "late", scheduledFor: NOON + DAY, retimed: true }, null),
  "change of its row, made when it had no owner": ({ job, armed }) =>
    changeRow(directoryOf(env), job.ref, 0, { ...armed, name: "late", revision: 2 }, NOON - DAY),
  "word of an owner that takes it up": async ({ job, armed }) =>
    claimRow(directoryOf(env), job.ref, { ...rowOfSpec(armed), revision: 0 } as JobRow),
  "report of an edit": ({ job, armed }) =>
    post.deliver([
      reportAt(job, 1, {
        facts: factsAt(1, { status: "pending", attempt: 0 }),
        asked: { ...askedOf(armed), name: "late" },
      }),
    ]),
  run: ({ job }) => job.owner.run(job.ref),
  cancellation: ({ job }) => job.owner.cancel(job.ref),
  "word that another has its key": ({ job }) => job.owner.dropKey(job.ref),
  "deletion on the condition of its first revision": ({ job }) => job.owner.remove(job.ref, 1),
  sweep: async () => {
    advance(10 * MINUTE);
    await sweepNow();
  },
};

/** An arm is sent once, within moments of the insert. It is late when its job has been made from the row meanwhile. */
const LATE_ARMS: Record<string, number> = {
  "moments after it was sent": 0,
  "just before it would no longer be believed": STALE_ARM_MS,
  "just after that": STALE_ARM_MS + 1,
  "when its state could have been let go": KEEP_MS,
  "after an hour": 60 * MINUTE,
};

const FATES: Record<string, (job: JobUnderTest) => Promise<void>> = {
  completed: finish,
  cancelled: async (job) => void (await job.cancel()),
  "completed, and could not report": async (job) => {
    post.stop();
    await finish(job);
    post.goOn();
  },
  "cancelled, and could not report": async (job) => {
    post.stop();
    await job.cancel();
    post.goOn();
  },
  "edited and completed": async (job) => {
    await job.edit({ name: "edited" });
    await finish(job);
  },
  "edited unheard, and completed": async (job) => {
    post.stop();
    await job.edit({ name: "edited" });
    post.goOn();
    await finish(job);
  },
  "left to expire": async (job) => {
    await job.edit({ expires_after: { value: 1, unit: "second" }, scheduled_for: iso(NOON + 2 * SECOND) });
    if ((await job.show()).status !== "pending") await job.cancel(); // a worker's job waits for one by now
    await job.ringAt(NOON + 3 * SECOND);
  },
  "cancelled, retried by hand and completed": async (job) => {
    await job.cancel();
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
  const isPull = body.handler !== undefined;
  const busy = pullQueuesAre(async () => "busy");
  if (isPull) await job.ring();
  busy.end();
  expect(offers).toHaveLength(isPull ? 1 : 0);
  await job.owner.wake(job.ref);
  await until(() => post.sent.length > 0);
  const executionId = (await stateOf(job))?.executions[0]?.id ?? "";
  return { job, armed, reports: post.takeJobs(), offers: [...offers], executionId };
}

/** Comes to its end: its push is answered, or a worker takes and completes it. */
async function finish(job: JobUnderTest): Promise<void> {
  await job.ring();
  const [execution] = (await job.executions()).slice(-1);
  const start = { execution_id: execution?.id };
  await api("POST", `/v1/worker/jobs/${job.id}/start`, { key: account.key, body: start });
  await api("POST", `/v1/worker/jobs/${job.id}/complete`, { key: account.key, body: start });
}

/** Its end has reached the read model, and its owner holds nothing any more. */
async function isForgotten(job: JobUnderTest): Promise<void> {
  for (let ring = 0; ring < 5; ring++) {
    const at = await job.alarm();
    if (at !== null) await job.ringAt(Math.max(at, Date.now()));
  }
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

/** Nothing runs that has ended, and the account is shown what it was shown before. */
async function changesNothing(job: JobUnderTest, comesLate: () => Promise<unknown>): Promise<void> {
  const shown = await job.show();
  const executions = await job.executions();
  const deliveries = receiver.received.length;
  await comesLate();
  expect(await claimNow()).toBeNull();
  expect(await job.show()).toEqual(shown);
  await isForgotten(job);
  expect(await job.show()).toEqual(shown);
  expect(await job.executions()).toEqual(executions);
  expect(await job.row()).toMatchObject({ status: shown.status, reportDueAt: null });
  expect(receiver.received.length).toBe(deliveries);
  await isAnnouncedOnce(job, shown.status);
}

/** Each of its ends has one event, whatever has come late. */
async function isAnnouncedOnce(job: JobUnderTest, status: string): Promise<void> {
  const events = await eventJobs(account, `&tag=job:${job.id}`);
  const ends = events.map(({ name, created_at }) => `${name} ${created_at}`);
  expect(new Set(ends).size).toBe(ends.length);
  expect(typesOf(events).filter((type) => type === `job.${status}`)).toHaveLength(1);
}

describe.each(Object.entries(BODIES))("of a %s job", (_, body) => {
  beforeEach(async () => {
    await newWebhook(account, "job.completed", "job.failed", "job.cancelled", "job.recovered");
  });

  describe.each(Object.entries(FATES))("that was %s meanwhile", (_, meetsItsFate) => {
    it.each(Object.entries(LATE))("a late %s changes nothing", async (_, comesLate) => {
      const before = await underway(body);
      await meetsItsFate(before.job);
      await changesNothing(before.job, () => comesLate(before));
    });

    it.each(Object.entries(LATE_ARMS))("an arm that arrives %s changes nothing", async (_, lateMs) => {
      const { armed: spec } = await underway(body);
      const job = await unarmedJob(account, body);
      await job.owner.wake(job.ref); // the arm is under way, the sweeper was quicker
      await meetsItsFate(job);
      if (lateMs >= KEEP_MS) await isForgotten(job);
      setClock(NOON + lateMs);
      await changesNothing(job, () => job.owner.arm({ ...specOf(spec), id: job.id }, null));
    });
  });
});

describe("a job made from its row", () => {
  it("is kept after its confirmed end as long as its arm would be believed, and then forgotten", async () => {
    const job = await unarmedJob(account);
    await job.owner.wake(job.ref);
    await job.ring();
    expect(await job.row()).toMatchObject({ status: "completed" });
    expect(await job.isEmpty()).toBe(false);
    expect(await job.alarm()).toBe(NOON + KEEP_MS);
    await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(true);
    expect(KEEP_MS).toBeGreaterThan(STALE_ARM_MS);
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
    let isMet = false;
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const isDeletion = JSON.stringify(statements).includes('delete from \\"jobs\\"');
      if (isDeletion && !isMet) {
        isMet = true;
        expect((await job.retry()).status).toBe(200);
      }
      return batch<never>(statements);
    });
    for (let minute = 0; !isMet && minute < 60; minute++) {
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
      expect(await job.row()).toMatchObject({ status: "completed", attempt: 2 });
    } else {
      expect([retried.status, await job.row(), await job.isEmpty()]).toEqual([404, undefined, true]);
    }
  });
});
