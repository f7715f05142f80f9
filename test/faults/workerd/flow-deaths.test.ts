// A job's owner and its flow may each die at any call they wait for. Whatever the point: nobody waits behind a slot that no attempt
// has, no attempt starts without one, and every job comes to its end within seconds.

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FlowUnderTest, isCalled, jobIn, jobsIn, runningIn } from "../../workerd/flows/flow.ts";
import { newAccount } from "../../workerd/harness/account.ts";
import { MINUTE, SECOND, until } from "../../workerd/harness/clock.ts";
import type { JobUnderTest } from "../../workerd/harness/job.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { PlatformAlarm, shortPausesPass } from "./harness/platform.ts";
import { momentsOf, Tripwire } from "./harness/tripwire.ts";

/** A lost call is made again after five seconds, an interrupted attempt after its backoff. */
const LIMIT_MS = 20 * SECOND;

const COUNTED = ["flow", "target", "report", "job"];

let flow: FlowUnderTest;
const tripwire = new Tripwire("PROJECTORS", "FLOWS", "JOBS");
beforeEach(async () => {
  flow = new FlowUnderTest(await newAccount());
  await flow.put({ concurrency: 1 });
  vi.spyOn(env.EXECUTIONS, "send").mockResolvedValue(undefined as never);
});
beforeEach(shortPausesPass);
afterEach(() => tripwire.remove());

/** The most that were at the target at one moment. */
let most = 0;
function watchTarget(): void {
  let now = 0;
  most = 0;
  receiver.answers(async () => {
    most = Math.max(most, ++now);
    await scheduler.wait(5);
    now--;
    return new Response();
  });
}

/** Everything rings when it would, until all have ended and the flow holds nothing. @returns how long that took */
async function settle(jobs: readonly JobUnderTest[]): Promise<number> {
  const startedAt = Date.now();
  const alarms = new Map([flow, ...jobs].map((owner) => [owner, new PlatformAlarm(owner)]));
  while (Date.now() - startedAt < 5 * MINUTE) {
    const statuses = await Promise.all(jobs.map(async (job) => (await job.show()).status));
    const { slots, line } = await flow.tables();
    if (statuses.every((status) => status === "completed") && slots.length + line.length === 0)
      return Date.now() - startedAt;
    const set = await Promise.all([...alarms].map(async ([owner, alarm]) => ({ at: await owner.alarm(), alarm })));
    const [next] = set.flatMap(({ at, alarm }) => (at === null ? [] : [{ at, alarm }])).sort((a, b) => a.at - b.at);
    await next?.alarm.ring();
    await scheduler.wait(2); // calls between objects that nobody waits for
  }
  throw new Error(`not settled: ${JSON.stringify([await flow.tables(), await flow.get()])}`);
}

/** What the alarm of a job waits for. */
const RINGS = {
  "a job that asks and starts": ["flow", "target", "flow", "report"],
  "a job that was called": ["target", "flow", "report"],
} as const;

describe.each(Object.entries(RINGS))("%s", (name, points) => {
  async function ready(): Promise<[JobUnderTest, JobUnderTest]> {
    if (name === "a job that asks and starts") {
      watchTarget();
      return [await jobIn(flow), await jobIn(flow)];
    }
    const running = await runningIn(flow);
    const jobs = (await jobsIn(flow, 2)) as [JobUnderTest, JobUnderTest];
    await running.end(200);
    await isCalled(jobs[0]);
    watchTarget();
    return jobs;
  }

  it("waits for the calls of the table, and for nothing else", async () => {
    const [job] = await ready();
    const owner = job.owner;
    await tripwire.watch(owner, null, COUNTED);
    await runDurableObjectAlarm(owner);
    await until(() => tripwire.passed.length >= points.length);
    expect(tripwire.passed.slice(0, points.length)).toEqual(points);
  });

  it.each(momentsOf(points))("dies $side call $call ($point)", async (moment) => {
    const jobs = await ready();
    const [job] = jobs;
    await tripwire.watch(job.owner, moment, COUNTED);
    const alarm = new PlatformAlarm(job);
    await alarm.ring();
    await until(() => tripwire.hasKilled);
    tripwire.remove();
    expect(await settle(jobs)).toBeLessThan(LIMIT_MS);
    expect(most).toBe(1);
  });
});

describe("a flow that calls the next in line", () => {
  it.each(momentsOf(["job"]))("dies $side its call", async (moment) => {
    const running = await runningIn(flow);
    const jobs = (await jobsIn(flow, 3)) as [JobUnderTest, JobUnderTest, JobUnderTest];
    const stub = flow.owner;
    await tripwire.watch(stub, moment, ["job"]);
    watchTarget();
    await running.end(200);
    await until(() => tripwire.hasKilled);
    tripwire.remove();
    expect(await settle(jobs)).toBeLessThan(LIMIT_MS);
    expect(most).toBe(1);
  });
});
