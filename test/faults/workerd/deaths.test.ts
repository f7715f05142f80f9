// An instance may die at any await of its alarm. Each is a point in a table, and each is killed once, before and after
// the call it waits for. Whatever the point: the job ends, only what was in flight is repeated, and the read model agrees.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { MINUTE, SECOND, until } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { PlatformAlarm, shortPausesPass } from "./harness/platform.ts";
import { pullQueuesAre } from "./harness/pull-queues.ts";
import { recover, stateOf } from "./harness/recovery.ts";
import { momentsOf, Tripwire } from "./harness/tripwire.ts";

/** The alarm rings again at once: what remains is a backoff. */
const PUSH_LIMIT_MS = 10 * SECOND;
/** A lease ends, and the offer of the next attempt, which the queue loses, is made again after a minute. */
const LEASE_SECONDS = 30;
const PULL_LIMIT_MS = LEASE_SECONDS * SECOND + MINUTE + 10 * SECOND;

let account: Account;
const tripwire = new Tripwire("PULL_QUEUES", "PROJECTORS");
beforeEach(async () => {
  account = await newAccount();
  // The default queue loses all it is given: of what went over it a worker learns only because its owner offers it again.
  vi.spyOn(env.EXECUTIONS, "send").mockResolvedValue(undefined as never);
});
beforeEach(shortPausesPass);
afterEach(() => tripwire.remove());

/** One ring of an alarm. */
interface Scenario {
  readonly name: string;
  readonly body: Record<string, unknown>;
  /** What the target answers, the last one again and again. */
  readonly answers?: readonly number[];
  /** What happens before. */
  readonly before?: (job: JobUnderTest) => Promise<unknown>;
  /** PullQueue has too much at once. */
  readonly busy?: boolean;
  /** What the alarm waits for, in this order. */
  readonly points: readonly string[];
}

const SIGNING = Array<string>(6).fill("sign");
const PULL = { handler: "work", delivery: { type: "pull" }, timeout: LEASE_SECONDS };

const rings = (times: number) => async (job: JobUnderTest) => {
  for (let ring = 0; ring < times; ring++) await job.ringWhenSet();
};

/** Rings while nothing reaches the read model. */
const ringsUnheard = async (job: JobUnderTest) => {
  post.stop("unavailable");
  await job.ringWhenSet();
  post.goOn();
};

const isLeased = async (job: JobUnderTest) => {
  await job.ringWhenSet();
  const execution = (await job.executions()).at(-1);
  await job.owner.lease(job.ref, execution?.id ?? "", null);
};

const SCENARIOS: readonly Scenario[] = [
  { name: "a first push", body: {}, points: ["D1", ...SIGNING, "target", "report", "erase"] },
  { name: "a push that fails", body: {}, answers: [500, 200], points: ["D1", ...SIGNING, "target", "report"] },
  {
    name: "a push tried again",
    body: {},
    answers: [500, 200],
    before: rings(1),
    points: [...SIGNING, "target", "report", "erase"],
  },
  { name: "an end reported again", body: {}, before: ringsUnheard, points: ["report", "erase"] },
  {
    name: "an end its owner writes, because the projector is busy",
    body: {},
    before: async (job) => {
      await ringsUnheard(job);
      post.stop("busy");
    },
    points: ["report", "batch", "erase"],
  },
  { name: "a pull job becoming due", body: PULL, points: ["D1", "polls"] },
  {
    name: "a pull job becoming due while PullQueue is busy",
    body: PULL,
    busy: true,
    points: ["D1", "polls", "offer"],
  },
  { name: "a queued job reported", body: PULL, before: rings(1), points: ["report"] },
  {
    name: "a queued job whose row is gone",
    body: PULL,
    before: async (job) => {
      await job.ringWhenSet();
      await job.deleteRow();
    },
    points: ["report", "D1", "report"],
  },
  { name: "an execution offered again", body: PULL, before: rings(2), points: ["polls", "report"] },
  { name: "a lease reported", body: PULL, before: isLeased, points: ["report"] },
  {
    name: "a lease that has run out",
    body: PULL,
    before: async (job) => {
      await isLeased(job);
      await job.ringWhenSet();
    },
    points: ["report"],
  },
];

/** The bad day of PullQueue, if it has one. */
let day: { end(): void } | undefined;

/** Once a day a PullQueue notes its handler in D1. Nobody waits for that; here it has been done. */
async function handlerIsListed(): Promise<void> {
  await env.PULL_QUEUES.getByName(`${account.id}/work`).dueTimes(1);
  const query = env.DB.prepare("SELECT 1 FROM handlers WHERE account_id = ?").bind(account.id);
  await until(async () => (await query.first()) !== null);
}

async function readyToRing({ body, answers = [200], before, busy }: Scenario): Promise<JobUnderTest> {
  if (body === PULL) await handlerIsListed();
  receiver.answers(...answers);
  const job = await newJob(account, body);
  await before?.(job);
  receiver.received.length = 0;
  if (busy) day = pullQueuesAre(async () => "busy");
  return job;
}

describe.each(SCENARIOS)("$name", (scenario) => {
  const { points, answers = [200] } = scenario;
  const isPull = scenario.body === PULL;

  it("waits for the calls of the table, and for nothing else", async () => {
    const job = await readyToRing(scenario);
    await tripwire.watch(job.owner, null);
    await job.ringWhenSet();
    expect(tripwire.passed).toEqual(points);
  });

  it.each(momentsOf(points))("dies $side call $call ($point), and comes to its end all the same", async (moment) => {
    const job = await readyToRing(scenario);
    const state = await stateOf(job);
    const left = state?.phase.name === "completed" ? 0 : answers.length - (state?.started ?? 0);
    await tripwire.watch(job.owner, moment);
    const alarm = new PlatformAlarm(job);
    await alarm.ring();
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    day?.end();
    post.goOn();
    expect(await recover(job, { alarm })).toBeLessThan(isPull ? PULL_LIMIT_MS : PUSH_LIMIT_MS);
    const executions = await job.executions();
    const inFlight = moment.point === "target" && moment.side === "after";
    const delivered = receiver.received.map(({ headers }) => headers.get("X-Chronos-Delivery-Id"));
    expect(executions.map(({ id }) => id)).toEqual(expect.arrayContaining(delivered));
    expect(executions.filter(({ status }) => status === "completed")).toHaveLength(1);
    const interrupted = executions.filter(({ status }) => status === "interrupted").length;
    expect(interrupted).toBe(moment.point === "target" ? 1 : 0);
    if (!isPull) expect(receiver.received.length).toBeLessThanOrEqual(left + (inFlight ? 1 : 0));
    while ((await job.alarm()) !== null) await alarm.ring();
    expect(await job.isEmpty()).toBe(true);
    expect(await job.row()).toMatchObject({ status: "completed", attempt: executions.length, reportDueAt: null });
    expect(logs.of("alarm_fault")).toEqual([]);
  });
});
