// The process dies while the jobs of two flows take their turns, one pushed and one pulled: never more attempts at once than the
// flow allows, in the order they were due, and in the end nobody waits behind a slot that belongs to no attempt.

import { setTimeout as sleep } from "node:timers/promises";
import { type Delivery, Receiver } from "../../harness/receiver.ts";
import type { Service } from "../../harness/service.ts";
import { holdsWithin } from "../../harness/until.ts";
import { Chance } from "../harness/chance.ts";
import { crash } from "../harness/crash.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import { PullWorker } from "../harness/pull-worker.ts";
import { p99 } from "../harness/table.ts";
import type { Part } from "../part.ts";

export interface FlowsPlan {
  /** So many are pushed, and a third as many are pulled. */
  readonly jobs: number;
  readonly kills: number;
}

const CONCURRENCY = 5;
const WORK_MS = 40;
/** More workers than the flow lets work. */
const POLLS = 8;
const LEASE_SECONDS = 10;
const BATCH = 100;
/** How long making a job may take on a busy machine: all of them exist before the first is due. */
const MADE_WITHIN_MS = 20;

/** A slot whose attempt nobody knows of is found out after half a minute; a lease and a backoff may come before it. */
const RECOVERY_MS = 180_000;

interface FlowJson {
  readonly waiting: number;
  readonly running: number;
}

export async function limitUnderKills(service: Service, { jobs, kills }: FlowsPlan, seed: number): Promise<Part> {
  const chance = new Chance(seed);
  const receiver = await Receiver.listen();
  const tenant = await PatientTenant.make(service, "flows", 8);
  const target = receiver.target((response) => void setTimeout(() => response.writeHead(200).end(), WORK_MS));
  const pulled = Math.ceil(jobs / 3);
  const due = new Map<string, number>();
  for (const flow of ["pushed", "pulled"])
    await tenant.call("PUT", `/v1/flows/${flow}`, { concurrency: CONCURRENCY, paused: true });
  await makeJobs(tenant, jobs, due, { flow: "pushed", max_retries: 0, ...target.delivery() });
  const work = {
    flow: "pulled",
    handler: "work",
    timeout: LEASE_SECONDS,
    max_retries: 20,
    payload: { work_ms: WORK_MS },
  };
  await makeJobs(tenant, pulled, due, work);

  const faults: string[] = [];
  const flowOf = async (key: string) => (await tenant.call<FlowJson>("GET", `/v1/flows/${key}`)).body.data;
  const stand = async () => (await flowOf("pushed")).waiting === jobs && (await flowOf("pulled")).waiting === pulled;
  if (!(await holdsWithin(RECOVERY_MS, stand, 500))) faults.push("not all that were due stood in line");
  if (target.deliveries.length > 0) faults.push("a paused flow let an attempt start");

  const worker = new PullWorker(tenant, seed, POLLS);
  for (const flow of ["pushed", "pulled"]) await tenant.call("POST", `/v1/flows/${flow}/resume`);
  for (let kill = 0; kill < kills; kill++) {
    await sleep(chance.between(300, 2_000));
    await crash(service);
  }
  const isOver = async () => {
    const [one, other] = [await flowOf("pushed"), await flowOf("pulled")];
    return one.waiting + one.running + other.waiting + other.running === 0 && (await count(tenant)) === jobs + pulled;
  };
  if (!(await holdsWithin(RECOVERY_MS, isOver, 1_000)))
    faults.push(`not all have ended: ${JSON.stringify([await flowOf("pushed"), await flowOf("pulled")])}`);
  await worker.stop();
  await receiver.close();

  const { deliveries } = target;
  const most = mostAtOnce(deliveries);
  if (most > CONCURRENCY) faults.push(`${most} attempts were at the target at once`);
  faults.push(...outOfOrder(deliveries, due));
  const held = mostHeld(worker);
  if (held > CONCURRENCY) faults.push(`${held} attempts were in the hands of workers at once`);
  const arrived = new Set(deliveries.map(({ json }) => json.job_id));
  const completed = new Set(worker.work.filter(({ report }) => report === "completed").map(({ jobId }) => jobId));
  const row = (name: string, wanted: number, seen: number, starts: number, lateMs: readonly number[]) => ({
    fault: `SIGKILL, ${kills} times: a flow of ${CONCURRENCY}, ${name}`,
    jobs: wanted,
    delivered: seen,
    lost: wanted - seen,
    duplicated: starts - seen,
    early: 0,
    lateP99Ms: p99(lateMs),
  });
  return {
    rows: [
      row("push", jobs, arrived.size, deliveries.length, lateOf(deliveries, due)),
      row("pull", pulled, completed.size, worker.work.filter(({ report }) => report === "completed").length, []),
    ],
    faults: faults.map((fault) => `flows: ${fault}`),
    secrets: tenant.secrets,
  };
}

const lateOf = (all: readonly Delivery[], due: ReadonlyMap<string, number>): number[] =>
  all.map(({ at, json }) => at - (due.get(json.job_id) ?? at));

/** Due one after the other, a millisecond apart. */
async function makeJobs(tenant: PatientTenant, wanted: number, due: Map<string, number>, job: object): Promise<void> {
  const first = Date.now() + 5_000 + wanted * MADE_WITHIN_MS;
  for (let made = 0; made < wanted; made += BATCH) {
    const size = Math.min(BATCH, wanted - made);
    const jobs = Array.from({ length: size }, (_, n) => ({
      name: "takes its turn",
      scheduled_for: new Date(first + made + n).toISOString(),
      ...job,
    }));
    const { status, body } = await tenant.call<{ job: { id: string; scheduled_for: string } }[]>(
      "POST",
      "/v1/jobs/batch",
      { jobs },
    );
    if (status !== 201) throw new Error(`jobs were refused: ${status} ${JSON.stringify(body)}`);
    for (const { job: made } of body.data) due.set(made.id, Date.parse(made.scheduled_for));
  }
}

const count = async (tenant: PatientTenant): Promise<number> =>
  (await tenant.call("GET", "/v1/jobs?status=completed&size=1")).body.meta.paging.total;

/** From its arrival until it was answered, or its connection cut. */
function mostAtOnce(all: readonly Delivery[]): number {
  const ends = all.map(({ at, cutAt }) => ({ at: cutAt ?? at + WORK_MS, by: -1 }));
  return peakOf([...all.map(({ at }) => ({ at, by: 1 })), ...ends]);
}

/** A worker has a job from its claim until its report is accepted, or its lease ends. */
function mostHeld({ work }: PullWorker): number {
  const done = work.filter(({ report }) => report === "completed");
  return peakOf(
    done.flatMap(({ at }) => [
      { at, by: 1 },
      { at: at + WORK_MS, by: -1 },
    ]),
  );
}

/** At one moment ends go before starts. */
function peakOf(changes: { readonly at: number; readonly by: number }[]): number {
  let [now, most] = [0, 0];
  for (const { by } of changes.sort((a, b) => a.at - b.at || a.by - b.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** Turns are given in the order in which attempts were due: one arrives before an earlier one only if both had a slot. */
function outOfOrder(all: readonly Delivery[], due: ReadonlyMap<string, number>): string[] {
  const firsts = all.filter(({ json }) => json.attempt === 1);
  const dueAt = firsts.map(({ json }) => due.get(json.job_id) ?? 0);
  return dueAt.flatMap((mine, i) => {
    const earlier = dueAt.slice(i + 1).filter((other) => other < mine).length;
    return earlier < CONCURRENCY ? [] : [`an attempt arrived before ${earlier} that were due earlier`];
  });
}
