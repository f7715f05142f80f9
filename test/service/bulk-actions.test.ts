// One bulk action over many jobs while some of them run, and the service dies in the midst of it: every job ends once, and the
// numbers add up. `npm run test:workers` does it with ten thousand.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { quietPort } from "../harness/quiet-port.ts";
import { hang, Receiver } from "../harness/receiver.ts";
import { OwnService } from "../harness/service.ts";
import { FULL_SIZE } from "../harness/size.ts";
import type { Answer, Job, Tenant } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";

const [JOBS, RUNNING, KILLS, LIMIT_MS] = FULL_SIZE ? [10_000, 200, 2, 600_000] : [300, 20, 1, 120_000];

/** Jobs of one request. */
const BATCH = 100;

interface BulkAction {
  readonly id: string;
  readonly status: string;
  readonly matched: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}

const service = new OwnService({ port: await quietPort() });
let receiver: Receiver;
beforeAll(async () => {
  [receiver] = await Promise.all([Receiver.listen(), service.ready()]);
});
afterAll(() => Promise.all([service.stop(), receiver?.close()]));

/** Keys in turns: each may ask a hundred times in ten seconds. */
async function createAll(tenant: Tenant, count: number, job: (i: number) => object): Promise<void> {
  const batches = Math.ceil(count / BATCH);
  const keys = await tenant.moreKeys(Math.ceil(batches / 50));
  for (let batch = 0; batch < batches; batch++) {
    const size = Math.min(BATCH, count - batch * BATCH);
    const jobs = Array.from({ length: size }, (_, i) => ({ name: "a job", ...job(batch * BATCH + i) }));
    await keys[batch % keys.length]?.post("/v1/jobs/batch", { jobs });
  }
}

async function all(tenant: Tenant): Promise<Job[]> {
  const jobs: Job[] = [];
  const keys = await tenant.moreKeys(Math.ceil(JOBS / BATCH / 50));
  let cursor: string | null | undefined = "";
  for (let page = 0; cursor != null; page++) {
    const key = keys[page % keys.length] as Tenant;
    const { status, body }: Answer<Job[]> = await key.call("GET", `/v1/jobs?size=100${cursor && `&cursor=${cursor}`}`);
    expect(status, JSON.stringify(body)).toBe(200);
    jobs.push(...body.data);
    cursor = (body.meta.paging as { next_cursor?: string | null }).next_cursor;
  }
  return jobs;
}

it(`cancels ${JOBS} jobs, ${RUNNING} of which run, in spite of ${KILLS} kills`, { timeout: LIMIT_MS }, async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(hang);
  const runs = { ...target.delivery(), timeout: 600 };
  const untouched = await tenant.create({ handler: "h", name: "kept", delay: { value: 1, unit: "day" } });
  await createAll(tenant, RUNNING, () => runs);
  // Most are far ahead and only rows; each tenth is near and held by its owner.
  await createAll(tenant, JOBS - RUNNING, (i) => ({
    handler: "h",
    delay: i % 10 === 0 ? { value: 30, unit: "minute" } : { value: 1, unit: "day" },
  }));
  await target.receives(RUNNING, 60_000);

  const keys = await tenant.moreKeys(20);
  const startedAt = Date.now();
  const asked = await tenant.post<BulkAction>("/v1/bulk-actions", { action: "cancel", filter: { name: "a job" } });
  let [looks, slowestMs] = [0, 0];
  const look = async () => {
    const key = keys[looks++ % keys.length] as Tenant;
    const lookedAt = Date.now();
    const { status, body } = await key.call<BulkAction>("GET", `/v1/bulk-actions/${asked.id}`);
    slowestMs = Math.max(slowestMs, Date.now() - lookedAt);
    return status === 200 ? body.data : undefined;
  };
  for (let kill = 1; kill <= KILLS; kill++) {
    const enough = (JOBS * kill) / (KILLS + 4);
    let seen: BulkAction | undefined;
    const isThere = async () => {
      seen = await look();
      return (seen?.done ?? 0) >= enough || seen?.status === "completed";
    };
    await until(isThere, LIMIT_MS, () => `It does not get on: ${JSON.stringify(seen)}`, 5);
    expect(seen, "it was over before it could be killed").toMatchObject({ status: "running" });
    // It takes turns with everybody else.
    if (kill === 1) expect(slowestMs).toBeLessThan(3_000);
    await service.crash(60_000);
  }
  let over: BulkAction | undefined;
  const isOver = async () => {
    over = await look();
    return over?.status === "completed";
  };
  await until(isOver, LIMIT_MS, () => `It comes to no end: ${JSON.stringify(over)}`, 250);
  console.info(`${JOBS} jobs cancelled in ${((Date.now() - startedAt) / 1_000).toFixed(1)} s, with ${KILLS} kills`);

  expect(over).toMatchObject({ status: "completed", matched: JOBS, done: JOBS, skipped: 0, failed: 0 });
  const delivered = target.deliveries.length;
  const jobs = await all(tenant);
  expect(jobs).toHaveLength(JOBS + 1);
  const cancelled = jobs.filter(({ status }) => status === "cancelled");
  expect(cancelled).toHaveLength(JOBS);
  expect(jobs.find(({ id }) => id === untouched.id)).toMatchObject({ status: "pending", revision: 1 });
  // What had not begun has changed once: it was made, and it was cancelled.
  expect(new Set(cancelled.filter(({ attempts }) => attempts === 0).map(({ revision }) => revision))).toEqual(
    new Set([2]),
  );
  const ran = cancelled.filter(({ attempts }) => attempts > 0);
  expect(ran.length).toBeGreaterThanOrEqual(RUNNING);
  const [first] = ran;
  const executions = await tenant.executions(first?.id ?? "");
  for (const { status } of executions) expect(["cancelled", "interrupted"]).toContain(status);
  await sleep(3_000);
  expect(target.deliveries).toHaveLength(delivered);
});
