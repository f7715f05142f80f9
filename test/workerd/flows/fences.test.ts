// A turn that comes too late gives its slot back: to a job that was cancelled, edited, deleted, run or that nobody can reach.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount, resume, suspend } from "../harness/account.ts";
import { api, must } from "../harness/api.ts";
import { advance, MINUTE, NOON, SECOND, until } from "../harness/clock.ts";
import type { JobUnderTest } from "../harness/job.ts";
import { FlowUnderTest, isCalled, jobIn, jobsIn, pathsOf, runningIn } from "./flow.ts";

let account: Account;
let flow: FlowUnderTest;
let running: Awaited<ReturnType<typeof runningIn>>;
let first: JobUnderTest;
let second: JobUnderTest;
beforeEach(async () => {
  account = await newAccount();
  flow = new FlowUnderTest(account);
  await flow.put({ concurrency: 1 });
  running = await runningIn(flow);
  [first, second] = (await jobsIn(flow, 2)) as [JobUnderTest, JobUnderTest];
});

/** The second in line runs and ends: no slot was lost. */
async function goesOn(): Promise<void> {
  await isCalled(second);
  await second.ring();
  expect(await second.show()).toMatchObject({ status: "completed" });
  await until(async () => (await flow.get()).running === 0);
  expect(await flow.tables()).toEqual({ slots: [], line: [] });
}

describe("a job in line", () => {
  it("leaves it when it is cancelled", async () => {
    await first.cancel();
    await until(async () => (await flow.tables()).line.length === 1);
    await running.end(200);
    await goesOn();
  });

  it("leaves it when it is edited into another flow, and starts there at once", async () => {
    await first.edit({ flow: "another" });
    await until(async () => (await flow.tables()).line.length === 1);
    await first.ring();
    expect(await first.show()).toMatchObject({ status: "completed" });
    await running.end(200);
    await goesOn();
  });

  it("leaves it when its time is moved, and stands in it again then", async () => {
    await first.edit({ delay: { value: 1, unit: "minute" } });
    await until(async () => (await flow.tables()).line.length === 1);
    advance(MINUTE);
    await first.ring();
    await until(async () => (await flow.tables()).line.length === 2);
    expect((await flow.tables()).line).toEqual([second.id, first.id]);
    await running.end(200);
    for (const job of [second, first]) {
      await isCalled(job);
      await job.ring();
    }
    expect(pathsOf()).toEqual([running.job.id, second.id, first.id]);
  });

  it("has one place however it is edited, and keeps it", async () => {
    await first.edit({ payload: { n: 2 } });
    await first.ring();
    expect((await flow.tables()).line).toEqual([first.id, second.id]);
  });

  it("keeps its place when it is run, and does not pass the limits", async () => {
    expect((await second.run()).status).toBe(200);
    await second.ring();
    expect((await flow.tables()).line).toEqual([first.id, second.id]);
    expect(pathsOf()).toEqual([running.job.id]);
    expect((await second.call<{ waiting_on: unknown }>("GET")).body.data.waiting_on).toMatchObject({
      reason: "flow_limited",
    });
  });

  it("expires in line, and leaves it", async () => {
    const hasty = await jobIn(flow, { expires_after: { value: 1, unit: "minute" } });
    await hasty.ring();
    expect((await flow.tables()).line).toHaveLength(3);
    advance(MINUTE);
    await hasty.ring();
    expect(await hasty.show()).toMatchObject({ status: "failed", last_error: { code: "expired" } });
    await until(async () => (await flow.tables()).line.length === 2);
  });

  it("keeps its slot for nobody while its account is suspended", async () => {
    await running.end(200);
    await isCalled(first);
    await suspend(account);
    await first.ring();
    await until(async () => !(await flow.tables()).slots.includes(first.id));
    await resume(account);
  });
});

describe("a turn that is given", () => {
  it("to a job that is cancelled before it starts goes to the next", async () => {
    await running.end(200);
    await isCalled(first);
    await first.cancel();
    await goesOn();
  });

  it("to a job whose owner lost the call is given again within half a minute", async () => {
    await running.end(200);
    await isCalled(first);
    await first.crash();
    advance(30 * SECOND);
    await flow.ring();
    await first.ring();
    expect(await first.show()).toMatchObject({ status: "completed" });
    await goesOn();
  });

  it("to a job whose cancellation the flow has not heard of goes to the next", async () => {
    const deaf = vi
      .spyOn(env.FLOWS, "getByName")
      .mockReturnValue({ release: () => Promise.reject(new Error("away")) } as never);
    await first.cancel();
    deaf.mockRestore();
    expect((await flow.tables()).line).toContain(first.id);
    await running.end(200);
    await goesOn();
  });

  it("to a job that has lost everything goes to the next", async () => {
    await first.wipe();
    await running.end(200);
    await goesOn();
  });
});

describe("a slot", () => {
  it("of an attempt whose instance died is free again, and counts no failure", async () => {
    await first.crash(); // of all objects: the push is cut off
    await running.end(200).catch(() => undefined);
    await running.job.ringAfterDeath();
    expect(await running.job.show()).toMatchObject({ status: "retrying" });
    await isCalled(first);
    await first.ring();
    await goesOn();
  });

  it("of a pull job is held from its offer to its report, and a job in line is offered to nobody", async () => {
    const pull = { handler: "work", delivery: { type: "pull" } };
    await running.end(200);
    await isCalled(first);
    await first.ring();
    await goesOn();
    const [one, other] = (await jobsIn(flow, 2, pull)) as [JobUnderTest, JobUnderTest];
    expect(await one.show()).toMatchObject({ status: "queued" });
    expect(await other.show()).toMatchObject({ status: "pending" });
    const claim = () =>
      must(
        api<{ execution_id: string; job_id: string } | null>("POST", "/v1/worker/jobs/claim", {
          key: account.key,
          body: { handlers: ["work"], wait_time_seconds: 0 },
        }),
      );
    const claimed = await claim();
    expect(claimed).toMatchObject({ job_id: one.id });
    expect(await claim()).toBeNull();
    await must(
      api("POST", `/v1/worker/jobs/${one.id}/complete`, {
        key: account.key,
        body: { execution_id: claimed?.execution_id },
      }),
    );
    await isCalled(other);
    await other.ring();
    expect(await claim()).toMatchObject({ job_id: other.id });
  });

  it("whose owner cannot be reached ends by itself", async () => {
    await running.end(200);
    await isCalled(first);
    const away = vi
      .spyOn(env.JOBS, "getByName")
      .mockReturnValue({ turn: () => Promise.reject(new Error("away")) } as never);
    for (let minutes = 0; minutes < 7; minutes++) {
      advance(MINUTE);
      await flow.ring();
    }
    expect(await flow.tables()).toMatchObject({ slots: [second.id] });
    away.mockRestore();
  });
});

it("a flow that does not answer is asked again, and nothing starts meanwhile", async () => {
  const away = vi
    .spyOn(env.FLOWS, "getByName")
    .mockReturnValue({ ask: () => Promise.reject(new Error("away")) } as never);
  const job = await jobIn(flow);
  await job.ring();
  expect(pathsOf()).toEqual([running.job.id]);
  away.mockRestore();
  await running.end(200);
  const at = (await job.alarm()) ?? 0;
  expect(at - Date.now()).toBeLessThanOrEqual(5 * SECOND);
  await job.ringAt(at);
  expect((await flow.tables()).line).toContain(job.id);
});

it("an attempt that has a slot and has not started waits if the limit has been lowered meanwhile", async () => {
  const lowered = new FlowUnderTest(account, "lowered");
  const ask = (n: number) =>
    lowered.owner.ask(lowered.ref, { jobId: `job-${n}`, attempt: 1, dueAt: NOON + n, timeoutSeconds: 30 });
  await lowered.put({ concurrency: 3 });
  expect([await ask(1), await ask(2), await ask(3)]).toEqual(["now", "now", "now"]);
  await lowered.put({ concurrency: 2 });
  expect([await ask(1), await ask(2), await ask(3)]).toEqual(["wait", "now", "now"]);
  expect(await lowered.tables()).toEqual({ slots: ["job-2", "job-3"], line: ["job-1"] });
});
