// The rules of a start, checked when it happens: not early, not after a cancel's answer, not before its backoff, not twice.

import { createHmac } from "node:crypto";
import type { Arrival } from "../platform/platform.ts";
import { bodyOf, type JobFacts, type Ledger, type Start, type Tenant } from "./ledger.ts";

/** A push that has left before its job was cancelled may arrive after the answer to that. */
const ON_ITS_WAY_MS = 50;

/** The first backoff. */
const LEAST_BACKOFF_MS = 1_000;

/** Where nothing goes wrong; a crowd is spread over four seconds. */
const RUN_WITHIN_MS = 10_000;

/** An account's standing is remembered for a minute, and a read may take ten seconds. */
const SUSPENSION_KNOWN_MS = 75_000;

/**
 * @param askedAt when the worker asked for it; a push: when it arrived
 * @param skewMs by how much two clocks may differ
 * @param knowsSuspensions whether D1 can tell everybody of a suspension
 */
export function checkStart(
  ledger: Ledger,
  job: JobFacts,
  start: Start,
  askedAt: number,
  { skewMs, knowsSuspensions }: { readonly skewMs: number; readonly knowsSuspensions: boolean },
): void {
  const { id, notBefore, cancelledAt, revivedAt, unsettled } = job;
  const violated = (rule: string, what: string) => ledger.violated(rule, `job ${id}: ${what}`);
  if (unsettled === 0 && start.at < notBefore - skewMs)
    violated("nothing starts early", `attempt ${start.attempt} starts ${notBefore - start.at} ms early`);
  if (unsettled === 0 && cancelledAt !== null && askedAt > cancelledAt + ON_ITS_WAY_MS && revivedAt < cancelledAt)
    violated(
      "nothing starts after a cancel's answer",
      `attempt ${start.attempt} starts ${askedAt - cancelledAt} ms after`,
    );
  if (job.deletedAt !== null && start.at > job.deletedAt + ON_ITS_WAY_MS)
    violated("a deleted job stays deleted", `attempt ${start.attempt} starts`);
  const before = job.starts.at(-1);
  if (job.starts.some(({ executionId }) => executionId === start.executionId))
    violated("an execution starts once", `execution ${start.executionId} starts again`);
  if (before && unsettled === 0 && revivedAt < before.at && start.at < before.at + LEAST_BACKOFF_MS - skewMs)
    violated(
      "no retry before its backoff",
      `attempt ${start.attempt} starts ${start.at - before.at} ms after the last`,
    );
  if (before && start.attempt <= before.attempt)
    violated("attempts are numbered on", `attempt ${start.attempt} comes after ${before.attempt}`);
  if (job.completedBy !== null)
    violated(
      "an accepted report stands",
      `attempt ${start.attempt} starts after execution ${job.completedBy} completed`,
    );
  const since = job.tenant.suspensions.findLast(({ from, until }) => from <= start.at && start.at < until);
  if (knowsSuspensions && since && start.at > since.from + SUSPENSION_KNOWN_MS && job.kind !== "pull")
    violated(
      "a suspended account's attempts wait",
      `attempt ${start.attempt} starts ${start.at - since.from} ms after`,
    );
  const { deletedAt } = job.tenant;
  if (knowsSuspensions && deletedAt !== null && start.at > deletedAt + SUSPENSION_KNOWN_MS)
    violated("a deleted account's jobs do not run", `attempt ${start.attempt} starts`);
}

/** A row that nobody has armed is found by the sweeper: 15 s after its time, with the next minute. */
const SWEPT_MS = 80_000;
const MINUTE_MS = 60_000;
/** One that is given its owner by a repeat of its creation. */
const GIVEN_MS = 20_000;

/**
 * How late the first push may be of a job that was made without an answer, and that a repeat of its creation was told of. That repeat gives
 * it its owner, unless D1 cannot tell: then it is swept as soon as D1 is well.
 *
 * @param mostMs of a job that was answered 201
 * @param wellSince when D1 was or will be well again
 * @param isFickle single queries fail at any time
 */
export function mostLateMsOf(
  { notBefore, knownAt, wasFound }: JobFacts,
  mostMs: number,
  wellSince: number,
  isFickle: boolean,
): number {
  if (!wasFound || knownAt === null) return mostMs;
  if (isFickle) return Math.max(mostMs, SWEPT_MS + MINUTE_MS);
  if (wellSince < knownAt) return Math.min(mostMs, GIVEN_MS);
  return Math.max(mostMs, SWEPT_MS + Math.max(0, wellSince - Math.max(notBefore, knownAt)));
}

/** A first push of a job that was answered 201 and left alone. @param mostMs how late it may be in this world */
export function checkLateness(ledger: Ledger, job: JobFacts, start: Start, mostMs: number): void {
  const { kind, knownAt, unsettled, revivedAt, tenant, cancelAsked, key } = job;
  const isLeftAlone = unsettled === 0 && revivedAt === 0 && !cancelAsked && key === null && job.changedAt === null;
  if (
    kind !== "push" ||
    knownAt === null ||
    start.attempt !== 1 ||
    !isLeftAlone ||
    job.flow !== null ||
    tenant.suspensions.length > 0
  )
    return;
  if (tenant.deletedAt !== null) return; // while D1 is away nobody can tell that its account is gone
  const lateMs = start.at - Math.max(job.notBefore, knownAt);
  if (lateMs > mostMs) ledger.violated("what is due starts", `job ${job.id}: it starts ${lateMs} ms late`);
}

/** A job that somebody has run is due at once, unless its account waits. */
export function checkRun(ledger: Ledger, job: JobFacts, start: Start): void {
  const { ranAt, kind, tenant, unsettled } = job;
  if (
    ranAt === null ||
    job.flow !== null ||
    kind !== "push" ||
    unsettled > 0 ||
    job.starts.length > 0 ||
    tenant.suspensions.length > 0
  )
    return;
  if (start.at > ranAt + RUN_WITHIN_MS)
    ledger.violated("what is run starts", `job ${job.id}: it starts ${start.at - ranAt} ms after it was run`);
}

/** Signed with a secret that its tenant has been told, and that still counts. */
export function checkSignature(ledger: Ledger, tenant: Tenant, push: Arrival): void {
  const { headers, body } = push;
  const text = `${headers["X-Chronos-Delivery-Id"]}.${headers["X-Chronos-Timestamp"]}.${body}`;
  const isRight = tenant.secrets.some(
    ({ secret, validUntil }) =>
      push.at <= validUntil &&
      headers["X-Chronos-Signature"] === `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`,
  );
  if (!isRight)
    ledger.violated("a delivery is signed with a secret that the account was shown", `a push of ${tenant.name}`);
}

/** One job for each tick. */
export function checkTick(ledger: Ledger, push: Arrival, n: number, jobId: string): void {
  const schedule = ledger.schedules.find((one) => one.n === n);
  const tick = String(bodyOf(push).scheduled_for);
  if (!schedule || schedule.triggered.has(jobId) || schedule.mayHaveMore) return;
  const known = schedule.ticks.get(tick);
  if (known !== undefined && known !== jobId)
    ledger.violated("one job for each tick", `schedule ${schedule.id}: ${tick} has ${known} and ${jobId}`);
  schedule.ticks.set(tick, jobId);
}
