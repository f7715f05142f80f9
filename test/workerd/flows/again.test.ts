// What happens twice, too late or in between: an object that knows less than it did, a flow that is deleted and made again.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { newAccount } from "../harness/account.ts";
import { api, must } from "../harness/api.ts";
import { advance, MINUTE, NOON, SECOND, until } from "../harness/clock.ts";
import type { JobUnderTest } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { FlowUnderTest, isCalled, jobIn, jobsIn, runningIn } from "./flow.ts";

let flow: FlowUnderTest;
beforeEach(async () => {
  flow = new FlowUnderTest(await newAccount());
});

const BREAKER = { failures: 1, pause: { value: 60, unit: "second" } };
const ticket = (jobId: string, attempt: number, dueAt: number) => ({ jobId, attempt, dueAt, timeoutSeconds: 30 });

describe("a job that has two places in line, since its owner has forgotten the first", () => {
  it.each([
    ["of the same attempt, due earlier", 1, NOON],
    ["of an earlier attempt", 2, NOON + 10],
    ["of the same attempt, due later", 1, NOON + 20],
  ])("%s, keeps nobody from starting", async (_, attempt, dueAt) => {
    await flow.put({ paused: true });
    const [job, other] = (await jobsIn(flow, 2)) as [JobUnderTest, JobUnderTest];
    await flow.owner.ask(flow.ref, ticket(job.id, attempt, dueAt));
    expect((await flow.tables()).line).toHaveLength(3);
    await flow.resume();
    await isCalled(job);
    await isCalled(other);
    await job.ring();
    await other.ring();
    for (const one of [job, other]) expect(await one.show()).toMatchObject({ status: "completed" });
    advance(30 * SECOND);
    await flow.ring();
    await until(async () => (await flow.get()).running === 0);
    expect(await flow.tables()).toEqual({ slots: [], line: [] });
  });
});

describe("a flow that is deleted while its breaker tries, and made again", () => {
  it("is not paused by what was before, and lets all start", async () => {
    await flow.put({ breaker: BREAKER });
    receiver.answers(500);
    await jobsIn(flow, 1);
    await until(async () => (await flow.get()).paused_until !== null);
    const [probe] = (await jobsIn(flow, 1)) as [JobUnderTest];
    await flow.ringAt(Date.parse((await flow.get()).paused_until ?? ""));
    await isCalled(probe);
    await flow.remove();
    await probe.cancel();
    await until(async () => (await flow.tables()).slots.length === 0);
    expect(await flow.put({ breaker: BREAKER })).toMatchObject({ paused: false, paused_until: null });
    receiver.answers(200);
    const [job] = (await jobsIn(flow, 1)) as [JobUnderTest];
    expect(await job.show()).toMatchObject({ status: "completed" });
  });

  it("has its row, although the old one's removal comes later", async () => {
    await flow.put({ concurrency: 1 });
    const prepare = env.DB.prepare.bind(env.DB);
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const late = vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
      const held = (statement: D1PreparedStatement): D1PreparedStatement =>
        new Proxy(statement, {
          get(target, name: keyof D1PreparedStatement) {
            if (name === "bind") return (...values: unknown[]) => held(target.bind(...values));
            const asked: unknown = target[name];
            if (typeof asked !== "function") return asked;
            return async (...values: never[]) => {
              await gate;
              return asked.apply(target, values);
            };
          },
        });
      return query.startsWith('delete from "flows"') ? held(prepare(query)) : prepare(query);
    });
    const removed = flow.remove();
    await until(() => late.mock.calls.some(([query]) => query.startsWith('delete from "flows"')));
    await flow.put({ concurrency: 2 });
    letGo();
    await removed;
    late.mockRestore();
    const listed = await must(api<{ key: string }[]>("GET", "/v1/flows", { key: flow.account.key }));
    expect(listed).toMatchObject([{ key: flow.key, concurrency: 2 }]);
  });
});

const offered = async (job: JobUnderTest): Promise<string> => {
  const phase = (await job.stored())?.phase;
  if (phase?.name !== "queued") throw new Error(`${phase?.name}, not queued`);
  return phase.executionId;
};

describe("a worker that takes a job whose flow does not answer", () => {
  const PULL = { handler: "work", delivery: { type: "pull" } };
  const claim = () =>
    must(
      api<{ job_id: string } | null>("POST", "/v1/worker/jobs/claim", {
        key: flow.account.key,
        body: { handlers: ["work"], wait_time_seconds: 0 },
      }),
    );

  it("gets nothing, however often it asks, as long as nobody has heard that it may start", async () => {
    await flow.put({ concurrency: 5 });
    const [job] = (await jobsIn(flow, 1, PULL)) as [JobUnderTest];
    advance(2 * SECOND);
    await flow.pause();
    const away = vi
      .spyOn(env.FLOWS, "getByName")
      .mockReturnValue({ ask: () => Promise.reject(new Error("away")) } as never);
    const executionId = await offered(job);
    const lease = () => job.owner.lease({ accountId: flow.account.id, jobId: job.id }, executionId, null);
    expect((await lease()).ok).toBe(false);
    expect((await lease()).ok).toBe(false);
    away.mockRestore();
    expect(await claim()).toBeNull();
    expect(await job.show()).toMatchObject({ status: "queued" });
    await flow.resume();
    await isCalled(job);
    await job.ring();
    expect(await claim()).toMatchObject({ job_id: job.id });
  });

  it("gets nothing when the job is offered again while the flow says that it is paused", async () => {
    await flow.put({ concurrency: 5 });
    const [job] = (await jobsIn(flow, 1, PULL)) as [JobUnderTest];
    advance(2 * MINUTE);
    await flow.pause();
    const executionId = await offered(job);
    const getByName = env.FLOWS.getByName.bind(env.FLOWS);
    const slow = vi.spyOn(env.FLOWS, "getByName").mockImplementation((name) => {
      const stub = getByName(name);
      return {
        ask: async (...all: Parameters<typeof stub.ask>) => {
          await job.ring(); // it is offered again meanwhile
          return stub.ask(...all);
        },
      } as never;
    });
    const lease = await job.owner.lease({ accountId: flow.account.id, jobId: job.id }, executionId, null);
    slow.mockRestore();
    expect(lease.ok).toBe(false);
    expect(await flow.tables()).toEqual({ slots: [], line: [job.id] });
  });
});

it("a flow whose answer was lost has given a slot, and gives the same one again", async () => {
  await flow.put({ concurrency: 1 });
  const getByName = env.FLOWS.getByName.bind(env.FLOWS);
  const lossy = vi.spyOn(env.FLOWS, "getByName").mockImplementation((name) => {
    const stub = getByName(name);
    return {
      ask: async (...all: Parameters<typeof stub.ask>) => {
        await stub.ask(...all);
        throw new Error("lost");
      },
    } as never;
  });
  const job = await jobIn(flow);
  await job.ring();
  lossy.mockRestore();
  expect(receiver.received).toHaveLength(0);
  expect(await flow.tables()).toEqual({ slots: [job.id], line: [] });
  await job.ringAt((await job.alarm()) ?? 0);
  expect(await job.show()).toMatchObject({ status: "completed" });
  await until(async () => (await flow.get()).running === 0);
});

it("the word of an owner that knew nothing does not take the slot from the attempt it has started since", async () => {
  await flow.put({ concurrency: 1 });
  const running = await runningIn(flow);
  const [next] = (await jobsIn(flow, 1)) as [JobUnderTest];
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let hasCalled = false;
  const turn = async () => {
    hasCalled = true;
    await asked;
    return { until: null, end: "neither", startedAt: null };
  };
  const slow = vi.spyOn(env.JOBS, "getByName").mockReturnValue({ turn } as never);
  await running.end(200);
  await until(() => hasCalled);
  slow.mockRestore();
  const held = receiver.holds();
  advance(10 * MINUTE); // it looks by itself, and starts
  const rung = next.ring();
  await held.arrived();
  answer();
  await asked;
  for (let call = 0; call < 3; call++) expect(await flow.get()).toMatchObject({ running: 1 });
  expect(await flow.tables()).toEqual({ slots: [next.id], line: [] });
  held.release(200);
  await rung;
});
