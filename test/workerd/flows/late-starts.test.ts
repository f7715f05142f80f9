// A start counts for its flow's rate from when it happens, and owners that do not answer hold nobody else up.

import { env } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import type { SlotUse } from "../../../src/domain/flow.ts";
import { newAccount } from "../harness/account.ts";
import { MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { FlowUnderTest } from "./flow.ts";

let flow: FlowUnderTest;
beforeEach(async () => {
  flow = new FlowUnderTest(await newAccount());
});

const ticket = (n: number) => ({ jobId: `job-${n}`, attempt: 1, dueAt: NOON + n, timeoutSeconds: 30 });
const ask = (n: number) => flow.owner.ask(flow.ref, ticket(n));
const counted = async () => (await flow.stored())?.window.map(({ at, count }) => [(at - NOON) / SECOND, count]);

it("an attempt that asks again is counted anew, and waits when others have started meanwhile", async () => {
  await flow.put({ rate: { limit: 2, period: { value: 10, unit: "second" } } });
  expect([await ask(1), await ask(2), await ask(3)]).toEqual(["now", "now", "wait"]);
  expect(await counted()).toEqual([[0, 2]]);
  setClock(NOON + 5 * SECOND);
  expect(await ask(1)).toBe("now");
  expect(await counted()).toEqual([
    [0, 1],
    [5, 1],
  ]);
  setClock(NOON + 30 * SECOND); // no start counts any more
  await flow.owner.release(flow.ref, ticket(3), "neither");
  expect([await ask(4), await ask(5)]).toEqual(["now", "now"]);
  expect(await ask(1)).toBe("wait");
  expect(await flow.tables()).toEqual({ slots: ["job-2", "job-4", "job-5"], line: ["job-1"] });
});

it("the end of an attempt tells when it started", async () => {
  await flow.put({ rate: { limit: 2, period: { value: 10, unit: "second" } } });
  expect([await ask(1), await ask(2)]).toEqual(["now", "now"]);
  setClock(NOON + 6 * SECOND);
  await flow.owner.release(flow.ref, ticket(1), "completed", NOON + 100); // it was there half a second later: 400 ms before the second that the window allows for
  await flow.owner.release(flow.ref, ticket(2), "completed", NOON + 5 * SECOND + 200);
  expect(await counted()).toEqual([
    [-0.4, 1],
    [4.7, 1],
  ]);
});

it("an alarm waits a second for owners that do not answer, however many they are", async () => {
  await flow.put({ concurrency: 60 });
  for (let n = 1; n <= 60; n++) await ask(n);
  const turn = vi.fn(() => new Promise(() => {}));
  vi.spyOn(env.JOBS, "getByName").mockReturnValue({ turn } as never);
  const before = performance.now();
  await flow.ringAt(NOON + MINUTE);
  expect(performance.now() - before).toBeLessThan(4_000); // one that is not answered takes five, and 25 are asked at once
  expect(turn).toHaveBeenCalled();
});

it("a slot that one gives back goes to the next while another that was called with it does not answer", async () => {
  await flow.put({ concurrency: 2, paused: true });
  for (let n = 1; n <= 3; n++) expect(await ask(n)).toBe("wait");
  const unused: SlotUse = { until: null, end: "neither", startedAt: null };
  const answers: Record<string, SlotUse | Promise<SlotUse>> = {
    "job-1": new Promise<SlotUse>(() => {}),
    "job-2": unused,
    "job-3": { until: NOON + 5 * MINUTE },
  };
  vi.spyOn(env.JOBS, "getByName").mockImplementation(
    (name) => ({ turn: async () => answers[name.split("/")[1] ?? ""] ?? unused }) as never,
  );
  const before = performance.now();
  await flow.resume();
  await until(async () => (await flow.tables()).slots.includes("job-3"));
  expect(await flow.tables()).toEqual({ slots: ["job-1", "job-3"], line: [] });
  expect(performance.now() - before).toBeLessThan(4_000); // an owner that is not answered takes five
});
