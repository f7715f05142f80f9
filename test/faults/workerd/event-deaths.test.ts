// Whoever announces may die at any await of it: the owner of a job at its end, whatever brought that about, and the owner of a
// schedule. Each await is a point in a table, and each is killed once, before and after the call it waits for. Whatever the point:
// each event has exactly one job, it is delivered once, and the list shows the end.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { advance, HOUR, MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { JobUnderTest, newJob, PUSH } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import type { OwnerUnderTest } from "../../workerd/harness/owner.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { newSchedule } from "../../workerd/schedules/schedule.ts";
import { arrivedAt, eventJobs, HOOK, newWebhook, typesOf } from "../../workerd/webhooks/webhook.ts";
import { PlatformAlarm, shortPausesPass } from "./harness/platform.ts";
import { sweepNow } from "./harness/recovery.ts";
import { momentsOf, Tripwire } from "./harness/tripwire.ts";

const ALL = ["job.completed", "job.failed", "job.cancelled", "job.recovered", "schedule.missed", "schedule.completed"];

let account: Account;
const tripwire = new Tripwire("PULL_QUEUES", "PROJECTORS", "JOBS");
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM webhooks")]);
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
  vi.spyOn(env.EXECUTIONS, "send").mockResolvedValue(undefined as never);
});
beforeEach(shortPausesPass);
afterEach(() => tripwire.remove());

/** The alarm rings whenever it is set, until nothing is left to do. */
async function ringToTheEnd(owner: OwnerUnderTest<unknown>, alarm = new PlatformAlarm(owner)): Promise<void> {
  // A report on its way behind an answer may end it between the look and the ring.
  const isGone = async (thrown: unknown) => {
    if ((await owner.alarm()) !== null) throw thrown;
  };
  for (let ring = 0; ring < 20 && (await owner.alarm()) !== null; ring++) await alarm.ring().catch(isGone);
  expect(await owner.alarm()).toBeNull();
}

/** Each of these was announced once, and arrived once. */
async function announcedOnce(types: readonly string[], urls: readonly string[] = [HOOK]): Promise<void> {
  receiver.answers(200);
  const events = await eventJobs(account);
  expect(typesOf(events)).toEqual([...types].sort());
  for (const { id } of events) await ringToTheEnd(new JobUnderTest(account, id));
  const arrived = urls.flatMap(arrivedAt);
  expect(arrived.map(({ headers }) => headers.get("webhook-id")).sort()).toEqual(events.map(({ id }) => id).sort());
  expect((await eventJobs(account)).map(({ status }) => status)).toEqual(types.map(() => "completed"));
  expect(logs.of("alarm_fault")).toEqual([]);
  expect(logs.of("announce_fault")).toEqual([]);
}

/** One ring of an alarm that ends a job. */
interface Scenario {
  readonly name: string;
  readonly body?: Record<string, unknown>;
  readonly webhooks?: readonly string[];
  readonly answers?: readonly number[];
  readonly before?: (job: JobUnderTest) => Promise<unknown>;
  readonly points: readonly string[];
  readonly types: readonly string[];
}

const SIGNING = Array<string>(6).fill("sign");
const CALLBACK = "https://hooks.example.com/callback";

/** The report that is not taken; who asks; the events; their owners; the report that is. */
const ANNOUNCED = ["report", "D1", "D1", "job", "report", "erase"];
const unheard = async (job: JobUnderTest) => {
  post.stop();
  await job.ringWhenSet();
  post.goOn();
};

const SCENARIOS: readonly Scenario[] = [
  { name: "a push that completes", points: ["D1", ...SIGNING, "target", ...ANNOUNCED], types: ["job.completed"] },
  {
    name: "a push that fails for good",
    answers: [400],
    points: ["D1", ...SIGNING, "target", ...ANNOUNCED],
    types: ["job.failed"],
  },
  {
    name: "a job that recovers",
    answers: [500, 200],
    before: (job) => job.ringWhenSet(),
    points: [...SIGNING, "target", "report", "D1", "batch", "job", "job", "report", "erase"],
    types: ["job.completed", "job.recovered"],
  },
  { name: "an end reported again", before: unheard, points: ANNOUNCED, types: ["job.completed"] },
  {
    name: "an end its owner writes, because the projector is busy",
    before: async (job) => {
      await unheard(job);
      post.stop("busy");
    },
    points: ["report", "batch", "D1", "D1", "job", "report", "batch", "erase"],
    types: ["job.completed"],
  },
  {
    name: "a callback, which nobody has to be asked about",
    body: { callbacks: { completed: { url: CALLBACK } } },
    webhooks: [],
    points: ["D1", ...SIGNING, "target", "D1", "D1", "job", "report", "erase"],
    types: ["job.completed"],
  },
  {
    name: "an end whose row is gone",
    before: async (job) => {
      await unheard(job);
      await job.deleteRow();
    },
    points: ANNOUNCED,
    types: ["job.completed"],
  },
];

async function ready({ body = {}, webhooks = ALL, answers = [200], before }: Scenario): Promise<JobUnderTest> {
  if (webhooks.length > 0) await newWebhook(account, ...webhooks);
  receiver.answers(...answers);
  const job = await newJob(account, body);
  await before?.(job);
  return job;
}

describe.each(SCENARIOS)("$name", (scenario) => {
  const { points, types, answers = [200] } = scenario;
  const urls = scenario.webhooks?.length === 0 ? [CALLBACK] : [HOOK];

  it("waits for the calls of the table, and for nothing else", async () => {
    const job = await ready(scenario);
    await tripwire.watch(job.owner, null);
    await job.ringWhenSet();
    expect(tripwire.passed).toEqual(points);
    tripwire.remove();
    await announcedOnce(types, urls);
  });

  it.each(momentsOf(points))("dies $side call $call ($point), and is announced once", async (moment) => {
    const job = await ready(scenario);
    await tripwire.watch(job.owner, moment);
    const alarm = new PlatformAlarm(job);
    await alarm.ring();
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    post.goOn();
    receiver.answers(answers.at(-1) ?? 200);
    await ringToTheEnd(job, alarm);
    expect(await job.isEmpty()).toBe(true);
    // A push whose process died is made again: then the job has met an interruption, which is no counted failure.
    await announcedOnce(types, urls);
    if (scenario.name !== "an end whose row is gone") expect((await job.row())?.reportDueAt).toBeNull();
  });
});

/** A call of a person that ends a job, or undoes or deletes its end. */
interface Act {
  readonly name: string;
  readonly body?: Record<string, unknown>;
  readonly before?: (job: JobUnderTest) => Promise<unknown>;
  readonly ask: (job: JobUnderTest) => Promise<{ status: number }>;
  readonly types: readonly string[];
}

const PULL = { handler: "work", delivery: { type: "pull" } };
const failsUnheard = async (job: JobUnderTest) => {
  receiver.answers(400);
  await unheard(job);
};

const ACTS: readonly Act[] = [
  {
    name: "a cancellation",
    body: { delay: { value: 10, unit: "minute" } },
    ask: (job) => job.cancel(),
    types: ["job.cancelled"],
  },
  {
    name: "a cancellation far ahead, where only a row is",
    body: { delay: { value: 2, unit: "day" } },
    ask: (job) => job.cancel(),
    types: ["job.cancelled"],
  },
  {
    name: "a worker's report",
    body: PULL,
    before: async (job) => {
      await job.ringWhenSet();
      const execution = (await job.executions()).at(-1);
      await job.owner.lease(job.ref, execution?.id ?? "", null);
    },
    ask: async (job) => {
      const execution = (await job.executions()).at(-1);
      const { ok } = await job.owner.complete(job.ref, execution?.id ?? "", null);
      return { status: ok ? 200 : 409 };
    },
    types: ["job.completed"],
  },
  {
    name: "a deletion of an end that nobody has heard of",
    before: failsUnheard,
    ask: (job) => job.remove(),
    types: ["job.failed"],
  },
];

/** More calls than any of these makes. */
const MOST_CALLS = 20;

describe.each(ACTS)("$name", ({ body = {}, before, ask, types }) => {
  it.each(["before", "after"] as const)(
    "whose owner dies %s any of its calls, and is asked for again",
    async (side) => {
      let calls = 0;
      for (let call = 1; call <= MOST_CALLS; call++) {
        account = await newAccount();
        await newWebhook(account, ...ALL);
        receiver.answers(200);
        receiver.received.length = 0;
        const job = await newJob(account, body);
        await before?.(job);
        await tripwire.watch(job.owner, { call, side });
        await ask(job).catch(() => null);
        for (let look = 0; look < 10 && !tripwire.hasKilled; look++) await scheduler.wait(20); // it reports behind its answer
        const { hasKilled } = tripwire;
        tripwire.remove();
        if (!hasKilled) break;
        calls += 1;
        const again = await ask(job).catch(() => ({ status: 503 }));
        expect([200, 404, 409], `call ${call}`).toContain(again.status);
        await ringToTheEnd(job);
        await announcedOnce(types);
      }
      expect(calls).toBeGreaterThan(3);
      expect(calls).toBeLessThan(MOST_CALLS);
    },
  );
});

describe("a retry of an end that nobody has heard of", () => {
  it.each(["before", "after"] as const)(
    "whose owner dies %s any of its calls: both ends are announced",
    async (side) => {
      for (let call = 1; call <= MOST_CALLS; call++) {
        account = await newAccount();
        await newWebhook(account, ...ALL);
        receiver.received.length = 0;
        const job = await newJob(account);
        await failsUnheard(job);
        await tripwire.watch(job.owner, { call, side });
        await job.retry().catch(() => null);
        const { hasKilled } = tripwire;
        tripwire.remove();
        if (!hasKilled) break;
        expect([200, 409]).toContain((await job.retry().catch(() => ({ status: 503 }))).status);
        advance(SECOND);
        receiver.answers(200);
        await ringToTheEnd(job);
        await announcedOnce(["job.failed", "job.completed", "job.recovered"]);
        setClock(NOON);
      }
    },
  );
});

describe("a schedule that has missed runs, and is over with the one it makes", () => {
  const FIRST = NOON + HOUR;
  const ONCE = { interval: { value: 1, unit: "hour" }, runs: 1, delivery: PUSH };
  /** Is the tick made; skip to the newest; is the account served; the job, its owner; the report; who asks; the events; the report. */
  const POINTS = ["D1", "D1", "D1", "job", "report", "D1", "batch", "job", "job", "report", "erase"];
  const TYPES = ["schedule.completed", "schedule.missed"];

  async function behind() {
    await newWebhook(account, "schedule.missed", "schedule.completed");
    const schedule = await newSchedule(account, ONCE);
    setClock(FIRST + 2 * HOUR + MINUTE);
    return schedule;
  }

  it("waits for the calls of the table, and for nothing else", async () => {
    const schedule = await behind();
    await tripwire.watch(schedule.owner, null);
    await new PlatformAlarm(schedule).ring();
    expect(tripwire.passed).toEqual(POINTS);
    tripwire.remove();
    await announcedOnce(TYPES);
  });

  it.each(momentsOf(POINTS))("dies $side call $call ($point), and is announced once", async (moment) => {
    const schedule = await behind();
    await tripwire.watch(schedule.owner, moment);
    const alarm = new PlatformAlarm(schedule);
    await alarm.ring();
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    await ringToTheEnd(schedule, alarm);
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.row()).toMatchObject({ status: "completed", reportDueAt: null, state: { news: [] } });
    await announcedOnce(TYPES);
  });
});

describe("an alarm that is lost between an end and its events", () => {
  it("is missed by the sweeper, and those who asked are told", async () => {
    await newWebhook(account, ...ALL);
    receiver.answers(200);
    const job = await newJob(account);
    const points = ["D1", ...SIGNING, "target", ...ANNOUNCED];
    // It dies once it knows that somebody is to be told, and the platform forgets to ring again.
    await tripwire.watch(job.owner, { call: points.indexOf("report") + 1, side: "after" });
    await new PlatformAlarm(job).ring();
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    await runInDurableObject(job.owner, (_, { storage }) => storage.deleteAlarm());
    await job.evict();
    setClock(NOON + 5 * MINUTE);
    await sweepNow();
    await until(async () => (await eventJobs(account)).length > 0);
    await announcedOnce(["job.completed"]);
    expect(await job.row()).toMatchObject({ status: "completed", reportDueAt: null });
  });
});
