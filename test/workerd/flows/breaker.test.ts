// A breaker spares a target that is down: its flow pauses, lets one attempt try, and goes on or pauses again.

import { env } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api, must } from "../harness/api.ts";
import { iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import type { JobUnderTest } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { FlowUnderTest, isCalled, jobIn, jobsIn } from "./flow.ts";

const PAUSE = 60 * SECOND;

let account: Account;
let flow: FlowUnderTest;
beforeEach(async () => {
  account = await newAccount();
  flow = new FlowUnderTest(account);
  await flow.put({ breaker: { failures: 2, pause: { value: 60, unit: "second" } } });
});

/** Two attempts have failed; everything else stands in line. */
async function broken(waiting: number): Promise<JobUnderTest[]> {
  receiver.answers(500);
  await jobsIn(flow, 2);
  await until(async () => (await flow.get()).paused_until !== null);
  return jobsIn(flow, waiting);
}

const events = async () =>
  (await must(api<{ name: string }[]>("GET", "/v1/jobs?origin=event", { key: account.key }))).map(({ name }) => name);

it("pauses after so many counted failures in a row, and says until when", async () => {
  const [job] = (await broken(1)) as [JobUnderTest];
  const { paused_until, ...shown } = await flow.get();
  expect(shown).toMatchObject({ paused: false, waiting: 1, running: 0 });
  const until = Date.parse(paused_until ?? "");
  expect(until).toBeGreaterThan(NOON + PAUSE - SECOND);
  expect(until).toBeLessThan(NOON + PAUSE + SECOND);
  const { data } = (await job.call<{ waiting_on: unknown }>("GET")).body;
  expect(data.waiting_on).toMatchObject({ reason: "flow_paused", until: iso(until) });
  expect(receiver.received).toHaveLength(2);
});

it("counts a failure as well that it hears of by asking, before the attempt's owner says so", async () => {
  const getByName = env.FLOWS.getByName.bind(env.FLOWS);
  const deaf = vi.spyOn(env.FLOWS, "getByName").mockImplementation((name) => {
    const stub = getByName(name);
    const ask = (...all: Parameters<typeof stub.ask>) => stub.ask(...all);
    return { ask, release: () => Promise.reject(new Error("lost")) } as never;
  });
  receiver.answers(500);
  await jobsIn(flow, 2);
  deaf.mockRestore();
  expect(await flow.get()).toMatchObject({ running: 2, paused_until: null });
  await flow.ringAt(Date.now() + 30 * SECOND);
  await until(async () => (await flow.get()).running === 0);
  expect((await flow.get()).paused_until).not.toBe(null);
});

it("a success in between counts from the beginning", async () => {
  receiver.answers(500, 200, 500, 200);
  await jobsIn(flow, 4);
  expect(await flow.get()).toMatchObject({ paused: false });
});

it("lets one attempt try; after a success all go on, and nothing that waited has failed", async () => {
  const jobs = await broken(3);
  const [probe, ...others] = jobs as [JobUnderTest, ...JobUnderTest[]];
  receiver.answers(200);
  await flow.ringAt(Date.parse((await flow.get()).paused_until ?? ""));
  await isCalled(probe);
  expect(await flow.tables()).toMatchObject({ slots: [probe.id] });
  await probe.ring();
  for (const job of others) {
    await isCalled(job);
    await job.ring();
  }
  for (const job of jobs) expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  expect(await flow.get()).toMatchObject({ paused: false, paused_until: null });
});

it("pauses again for as long when the attempt that tries fails", async () => {
  const [probe] = (await broken(2)) as [JobUnderTest];
  const openAt = Date.parse((await flow.get()).paused_until ?? "");
  await flow.ringAt(openAt);
  await isCalled(probe);
  await probe.ring();
  await until(async () => Date.parse((await flow.get()).paused_until ?? "") === openAt + PAUSE);
  expect((await flow.tables()).slots).toEqual([]);
  expect(receiver.received).toHaveLength(3);
});

it("an attempt that was cancelled decides nothing: the next one tries", async () => {
  const [probe, next] = (await broken(2)) as [JobUnderTest, JobUnderTest];
  await flow.ringAt(Date.parse((await flow.get()).paused_until ?? ""));
  await isCalled(probe);
  await probe.cancel();
  await isCalled(next);
  expect(await flow.tables()).toEqual({ slots: [next.id], line: [] });
});

it("a person who resumes it overrules it", async () => {
  const [job] = (await broken(1)) as [JobUnderTest];
  await flow.resume();
  await isCalled(job);
  expect(await flow.get()).toMatchObject({ paused: false, paused_until: null });
});

it("tells of a pause and of its end once each, although reports are repeated and its object dies", async () => {
  const url = "https://hooks.example.com/events";
  await must(api("POST", "/v1/webhooks", { key: account.key, body: { url, events: ["flow.paused", "flow.resumed"] } }));
  const [probe] = (await broken(1)) as [JobUnderTest];
  await flow.crash();
  setClock(NOON + 10 * SECOND);
  await flow.ring();
  receiver.answers(200);
  await flow.ringAt(Date.parse((await flow.get()).paused_until ?? ""));
  await isCalled(probe);
  await probe.ring();
  await until(async () => (await flow.get()).paused_until === null);
  await flow.ringAt(NOON + 2 * MINUTE);
  await flow.ringAt(NOON + 3 * MINUTE);
  expect((await events()).sort()).toEqual(["flow.paused", "flow.resumed"]);
});

it("an attempt that had started before the pause does not end it", async () => {
  const held = receiver.holds();
  const early = await jobIn(flow);
  const rung = early.ring();
  await held.arrived();
  await broken(1);
  held.release(200);
  await rung;
  await until(async () => (await flow.get()).running === 0);
  expect((await flow.get()).paused_until).not.toBeNull();
});

it("a client that sends back what it read changes nothing of the pause, and a person's own pause outlasts it", async () => {
  await broken(1);
  const { concurrency, rate, breaker, paused, paused_until } = await flow.get();
  expect(await flow.put({ concurrency, rate, breaker, paused })).toMatchObject({ paused: false, paused_until });
  expect(await flow.put({ concurrency, rate, breaker, paused: true })).toMatchObject({ paused: true, paused_until });
  await flow.ringAt(Date.parse(paused_until ?? ""));
  expect(await flow.tables()).toMatchObject({ slots: [] });
  expect(await flow.resume()).toMatchObject({ paused: false, paused_until: null });
});
