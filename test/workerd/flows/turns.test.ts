// Jobs of a flow start one after the other, as its limits say; those who wait cost nothing and keep their place.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, MINUTE, NOON, SECOND, until } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { type JobUnderTest, newJob } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { receiver } from "../harness/receiver.ts";
import { FlowUnderTest, isCalled, jobIn, jobsIn, pathsOf, runningIn } from "./flow.ts";

let account: Account;
let flow: FlowUnderTest;
beforeEach(async () => {
  account = await newAccount();
  flow = new FlowUnderTest(account);
});

const statusOf = async (job: JobUnderTest) => (await job.show()).status;

describe("so many at once", () => {
  it("starts as many as there are slots, and calls the first in line when one is free", async () => {
    await flow.put({ concurrency: 1 });
    const first = await runningIn(flow);
    const [second, third] = (await jobsIn(flow, 2)) as [JobUnderTest, JobUnderTest];
    expect(await flow.get()).toMatchObject({ running: 1, waiting: 2 });
    expect(pathsOf()).toEqual([first.job.id]);
    await first.end(200);
    await isCalled(second);
    expect(await flow.tables()).toEqual({ slots: [second.id], line: [third.id] });
    await second.ring();
    await isCalled(third);
    await third.ring();
    expect(pathsOf()).toEqual([first.job.id, second.id, third.id]);
    await until(async () => (await flow.get()).running === 0);
  });

  it("first due, first served, in whatever order they ask", async () => {
    await flow.put({ concurrency: 1 });
    const first = await runningIn(flow);
    const late = await jobIn(flow, { scheduled_for: new Date(NOON + 2 * SECOND).toISOString() });
    const early = await jobIn(flow, { scheduled_for: new Date(NOON + SECOND).toISOString() });
    advance(3 * SECOND);
    await late.ring();
    await early.ring();
    expect((await flow.tables()).line).toEqual([early.id, late.id]);
    await first.end(200);
    await isCalled(early);
    expect((await late.stored())?.claim?.turnAt).toBeNull();
  });

  it("a limit that is raised lets more start at once, one that is lowered stops nobody", async () => {
    await flow.put({ concurrency: 1 });
    const first = await runningIn(flow);
    const [second, third] = (await jobsIn(flow, 2)) as [JobUnderTest, JobUnderTest];
    await flow.put({ concurrency: 3 });
    await isCalled(second);
    await isCalled(third);
    await flow.put({ concurrency: 1 });
    expect(await flow.get()).toMatchObject({ running: 3, waiting: 0 });
    await first.end(200);
    expect(await statusOf(first.job)).toBe("completed");
  });

  it("a retry gives its slot back while it waits for its backoff", async () => {
    await flow.put({ concurrency: 1 });
    const first = await runningIn(flow);
    const [second] = (await jobsIn(flow, 1)) as [JobUnderTest];
    await first.end(500);
    await isCalled(second);
    expect(await statusOf(first.job)).toBe("retrying");
    expect(await flow.tables()).toEqual({ slots: [second.id], line: [] });
  });

  it("lateness counts the wait", async () => {
    await flow.put({ concurrency: 1 });
    const first = await runningIn(flow);
    const [second] = (await jobsIn(flow, 1)) as [JobUnderTest];
    advance(7 * SECOND);
    await first.end(200);
    await isCalled(second);
    await second.ring();
    expect(await second.executions()).toMatchObject([{ lateness_ms: 7 * SECOND }]);
  });
});

describe("a flow that nobody has defined", () => {
  it("has no limits, and keeps nothing", async () => {
    const [job] = (await jobsIn(flow, 1)) as [JobUnderTest];
    expect(await statusOf(job)).toBe("completed");
    expect(await flow.isGone()).toBe(true);
  });
});

describe("so many in a period", () => {
  const RATE = { limit: 2, period: { value: 10, unit: "second" } };

  it("lets as many start as its period has room for, and the next when the first of them has left it", async () => {
    await flow.put({ rate: RATE });
    const [, , third, fourth] = (await jobsIn(flow, 4)) as [JobUnderTest, JobUnderTest, JobUnderTest, JobUnderTest];
    expect(receiver.received).toHaveLength(2);
    await flow.ringAt(NOON + 10 * SECOND + 99); // both had come by 2, which counts as 100
    expect(await flow.get()).toMatchObject({ waiting: 2 });
    expect(await flow.ringsFrom(NOON + 10 * SECOND + 100)).toBe(true);
    await flow.ringAt(NOON + 10 * SECOND + 100);
    await isCalled(third);
    await isCalled(fourth);
    await third.ring();
    await fourth.ring();
    expect(receiver.received).toHaveLength(4);
  });

  it("is counted beyond the death of its object", async () => {
    await flow.put({ rate: RATE });
    await jobsIn(flow, 2);
    await flow.crash();
    await jobsIn(flow, 1);
    expect(receiver.received).toHaveLength(2);
    expect(await flow.get()).toMatchObject({ waiting: 1 });
  });
});

describe("pause and resume", () => {
  it("nothing starts, and everything that waits starts when it is resumed", async () => {
    await flow.put({ paused: true });
    const jobs = await jobsIn(flow, 3);
    expect(receiver.received).toHaveLength(0);
    expect(await flow.get()).toMatchObject({ paused: true, waiting: 3, running: 0 });
    await flow.resume();
    for (const job of jobs) {
      await isCalled(job);
      await job.ring();
      expect(await statusOf(job)).toBe("completed");
    }
  });

  it("a job that was called, and starts more than a second later, is stopped by it", async () => {
    await flow.put({ concurrency: 1 });
    const first = await runningIn(flow);
    const [second] = (await jobsIn(flow, 1)) as [JobUnderTest];
    await first.end(200);
    await isCalled(second);
    await flow.pause();
    advance(SECOND + 1);
    await second.ring();
    expect(await statusOf(second)).toBe("pending");
    expect(await flow.tables()).toEqual({ slots: [], line: [second.id] });
    await flow.resume();
    await isCalled(second);
    await second.ring();
    expect(await statusOf(second)).toBe("completed");
  });

  it("works while the database is down", async () => {
    await flow.put({});
    await jobsIn(flow, 1);
    const job = await jobIn(flow);
    const outage = databaseDown();
    expect((await flow.owner.pause(flow.ref)).ok).toBe(true);
    await job.ring();
    expect(receiver.received).toHaveLength(1);
    outage.end();
    expect(await statusOf(job)).toBe("pending");
  });

  it("a waiting job costs its owner one ring in ten minutes, and its flow none", async () => {
    await flow.put({ paused: true });
    const [job] = (await jobsIn(flow, 1)) as [JobUnderTest];
    await job.ringWhenSet(); // its row learns why it is late
    expect(await job.ringsFrom(NOON + 10 * MINUTE)).toBe(true);
    while (Date.now() < NOON + 10 * MINUTE && (await flow.alarm()) !== null)
      await flow.ringAt((await flow.alarm()) ?? 0);
    expect(await flow.alarm()).toBeNull();
  });
});

describe("delete", () => {
  it("lets all go that wait, and then nothing is left of it", async () => {
    await flow.put({ concurrency: 1 });
    const first = await runningIn(flow);
    const jobs = await jobsIn(flow, 3);
    await flow.remove();
    expect((await flow.call("GET")).status).toBe(404);
    for (const job of jobs) {
      await isCalled(job);
      await job.ring();
      expect(await statusOf(job)).toBe("completed");
    }
    await first.end(200);
    for (let ring = 0; ring < 5 && !(await flow.isGone()); ring++) if (!(await flow.ring())) break;
    expect(await flow.isGone()).toBe(true);
    expect(logs.of("alarm_fault")).toEqual([]);
  });
});

it("jobs of another account with a flow of the same name do not meet it", async () => {
  await flow.put({ paused: true });
  const stranger = await newAccount();
  const job = await newJob(stranger, { flow: flow.key });
  await job.ring();
  expect(await statusOf(job)).toBe("completed");
  expect((await new FlowUnderTest(stranger).call("GET")).status).toBe(404);
});
