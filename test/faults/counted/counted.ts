// A counted run: jobs that complete, fail and are retried, while the process is killed. In the end the overview is what the
// executions say, one by one.

import { setTimeout as sleep } from "node:timers/promises";
import type { showOverview } from "../../../src/routes/show-overview.ts";
import { eachOf } from "../../harness/each-of.ts";
import { Receiver, type Reply } from "../../harness/receiver.ts";
import type { Service } from "../../harness/service.ts";
import type { Execution, Job } from "../../harness/tenant.ts";
import { holdsWithin } from "../../harness/until.ts";
import { Chance } from "../harness/chance.ts";
import { crash } from "../harness/crash.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import { p99 } from "../harness/table.ts";
import type { Part } from "../part.ts";

export interface CountedPlan {
  readonly jobs: number;
  readonly kills: number;
}

/** Jobs of one request. */
const BATCH = 100;
const KEYS = 10;

/** How a job's attempts are answered; the last answer repeats. */
const KINDS: readonly { readonly replies: readonly Reply[]; readonly max_retries: number }[] = [
  { replies: [200], max_retries: 3 },
  { replies: [200], max_retries: 3 },
  { replies: [500, 200], max_retries: 3 },
  { replies: [500], max_retries: 1 },
  { replies: [404], max_retries: 3 },
];

/** A job in flight at a kill waits for its backoff, one that was never armed for the sweep. */
const RECOVERY_MS = 180_000;

/** What died with a projector is claimed by the next, and counted by the cron. */
const RECOUNT_MS = 180_000;

interface Sums {
  started: number;
  completed: number;
  failed: number;
  retried: number;
}

export async function countUnderKills(service: Service, { jobs, kills }: CountedPlan, seed: number): Promise<Part> {
  const chance = new Chance(seed);
  const receiver = await Receiver.listen();
  const tenant = await PatientTenant.make(service, "counted", KEYS);
  const ids: string[] = [];
  let killsLeft = kills;
  for (let made = 0; made < jobs; made += BATCH) {
    ids.push(...(await createBatch(tenant, receiver, chance, made, Math.min(BATCH, jobs - made))));
    if (killsLeft > 0 && made + BATCH >= (jobs * (kills - killsLeft + 1)) / (kills + 1)) {
      killsLeft -= 1;
      await sleep(chance.between(500, 2_000));
      await crash(service);
    }
  }
  for (; killsLeft > 0; killsLeft--) await crash(service);

  const faults: string[] = [];
  if (!(await holdsWithin(RECOVERY_MS, async () => (await live(tenant)) === 0, 1_000)))
    faults.push("counted run: not all jobs have ended");
  const lives = await eachOf(ids, 20, (id) => lifeOf(tenant, id));
  await receiver.close();
  const wanted = sumOf(lives);
  const failures = lives.flatMap(({ executions }) =>
    executions.filter(({ status, started_at }) => started_at && (status === "failed" || status === "timed_out")),
  ).length;
  let said = await overviewOf(tenant);
  await holdsWithin(
    RECOUNT_MS,
    async () => {
      said = await overviewOf(tenant);
      return isSame(said.sums, wanted) && said.failing === failures;
    },
    3_000,
  );
  if (!isSame(said.sums, wanted))
    faults.push(
      `counted run: the overview says ${JSON.stringify(said.sums)}, the executions ${JSON.stringify(wanted)}`,
    );
  if (said.failing !== failures)
    faults.push(`counted run: the groups of failures add up to ${said.failing}, the executions to ${failures}`);
  const lateMs = lives.flatMap(({ executions }) => executions.flatMap(({ lateness_ms }) => lateness_ms ?? []));
  const row = {
    fault: `SIGKILL, ${kills} times: ${wanted.started} attempts counted`,
    jobs: lives.length,
    delivered: lives.filter(({ job }) => job.status === "completed").length,
    lost: Math.abs(said.sums.started - wanted.started),
    duplicated: 0,
    early: 0,
    lateP99Ms: p99(lateMs),
  };
  return { rows: [row], faults, secrets: tenant.secrets };
}

async function createBatch(
  tenant: PatientTenant,
  receiver: Receiver,
  chance: Chance,
  first: number,
  count: number,
): Promise<string[]> {
  const jobs = Array.from({ length: count }, (_, i) => {
    const { replies, max_retries } = chance.pick(KINDS);
    return {
      ...{ name: "counted", handler: `counted-${i % 3}`, max_retries, idempotency_key: `counted-${first + i}` },
      ...receiver.target(...replies).delivery(),
      delay: { value: chance.between(1, 4), unit: "second" },
      backoff: { type: "fixed", initial: 1, max: 1, jitter: false },
    };
  });
  for (;;) {
    const { status, body } = await tenant.call<{ job: Job }[]>("POST", "/v1/jobs/batch", { jobs });
    if (status === 201 || status === 200) return body.data.map(({ job }) => job.id);
    if (status !== 503) throw new Error(`a batch was refused: ${status} ${JSON.stringify(body)}`);
    await sleep(500);
  }
}

async function live(tenant: PatientTenant): Promise<number> {
  const statuses = ["pending", "queued", "running", "retrying"].map((status) => `status=${status}`).join("&");
  return (await tenant.call("GET", `/v1/jobs?${statuses}&size=1`)).body.meta.paging.total;
}

interface Life {
  readonly job: Job;
  readonly executions: readonly Execution[];
}

async function lifeOf(tenant: PatientTenant, id: string): Promise<Life> {
  const { body } = await tenant.call<Execution[]>("GET", `/v1/jobs/${id}/executions?size=100`);
  return { job: (await tenant.call<Job>("GET", `/v1/jobs/${id}`)).body.data, executions: body.data };
}

/** Nobody has retried by hand: only the last attempt can have ended its job. */
function sumOf(lives: readonly Life[]): Sums {
  const sums: Sums = { started: 0, completed: 0, failed: 0, retried: 0 };
  for (const { job, executions } of lives)
    for (const [i, { status, started_at }] of executions.entries()) {
      if (started_at === null) continue;
      sums.started += 1;
      const isLast = i === executions.length - 1;
      if (status === "completed") sums.completed += 1;
      else if (isLast && job.status === "failed") sums.failed += 1;
      else sums.retried += 1;
    }
  return sums;
}

async function overviewOf(tenant: PatientTenant): Promise<{ sums: Sums; failing: number }> {
  const { status, body } = await tenant.call<ReturnType<typeof showOverview>>("GET", "/v1/overview?window=1h");
  const sums: Sums = { started: 0, completed: 0, failed: 0, retried: 0 };
  if (status !== 200) return { sums, failing: 0 };
  for (const bucket of body.data.buckets)
    for (const name of ["started", "completed", "failed", "retried"] as const) sums[name] += bucket[name];
  return { sums, failing: body.data.failing.reduce((sum, { count }) => sum + count, 0) };
}

const isSame = (one: Sums, other: Sums): boolean => JSON.stringify(one) === JSON.stringify(other);
