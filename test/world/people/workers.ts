// Workers: they claim, work, beat, report, and now and then they die, leave, or say nothing. They go on after the world has closed,
// until nothing waits for them any more.

import { flowStarted } from "../judge/flows.ts";
import { type JobFacts, type Start, tellOf } from "../judge/ledger.ts";
import { checkOutage, isHeld } from "../judge/outage.ts";
import { checkStart } from "../judge/starts.ts";
import type { Chance } from "../platform/chance.ts";
import { type Client, isDone } from "./client.ts";

const SECOND = 1_000;

export interface Leased {
  readonly job_id: string;
  readonly execution_id: string;
  readonly attempt: number;
  readonly scheduled_for: string;
  readonly timeout: number;
  readonly payload: { n?: number; schedule?: number };
  readonly lease_expires_at: string;
}

export async function worker(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  const many = chance.int(1, 2);
  const temper = chance.happens(0.5) ? chance.next() * 0.4 : 0;
  const most = chance.happens(0.4) ? chance.int(2, 20) : null;
  for (let i = 0; i < many; i++)
    void work(client, chance.stream(`worker ${i}`), `${tenant.name} worker ${i}`, temper, most);
  await world.sleep(0);
}

async function work(client: Client, chance: Chance, name: string, temper: number, most: number | null): Promise<void> {
  const { world, tenant } = client;
  while (!world.isOver) {
    const waitSeconds = world.isOpen ? chance.pick([0, 5, 20, 20, 20]) : 0;
    const leaves = world.isOpen && chance.happens(0.1 * temper);
    const askedAt = world.now;
    const body = {
      handlers: chance.happens(0.2) ? [tenant.handler, "something else"] : [tenant.handler],
      wait_time_seconds: waitSeconds,
      worker_id: name,
      ...(most !== null && { max_jobs: most }),
    };
    const asked = leaves
      ? { leavesAfterMs: chance.next() * 1_000 * (waitSeconds + 1) }
      : { leavesAfterMs: 90 * SECOND };
    const answer = await client.once("POST", "/v1/worker/jobs/claim", body, asked);
    if (isDone(answer))
      for (const handler of body.handlers) world.ledger.polls.set(`${tenant.name} ${handler}`, world.now);
    checkOutage(world, tenant, answer, "a claim");
    if (!isDone(answer)) await world.sleep(world.isOpen ? 2 * SECOND : 45 * SECOND);
    else {
      const data = answer.body?.data ?? null;
      const leased: Leased[] = data === null ? [] : most === null ? [data] : data;
      await Promise.all(leased.map((one) => serve(client, chance, one, askedAt, temper)));
      if (leased.length === 0) await world.sleep(waitSeconds > 0 ? 100 : world.isOpen ? 5 * SECOND : 45 * SECOND);
    }
  }
}

export async function serve(
  client: Client,
  chance: Chance,
  leased: Leased,
  askedAt: number,
  temper: number,
): Promise<void> {
  const { world, tenant } = client;
  const { ledger } = world;
  const { job_id: id, execution_id: executionId, attempt } = leased;
  const wish = leased.payload?.n === undefined ? undefined : ledger.wishes[leased.payload.n];
  if (wish?.outcome === "refused")
    ledger.violated("what was refused does not exist", `job ${id} of wish ${leased.payload.n}`);
  const isKnown = ledger.jobs.has(id);
  const job = ledger.jobs.get(id) ?? ledger.met(id, tenant, "pull", Date.parse(leased.scheduled_for), 50);
  if (!isKnown && wish) tellOf(job, wish);
  if (job.tenant !== tenant) ledger.violated("no account sees another", `${tenant.name} is given ${id}`);
  const start: Start = {
    // Its answer may have been long on the way.
    at: Math.min(world.now, Date.parse(leased.lease_expires_at) - leased.timeout * SECOND),
    executionId,
    attempt,
    heldUntil: Date.parse(leased.lease_expires_at),
    outcome: "open",
    acceptedAt: null,
    endedAt: null,
  };
  world.note("leased", id, `${executionId} attempt ${attempt}`);
  // Its batch has waited for a slow owner, and others may have held the job since: it is not even begun.
  if (start.heldUntil + world.skewMs < world.now && world.climate.has("slow-calls")) return;
  if (cameAfterNext(job, start)) return;
  checkLease(client, job, start);
  checkStart(ledger, job, start, askedAt, world);
  flowStarted(world, job, start);
  job.starts.push(start);
  const misbehaves = world.isOpen && chance.happens(temper);
  if (misbehaves && chance.happens(0.4)) return; // it dies
  // It has lost its clock, and reports when somebody else may hold the job.
  const isLate = misbehaves && chance.happens(0.3);
  if (isLate) await world.sleep(leased.timeout * SECOND * chance.between(0.9, 3));
  // Some work long, and say every second that they are alive.
  const isEager = chance.happens(0.08);
  const isLong = isEager || chance.happens(0.03) || (misbehaves && chance.happens(0.3));
  const worksMs = isLong ? chance.around(90 * SECOND) : chance.latency(300);
  const beatMs = isEager ? SECOND : (leased.timeout * SECOND) / 3;
  if (!isLate && !(await beats(client, chance, job, start, worksMs, beatMs))) return;
  if (misbehaves && chance.happens(0.5)) await fail(client, chance, job, start);
  else await complete(client, job, start);
}

/** Its owner died while the rest of its batch was waited for, and the attempt that followed has been heard of first. */
function cameAfterNext({ starts }: JobFacts, { attempt, at }: Start): boolean {
  const last = starts.at(-1);
  return last !== undefined && last.attempt > attempt && last.at > at;
}

/** While a worker may hold a job, nobody else is given it. */
function checkLease(client: Client, job: JobFacts, start: Start): void {
  const { world } = client;
  const before = job.starts.at(-1);
  const isFree = before?.outcome !== "open" || before.heldUntil <= start.at + world.skewMs;
  const isRevived = job.cancelledAt !== null || job.revivedAt > (before?.at ?? 0);
  if (!isFree && !isRevived && job.unsettled === 0)
    world.ledger.violated(
      "a lease is one worker's",
      `job ${job.id}: ${before?.executionId} is held until ${new Date(before?.heldUntil ?? 0).toISOString()}`,
    );
}

/** @returns whether the worker may go on */
async function beats(
  client: Client,
  chance: Chance,
  job: JobFacts,
  start: Start,
  worksMs: number,
  pauseMs: number,
): Promise<boolean> {
  const { world } = client;
  let left = worksMs;
  while (left > pauseMs) {
    await world.sleep(pauseMs);
    left -= pauseMs;
    const progress = chance.happens(0.3) ? { progress: { left: Math.round(left) } } : {};
    const answer = await client.once("POST", `/v1/worker/jobs/${job.id}/heartbeat`, {
      execution_id: start.executionId,
      ...progress,
    });
    if (isDone(answer)) {
      if (answer.body.data.cancel_requested) return false;
      world.note("beats", job.id);
      start.heldUntil = Math.max(start.heldUntil, Date.parse(answer.body.data.lease_expires_at));
    } else if (answer?.status === 409) return false;
  }
  await world.sleep(left);
  return true;
}

async function complete(client: Client, job: JobFacts, start: Start): Promise<void> {
  const sentAt = client.world.now;
  start.outcome = "reporting";
  start.endedAt = sentAt;
  const body = { execution_id: start.executionId, result: { by: start.executionId } };
  const answer = await client.surely("POST", `/v1/worker/jobs/${job.id}/complete`, body, {}, (first) => {
    if (isHeld(client.world, job, start)) checkOutage(client.world, job.tenant, first, `complete of job ${job.id}`);
  });
  if (isDone(answer)) {
    job.completedBy = start.executionId;
    Object.assign(start, { outcome: "completed", acceptedAt: client.world.now });
    return;
  }
  reportRefused(client, job, start, sentAt, answer?.status);
}

async function fail(client: Client, chance: Chance, job: JobFacts, start: Start): Promise<void> {
  const sentAt = client.world.now;
  start.outcome = "reporting";
  start.endedAt = sentAt;
  const retryable = chance.happens(0.8);
  const body = { execution_id: start.executionId, error: { message: "it did not work" }, retryable };
  const answer = await client.surely("POST", `/v1/worker/jobs/${job.id}/fail`, body, {}, (first) => {
    if (isHeld(client.world, job, start)) checkOutage(client.world, job.tenant, first, `fail of job ${job.id}`);
  });
  if (isDone(answer)) Object.assign(start, { outcome: retryable ? "failed" : "final", acceptedAt: client.world.now });
  else reportRefused(client, job, start, sentAt, answer?.status);
}

/** A worker whose lease lasts is heard, unless the job was cancelled meanwhile. */
function reportRefused(client: Client, job: JobFacts, start: Start, sentAt: number, status: number | undefined): void {
  const { world, tenant } = client;
  start.outcome = "silent";
  const isHeld = world.now < start.heldUntil - world.skewMs;
  const isExcused =
    status === undefined ||
    status === 403 ||
    status === 401 ||
    job.cancelledAt !== null ||
    job.unsettled > 0 ||
    job.mayBeDeleted ||
    tenant.deletedAt !== null ||
    world.ledger.mayBeCancelled(job);
  if (isHeld && !isExcused)
    world.ledger.violated(
      "a worker whose lease lasts is heard",
      `job ${job.id}: ${status} at ${world.now - sentAt} ms, with ${start.heldUntil - world.now} ms left`,
    );
}
