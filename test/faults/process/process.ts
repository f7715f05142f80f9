// The process dies: workerd is killed again and again, at moments nobody chose, under load. What was answered 201 happens.

import { setTimeout as sleep } from "node:timers/promises";
import { eachOf } from "../../harness/each-of.ts";
import { Receiver } from "../../harness/receiver.ts";
import type { Service } from "../../harness/service.ts";
import { holdsWithin } from "../../harness/until.ts";
import { Chance } from "../harness/chance.ts";
import { crash } from "../harness/crash.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import { PullWorker } from "../harness/pull-worker.ts";
import type { Part } from "../part.ts";
import { type Accepted, Load } from "./load.ts";
import { judge, rowsOf, unsigned, type Verdict } from "./verdict.ts";

export interface ProcessPlan {
  readonly rounds: number;
  readonly tenants: number;
  readonly keysEach: number;
  readonly jobsPerSecond: number;
}

/** A round is as long as a job takes from its creation to its retry. */
const ROUND_MS = { min: 1_500, max: 6_000 } as const;

/**
 * The longest that a crash may hold a job up: a row nobody armed waits 15 s and for the minute's sweep, an offer lost in
 * the queue a minute; then comes its backoff, doubled by each crash it meets.
 */
const RECOVERY_MS = 150_000;

/** While the last jobs recover, there is time for other tests on the same service. */
export async function killUnderLoad(
  service: Service,
  plan: ProcessPlan,
  seed: number,
  meanwhile: () => Promise<void>,
): Promise<Part> {
  const chance = new Chance(seed);
  const receiver = await Receiver.listen();
  const tenants: PatientTenant[] = [];
  for (let i = 0; i < plan.tenants; i++) tenants.push(await PatientTenant.make(service, `faults ${i}`, plan.keysEach));
  const workers = new Map(tenants.map((tenant, i) => [tenant.id, new PullWorker(tenant, seed + i, 4)]));
  const load = new Load(tenants, receiver, chance);

  let roundsLeft = plan.rounds;
  const loaded = load.run(plan.jobsPerSecond, () => roundsLeft === 0);
  for (; roundsLeft > 0; roundsLeft--) {
    await sleep(chance.between(ROUND_MS.min, ROUND_MS.max));
    await crash(service);
  }
  await loaded;
  await meanwhile();

  const deadline = Date.now() + RECOVERY_MS;
  await eachOf(load.accepted, 20, (job) => holdsWithin(deadline - Date.now(), () => hasEnded(job), 1_000));
  await Promise.all([...workers.values()].map((worker) => worker.stop()));
  const verdicts: Verdict[] = await eachOf(load.accepted, 20, (job) => judge(job, workers));
  await receiver.close();
  const areListed = () => Promise.all(tenants.map(live)).then((counts) => counts.every((count) => count === 0));
  const isHeard = await holdsWithin(deadline - Date.now(), areListed, 1_000);
  const faults = verdicts.flatMap((verdict) => verdict.faults);
  faults.push(...unsigned(load.accepted));
  for (const { failure } of workers.values()) if (failure !== undefined) faults.push(`a worker gave up: ${failure}`);
  if (!isHeard) faults.push("a list still shows a job as live that has ended");
  return {
    rows: rowsOf(`SIGKILL, ${plan.rounds} times`, verdicts),
    faults: [...faults, ...verdicts.flatMap((verdict) => (verdict.isEarly ? ["a job ran before its time"] : []))],
    secrets: tenants.flatMap((tenant) => tenant.secrets),
  };
}

async function hasEnded({ tenant, id }: Accepted): Promise<boolean> {
  const { status } = (await tenant.call<{ status: string }>("GET", `/v1/jobs/${id}`)).body.data;
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** Live jobs as the list has them: it hears of every end, if need be by its being sent again. */
async function live(tenant: PatientTenant): Promise<number> {
  const statuses = ["pending", "queued", "running", "retrying"].map((status) => `status=${status}`).join("&");
  return (await tenant.call("GET", `/v1/jobs?${statuses}&size=1`)).body.meta.paging.total;
}
