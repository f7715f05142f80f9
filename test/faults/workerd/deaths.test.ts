// An instance may die at any await of its alarm. Each is a point in a table, and each is killed once, before and after
// the call it waits for. Whatever the point: the job ends, and only what was in flight is repeated.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { MINUTE } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { pullQueuesAre } from "./harness/pull-queues.ts";
import { recover } from "./harness/recovery.ts";
import { type Moment, Tripwire } from "./harness/tripwire.ts";

/** The sweeper's three and a half minutes, and a backoff. */
const LIMIT_MS = 4 * MINUTE;

let account: Account;
const tripwire = new Tripwire({ namespace: env.PULL_QUEUES, point: "polls" });
beforeEach(async () => {
  account = await newAccount();
  // The default queue loses all it is given: of what went over it a worker learns only because its owner offers it again.
  vi.spyOn(env.EXECUTIONS, "send").mockResolvedValue(undefined as never);
});
afterEach(() => tripwire.remove());

/** One ring of an alarm. */
interface Scenario {
  readonly name: string;
  readonly body: Record<string, unknown>;
  /** What the target answers, the last one again and again. */
  readonly answers?: readonly number[];
  /** How often it has rung before. */
  readonly ringsBefore: number;
  /** PullQueue has too much at once. */
  readonly busy?: boolean;
  /** What the alarm waits for, in this order. */
  readonly points: readonly string[];
}

const SIGNING = Array<string>(6).fill("sign");
const PULL = { handler: "work", delivery: { type: "pull" } };

const SCENARIOS: readonly Scenario[] = [
  { name: "a first push", body: {}, ringsBefore: 0, points: ["D1", ...SIGNING, "target", "snapshot"] },
  {
    name: "a push that fails",
    body: {},
    answers: [500, 200],
    ringsBefore: 0,
    points: ["D1", ...SIGNING, "target", "snapshot"],
  },
  {
    name: "a push tried again",
    body: {},
    answers: [500, 200],
    ringsBefore: 1,
    points: [...SIGNING, "target", "snapshot"],
  },
  { name: "an end reported again", body: {}, ringsBefore: 1, points: ["snapshot"] },
  { name: "a pull job becoming due", body: PULL, ringsBefore: 0, points: ["D1", "polls"] },
  {
    name: "a pull job becoming due while PullQueue is busy",
    body: PULL,
    ringsBefore: 0,
    busy: true,
    points: ["D1", "polls", "offer"],
  },
  { name: "a queued job reported", body: PULL, ringsBefore: 1, points: ["snapshot"] },
  { name: "an execution offered again", body: PULL, ringsBefore: 2, points: ["polls", "snapshot"] },
];

/** The bad day of PullQueue, if it has one. */
let day: { end(): void } | undefined;

async function readyToRing({ body, answers = [200], ringsBefore, busy }: Scenario): Promise<JobUnderTest> {
  receiver.answers(...answers);
  const job = await newJob(account, body);
  for (let ring = 0; ring < ringsBefore; ring++) await job.ringWhenSet();
  receiver.received.length = 0;
  if (busy) day = pullQueuesAre(async () => "busy");
  return job;
}

describe.each(SCENARIOS)("$name", (scenario) => {
  const { points, answers = [200] } = scenario;

  it("waits for the calls of the table, and for nothing else", async () => {
    const job = await readyToRing(scenario);
    await tripwire.watch(job.owner, null);
    await job.ringWhenSet();
    expect(tripwire.passed).toEqual(points);
  });

  const moments = points.flatMap((point, i) =>
    (["before", "after"] as const).map((side): Moment & { point: string } => ({ point, call: i + 1, side })),
  );

  it.each(moments)("dies $side call $call ($point), and comes to its end all the same", async (moment) => {
    const job = await readyToRing(scenario);
    const left = (await job.show()).status === "completed" ? 0 : answers.length - (await job.show()).attempts;
    await tripwire.watch(job.owner, moment);
    await job.ringWhenSet().catch(() => {});
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    day?.end();
    expect(await recover(job)).toBeLessThan(LIMIT_MS);
    const executions = await job.executions();
    const inFlight = moment.point === "target" && moment.side === "after";
    const delivered = receiver.received.map(({ headers }) => headers.get("X-Chronos-Delivery-Id"));
    expect(executions.map(({ id }) => id)).toEqual(expect.arrayContaining(delivered));
    expect(executions.filter(({ status }) => status === "completed")).toHaveLength(1);
    expect(executions.filter(({ status }) => status === "interrupted").length).toBeLessThanOrEqual(1);
    if (scenario.body !== PULL) expect(receiver.received.length).toBeLessThanOrEqual(left + (inFlight ? 1 : 0));
  });
});
