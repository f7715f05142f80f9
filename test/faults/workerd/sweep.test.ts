// The sweeper is the net under everything: whatever breaks, it finds within three and a half minutes of its row being
// overdue (within 90 s a row nobody has armed), and it costs next to nothing while all is well.

import { createMessageBatch, createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import type { PokeMessage } from "../../../src/objects/pokes.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { JobUnderTest, newJob, PUSH, unarmedJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { insertMany, insertRows } from "../../workerd/harness/rows.ts";
import { forgetful, pullQueuesAre } from "./harness/pull-queues.ts";
import { recover, sweepNow } from "./harness/recovery.ts";

const LIMIT_MS = 3.5 * MINUTE;
const UNARMED_LIMIT_MS = 90 * SECOND;
/** What a Worker may ask for in one invocation. */
const MAX_SUBREQUESTS = 1_000;

let account: Account;
beforeEach(async () => {
  await env.DB.prepare("DELETE FROM jobs").run();
  account = await newAccount();
});

const losesItsAlarm = ({ owner }: JobUnderTest) => runInDurableObject(owner, (_, { storage }) => storage.deleteAlarm());

const losesEverything = (job: JobUnderTest) => job.wipe();

/** The read model hears what was sent so far. */
const isReported = () => post.deliver();

const PULL = { handler: "work", delivery: { type: "pull" }, timeout: 60 };

/** What broke, and when the row was overdue by then. */
const BREAKAGES: Record<string, () => Promise<{ job: JobUnderTest; overdueAt: number }>> = {
  "a waiting job that lost its alarm": async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await losesItsAlarm(job);
    return { job, overdueAt: NOON + HOUR };
  },
  "a job that waits for its retry and lost its alarm": async () => {
    receiver.answers(500, 200);
    const job = await newJob(account);
    await job.ring();
    await isReported();
    await losesItsAlarm(job);
    return { job, overdueAt: Date.parse((await job.show()).run_at ?? "") };
  },
  "a queued job that lost its alarm and its offer": async () => {
    const job = await newJob(account, PULL);
    const forgets = pullQueuesAre(forgetful);
    await job.ring();
    forgets.end();
    await job.ringWhenSet();
    await isReported();
    await losesItsAlarm(job);
    return { job, overdueAt: NOON + MINUTE };
  },
  "a push in flight whose instance died and whose alarm was lost": async () => {
    const held = receiver.holds();
    const job = await newJob(account);
    const ringing = job.ring().catch(() => {});
    await held.arrived();
    await job.crash();
    await ringing;
    receiver.answers(200);
    await losesItsAlarm(job);
    return { job, overdueAt: NOON };
  },
  "a job whose owner lost everything": async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await losesEverything(job);
    return { job, overdueAt: NOON + HOUR };
  },
};

describe("within three and a half minutes the sweeper brings back", () => {
  it.each(Object.entries(BREAKAGES))("%s", async (_, breaks) => {
    const { job, overdueAt } = await breaks();
    setClock(overdueAt);
    const tookMs = await recover(job);
    const backoffMs = 2 * SECOND;
    expect(tookMs).toBeLessThanOrEqual(LIMIT_MS + backoffMs);
    expect(await job.show()).toMatchObject({ status: "completed" });
  });

  it("an end the read model never heard of, whose owner lost its alarm", async () => {
    const job = await newJob(account);
    await job.ring();
    post.take();
    await losesItsAlarm(job);
    for (let minute = 1; minute <= 3; minute++) {
      setClock(NOON + minute * MINUTE);
      await sweepNow();
      await isReported();
    }
    expect(await job.row()).toMatchObject({ status: "completed", reportDueAt: null });
  });

  it("a row that nobody has armed, within 90 seconds", async () => {
    const job = await unarmedJob(account);
    expect(await recover(job)).toBeLessThanOrEqual(UNARMED_LIMIT_MS);
    expect(receiver.received).toHaveLength(1);
  });
});

describe("10,000 queued jobs that wait for a worker", () => {
  it("cost a sweep two questions to D1, and no object is woken", async () => {
    await insertMany(account, 10_000, { status: "queued", revision: 2, reportDueAt: NOON + 30 * MINUTE });
    const asked = countingEnv();
    await worker.scheduled(createScheduledController(), asked.env);
    expect(asked.objects).toEqual([]);
    expect(asked.batches).toEqual([]);
    expect(logs.of("sweep")).toEqual([]);
    const sweeps = asked.statements.filter((text) => text.includes("report_due_at <="));
    const ahead = asked.statements.filter((text) => /"report_due_at" <= /.test(text));
    expect([sweeps.length, ahead.length]).toEqual([2, 1]);
    for (const text of [...sweeps, ...ahead]) {
      const values = Array(text.match(/\?/g)?.length ?? 0).fill(NOON);
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
        .bind(...values)
        .all<{ detail: string }>();
      expect(results.map(({ detail }) => detail).join()).toMatch(
        /SEARCH \w+ USING (?:COVERING )?INDEX (?:jobs|schedules)_attention/,
      );
    }
  });
});

describe("10,000 overdue rows", () => {
  it("are all asked about by one sweep, within a Worker's limits", async () => {
    await insertMany(account, 10_000, { revision: 0, reportDueAt: NOON });
    const cron = countingEnv();
    await worker.scheduled(createScheduledController(), cron.env);
    expect(cron.objects.length + cron.statements.length + cron.batches.length).toBeLessThan(MAX_SUBREQUESTS);
    expect(cron.statements.length).toBeLessThan(MAX_SUBREQUESTS);
    const poked = new Set(cron.objects);
    for (const batch of cron.batches) {
      expect(batch.length).toBeLessThanOrEqual(100);
      const consumer = countingEnv();
      const messages = batch.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }));
      await worker.queue(createMessageBatch("chronos-snapshots", messages) as MessageBatch<never>, consumer.env);
      expect(consumer.objects.length).toBe(batch.length);
      for (const name of consumer.objects) poked.add(name);
    }
    expect(poked.size).toBe(10_000);
    expect(logs.of("sweep")).toMatchObject([{ kind: "jobs", asked: 10_000, unanswered: 0 }]);
  });

  it("wait for the next minute where the queue takes nothing", async () => {
    await insertMany(account, 1_000, { revision: 0, reportDueAt: NOON });
    const cron = countingEnv({ queueIsDown: true });
    await worker.scheduled(createScheduledController(), cron.env);
    expect(cron.objects).toHaveLength(400);
    setClock(NOON + MINUTE);
    const next = countingEnv();
    await worker.scheduled(createScheduledController(), next.env);
    expect(next.objects.length + next.batches.flat().length).toBe(1_000);
  });
});

it("a poke over the queue arms a row, and one of a newer version is left on it", async () => {
  const [id = ""] = await insertRows(account, [{ revision: 0, scheduledFor: NOON + HOUR, runAt: NOON + HOUR }]);
  const job = new JobUnderTest(account, id);
  const bodies = [
    { kind: "poke", v: 1, accountId: account.id, jobId: id },
    { kind: "poke", v: 2, accountId: account.id, jobId: "another" },
  ];
  const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }));
  const outcomes = messages.map((message) => ({ ...message, ack: vi.fn(), retry: vi.fn() }));
  await worker.queue({ messages: outcomes } as unknown as MessageBatch<never>, env);
  expect(outcomes.map(({ ack, retry }) => [ack.mock.calls.length, retry.mock.calls.length])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(await job.alarm()).toBe(NOON + HOUR);
  expect((await job.show()).delivery).toEqual({ type: "push", http: { ...PUSH.http, headers: {} } });
});

/** The environment with everything an invocation asks for counted; its objects answer and do nothing. */
function countingEnv({ queueIsDown = false } = {}) {
  const objects: string[] = [];
  const statements: string[] = [];
  const batches: PokeMessage[][] = [];
  const owners = { getByName: (name: string) => ({ poke: async () => void objects.push(name) }) };
  const DB = {
    prepare: (text: string) => {
      statements.push(text);
      return env.DB.prepare(text);
    },
    batch: (all: D1PreparedStatement[]) => env.DB.batch(all),
  };
  const sendBatch = async (batch: Iterable<MessageSendRequest<PokeMessage>>) => {
    if (queueIsDown) throw new Error("the queue is down");
    batches.push([...batch].map(({ body }) => body));
  };
  const around = { ...env, DB, JOBS: owners, SNAPSHOTS: { sendBatch } } as unknown as Cloudflare.Env;
  return { env: around, objects, statements, batches };
}
