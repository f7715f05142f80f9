// The overview and a scrape tell of flows that hold jobs up: asked when somebody looks, at most twenty, and not for long.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import type { showOverview } from "../../../src/routes/show-overview.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { ADMIN, api, app, must, NO_RATE_LIMITS, requestOf } from "../harness/api.ts";
import { advance, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { receiver } from "../harness/receiver.ts";
import { flush } from "../overview/counts.ts";
import { FlowUnderTest, jobsIn } from "./flow.ts";

let account: Account;
let flow: FlowUnderTest;
beforeEach(async () => {
  account = await newAccount();
  flow = new FlowUnderTest(account, "mail");
  await env.DB.prepare("DELETE FROM jobs").run();
});

const held = async () =>
  (await must(api<ReturnType<typeof showOverview>>("GET", "/v1/overview", { key: account.key }))).flows;

async function scrape(key = account.key): Promise<string[]> {
  const around = { ...env, ...NO_RATE_LIMITS } as Cloudflare.Env;
  const text = await (
    await app.fetch(requestOf("GET", "/v1/metrics", { key }), around, createExecutionContext())
  ).text();
  return text.split("\n").filter((line) => line.startsWith("chronos_flow"));
}

/** Jobs in line, as their rows tell of them. */
async function inLine(of: FlowUnderTest, count: number) {
  const jobs = await jobsIn(of, count);
  for (const job of jobs) await job.ring(); // reports that it waits
  await flush();
  advance(11 * SECOND);
}

it("tells of a line and of a pause, and of nothing else", async () => {
  await flow.put({ concurrency: 1 });
  const other = new FlowUnderTest(account, "open");
  await other.put({ concurrency: 5 });
  const paused = new FlowUnderTest(account, "paused");
  await paused.put({ paused: true });
  const first = receiver.holds();
  const running = jobsIn(flow, 1);
  await first.arrived();
  await inLine(flow, 2);
  await inLine(new FlowUnderTest(account, "undefined"), 0);
  expect(await held()).toEqual([
    { key: "mail", paused: false, waiting: 2, running: 1 },
    { key: "paused", paused: true, waiting: 0, running: 0 },
  ]);
  expect(await scrape()).toEqual([
    "chronos_flows_paused 1",
    'chronos_flow_waiting_jobs{flow="mail"} 2',
    'chronos_flow_waiting_jobs{flow="paused"} 0',
  ]);
  expect(await scrape(ADMIN)).toContain(`chronos_flows_paused{account="${account.id}"} 1`);
  first.release(200);
  await running;
});

it("tells of a pause that a breaker has made, once its row has been told", async () => {
  await flow.put({ breaker: { failures: 2, pause: { value: 1, unit: "hour" } } });
  receiver.answers(500);
  await jobsIn(flow, 2);
  await until(async () => (await flow.get()).paused_until !== null);
  await flow.ring();
  expect(await held()).toEqual([{ key: "mail", paused: true, waiting: 0, running: 0 }]);
  await flow.resume();
  expect(await held()).toEqual([]);
  expect(await scrape()).toEqual(["chronos_flows_paused 0"]);
});

it("asks twenty, and shows one that does not answer within a second without its numbers", async () => {
  for (let n = 10; n <= 30; n++) await new FlowUnderTest(account, `f${n}`).put({ paused: true });
  expect((await held()).map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, n) => `f${n + 10}`));
  vi.spyOn(env.FLOWS, "getByName").mockImplementation(() => ({ get: () => new Promise(() => {}) }) as never);
  expect((await held())[0]).toEqual({ key: "f10", paused: null, waiting: null, running: null });
  expect(await scrape()).toEqual(["chronos_flows_paused 21"]);
});

it("is nobody else's", async () => {
  setClock(NOON + MINUTE);
  await new FlowUnderTest(await newAccount(), "theirs").put({ paused: true });
  expect(await held()).toEqual([]);
});
