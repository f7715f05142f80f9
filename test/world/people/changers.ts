// Those who change jobs that exist: they cancel, edit, run, retry and delete.

import type { JobFacts } from "../judge/ledger.ts";
import { checkOutage, waitsForItsTime } from "../judge/outage.ts";
import type { Chance } from "../platform/chance.ts";
import { type Client, isDone } from "./client.ts";

const SECOND = 1_000;

/** Once in a while, some job of the tenant: a young one more often. */
async function nowAndThen(
  client: Client,
  chance: Chance,
  pauseMs: number,
  act: (job: JobFacts) => Promise<void>,
): Promise<void> {
  const { world, tenant } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(pauseMs));
    const jobs = [...world.ledger.jobs.values()].filter((job) => job.tenant === tenant && job.deletedAt === null);
    if (!world.isOpen || jobs.length === 0) continue;
    const job = chance.happens(0.6) ? jobs.at(-1 - chance.int(0, Math.min(4, jobs.length - 1))) : chance.pick(jobs);
    if (job && job.unsettled === 0) await act(job);
  }
}

export const canceller = (client: Client, chance: Chance): Promise<void> =>
  nowAndThen(client, chance, 10 * SECOND, (job) => cancel(client, job));

export async function cancel(client: Client, job: JobFacts): Promise<void> {
  const { world } = client;
  world.note("asks", job.id, "cancel");
  const needsNoRow = waitsForItsTime(world, job);
  job.cancelAsked = true;
  const askedAt = world.now;
  const answer = await client.surely("POST", `/v1/jobs/${job.id}/cancel`, undefined, {}, (first) => {
    if (needsNoRow && world.now < job.notBefore) checkOutage(world, job.tenant, first, `cancel of job ${job.id}`);
  });
  if (!isDone(answer)) return;
  if (answer.body.data.status !== "cancelled")
    world.ledger.violated("a cancelled job is cancelled", `job ${job.id} is ${answer.body.data.status}`);
  // If somebody has revived it meanwhile, nobody knows what came first.
  if (job.unsettled === 0 && job.revivedAt < askedAt) job.cancelledAt = world.now;
}

/** It is due now, if that is answered; until then nobody knows. */
async function revive(client: Client, job: JobFacts, how: "run" | "retry"): Promise<void> {
  const { world } = client;
  world.note("asks", job.id, how);
  job.unsettled += 1;
  job.ranAt = null;
  const answer = await client.surely("POST", `/v1/jobs/${job.id}/${how}`);
  if (how === "retry" && (!answer || answer.mayHaveBeenDone)) job.retries = null;
  else if (how === "retry" && isDone(answer) && job.retries !== null) job.retries += 1;
  if (answer) job.unsettled -= 1;
  if (how === "run" && isDone(answer) && job.starts.length === 0) job.ranAt = world.now;
  if (!answer || isDone(answer) || answer.mayHaveBeenDone)
    Object.assign(job, { revivedAt: world.now, notBefore: Math.min(job.notBefore, world.now - ASKED_MS) });
}

/** What is due now may have started before the answer came. */
const ASKED_MS = 60 * SECOND;

export const runner = (client: Client, chance: Chance): Promise<void> =>
  nowAndThen(client, chance, 15 * SECOND, (job) => revive(client, job, "run"));

export const retrier = (client: Client, chance: Chance): Promise<void> =>
  nowAndThen(client, chance, 10 * SECOND, (job) => revive(client, job, "retry"));

/** Another time, another payload, or less. */
export const changer = (client: Client, chance: Chance): Promise<void> =>
  nowAndThen(client, chance, 10 * SECOND, (job) => {
    const { world } = client;
    const body = chance.pick<object>([
      { delay: { value: chance.int(1, 300), unit: "second" } },
      ...(world.hasFarJobs ? [{ delay: { value: chance.int(55, 70), unit: "minute" } }] : []),
      { name: "another name" },
      { max_retries: chance.int(0, 4) },
    ]);
    return change(client, job, body);
  });

export async function change(client: Client, job: JobFacts, body: object): Promise<void> {
  const { world } = client;
  world.note("asks", job.id, "change");
  job.unsettled += 1;
  job.changedAt = world.now;
  job.ranAt = null;
  const answer = await client.once("PATCH", `/v1/jobs/${job.id}`, body);
  if (answer === null || answer.status === 503) return; // it may be done, now or later
  job.unsettled -= 1;
  if (isDone(answer)) job.notBefore = Date.parse(answer.body.data.run_at ?? answer.body.data.scheduled_for);
}

export const deleter = (client: Client, chance: Chance): Promise<void> =>
  nowAndThen(client, chance, 15 * SECOND, (job) => remove(client, job));

export async function remove(client: Client, job: JobFacts): Promise<void> {
  const { world } = client;
  world.note("asks", job.id, "delete");
  const mayHaveBeen = job.mayBeDeleted; // somebody else has asked, too
  job.mayBeDeleted = true;
  const answer = await client.surely("DELETE", `/v1/jobs/${job.id}`);
  if (isDone(answer) || (answer?.status === 404 && answer.mayHaveBeenDone)) job.deletedAt = world.now;
  else if (answer?.status === 409 && !answer.mayHaveBeenDone) job.mayBeDeleted = mayHaveBeen;
}
