// How many attempts one flow starts a second: jobs that are due stand in its line, it is resumed, and they arrive at the receiver.
// Beside them the same jobs without a flow, due in one instant.

import { setTimeout as sleep } from "node:timers/promises";
import { sendAll } from "../load.ts";
import type { Receiver } from "../receiving.ts";
import type { Service } from "../systems/service.ts";
import { callWith, pushJob, type Tenant } from "../systems/tenant.ts";

export interface FlowFigure {
  /** null: without a flow. */
  readonly concurrency: number | null;
  readonly jobs: number;
  readonly startsPerSecond: number;
}

export interface Flowing {
  readonly jobs: number;
  readonly concurrency: readonly number[];
}

const BATCH = 100;
const LEAD_MS = 3_000;
/** For each job: all are made before they are due. */
const MADE_WITHIN_MS = 20;
const LIMIT_MS = 60_000;

export async function measureFlow(service: Service, receiver: Receiver, { jobs, concurrency }: Flowing) {
  const [tenant] = service.tenants;
  if (!tenant) throw new Error("there is no tenant");
  const figures: FlowFigure[] = [await measure(service, tenant, receiver, { jobs, concurrency: null })];
  for (const limit of concurrency) figures.push(await measure(service, tenant, receiver, { jobs, concurrency: limit }));
  return figures;
}

async function measure(
  service: Service,
  tenant: Tenant,
  receiver: Receiver,
  { jobs, concurrency }: { readonly jobs: number; readonly concurrency: number | null },
): Promise<FlowFigure> {
  const key = tenant.keys[0] ?? "";
  const flow = concurrency === null ? null : `bench-${concurrency}`;
  const path = `/v1/flows/${flow}`;
  await receiver.forget();
  if (flow !== null) await ask(service, key, "PUT", path, { concurrency, paused: true });
  const due = Date.now() + LEAD_MS + jobs * MADE_WITHIN_MS;
  const one = { ...pushJob(due, receiver.hook), flow };
  const batches = Array.from({ length: jobs / BATCH }, () =>
    callWith(service.url, key, "/v1/jobs/batch", { jobs: Array(BATCH).fill(one) }),
  );
  await sendAll(batches, 2);
  await sleep(due - Date.now());
  const deadline = Date.now() + LIMIT_MS;
  if (flow !== null) {
    const standing = async () => ((await ask(service, key, "GET", path)) as { data: { waiting: number } }).data.waiting;
    while ((await standing()) < jobs && Date.now() < deadline) await sleep(500);
    await ask(service, key, "POST", `${path}/resume`);
  }
  const arrivals = await receiver.arrivals(jobs, deadline);
  if (arrivals.length < jobs) throw new Error(`${arrivals.length} of ${jobs} jobs of a flow were started`);
  // The first and the last tenth are left out: the ends of a line say nothing of its pace.
  const at = arrivals.map((arrival) => arrival.at).sort((a, b) => a - b);
  const [first, last] = [Math.floor(jobs * 0.1), Math.floor(jobs * 0.9)];
  const startsPerSecond = (1_000 * (last - first)) / ((at[last] ?? 0) - (at[first] ?? 0));
  return { concurrency, jobs, startsPerSecond };
}

async function ask(service: Service, key: string, method: string, path: string, body?: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) };
  const answer = await fetch(service.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
