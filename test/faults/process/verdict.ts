// Judges a job after the crashes: by what its account is told of it, and by what its target and its workers saw.

import { createHmac } from "node:crypto";
import type { Delivery } from "../../harness/receiver.ts";
import type { PullWorker, Work } from "../harness/pull-worker.ts";
import { p99, type Row } from "../harness/table.ts";
import type { Accepted, Kind } from "./load.ts";

export interface Verdict {
  readonly kind: Kind;
  readonly delivered: boolean;
  /** How often more than once. */
  readonly duplicates: number;
  readonly lateMs: readonly number[];
  readonly isEarly: boolean;
  /** What must not be: in words, with the job's id. */
  readonly faults: readonly string[];
}

interface Execution {
  readonly id: string;
  readonly attempt: number;
  readonly trigger: string;
  readonly status: string;
  readonly due_at: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly lateness_ms: number | null;
}

/** A start seen from outside: a request at the target, or a claim answered to a worker. */
interface Start {
  readonly executionId: string;
  readonly at: number;
  readonly succeeded: boolean;
}

/** Shortest backoff after a failure or an interruption (contract §3). */
const BACKOFF_MS = 1_000;

/** @param listed its status, if a list has shown it already */
export async function judge(
  job: Accepted,
  workers: ReadonlyMap<string, PullWorker>,
  listed?: string,
): Promise<Verdict> {
  const { tenant, id, kind } = job;
  const status = listed ?? (await tenant.get<{ status: string }>(`/v1/jobs/${id}`)).data.status;
  const executions = (await tenant.get<Execution[]>(`/v1/jobs/${id}/executions?size=100`)).data;
  const starts = kind.startsWith("pull") ? claimsOf(job, workers) : pushesOf(job);
  const successes = starts.filter(({ succeeded }) => succeeded);
  const wanted = job.cancelledAt === null ? "completed" : "cancelled";
  const faults: string[] = [];
  if (status !== wanted) faults.push(`is ${status}, not ${wanted}`);
  if (wanted === "completed" && successes.length === 0) faults.push("ended without a delivery");
  if (job.cancelledAt !== null && starts.some(({ at }) => at > (job.cancelledAt ?? 0)))
    faults.push("started after it was cancelled");
  faults.push(...foreignStarts(starts, executions), ...unexplainedRepeats(successes, executions));
  return {
    kind,
    delivered: successes.length > 0,
    duplicates: Math.max(0, successes.length - 1),
    lateMs: executions.flatMap(({ lateness_ms }) => lateness_ms ?? []),
    isEarly: isEarly(job, starts, executions),
    faults: faults.map((fault) => `${kind} ${id} ${fault} ${JSON.stringify({ executions, starts })}`),
  };
}

/** A target has done its part with its answer, whether that could still be taken or not. */
const pushesOf = ({ target }: Accepted): Start[] =>
  (target?.deliveries ?? []).map(({ json, at, answered }) => ({
    executionId: json.execution_id,
    at,
    succeeded: answered === 200,
  }));

const claimsOf = ({ id, tenant }: Accepted, workers: ReadonlyMap<string, PullWorker>): Start[] =>
  (workers.get(tenant.id)?.work ?? [])
    .filter((work: Work) => work.jobId === id)
    .map(({ executionId, at, report }) => ({ executionId, at, succeeded: report === "completed" }));

/** Whatever starts is on record, and starts once. */
function foreignStarts(starts: readonly Start[], executions: readonly Execution[]): string[] {
  const known = new Set(executions.map(({ id }) => id));
  const foreign = starts.filter(({ executionId }) => !known.has(executionId));
  const twice = new Set(starts.map(({ executionId }) => executionId)).size < starts.length;
  return [...(foreign.length > 0 ? ["ran an execution nobody knows of"] : []), ...(twice ? ["ran one twice"] : [])];
}

const CUT_OFF: ReadonlySet<string> = new Set(["interrupted", "cancelled"]);

/** A second success is explained only by a first one that was cut off in flight, by a death or by a cancellation. */
function unexplainedRepeats(successes: readonly Start[], executions: readonly Execution[]): string[] {
  const statusOf = new Map(executions.map(({ id, status }) => [id, status]));
  const settled = successes.filter(({ executionId }) => statusOf.get(executionId) === "completed");
  const cutOff = successes.filter(({ executionId }) => CUT_OFF.has(statusOf.get(executionId) ?? ""));
  return settled.length > 1 || settled.length + cutOff.length < successes.length
    ? ["was repeated without a crash"]
    : [];
}

function isEarly({ scheduledFor }: Accepted, starts: readonly Start[], executions: readonly Execution[]): boolean {
  if (starts.some(({ at }) => at < scheduledFor)) return true;
  return executions.some(({ started_at, due_at, trigger }, i) => {
    const before = executions[i - 1]?.completed_at ?? null;
    const hasWaited =
      before === null || trigger !== "system_retry" || Date.parse(due_at) >= Date.parse(before) + BACKOFF_MS;
    return !hasWaited || (started_at !== null && Date.parse(started_at) < Date.parse(due_at));
  });
}

/** The signature of contract §4. */
function isSigned({ headers, json, body }: Delivery, secret: string): boolean {
  const text = `${json.execution_id}.${headers["x-chronos-timestamp"]}.${body}`;
  return headers["x-chronos-signature"] === `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;
}

/** Pushes whose signature is not that of their account. */
export function unsigned(jobs: readonly Pick<Accepted, "target" | "tenant">[]): string[] {
  const wrong = jobs.flatMap(({ target, tenant }) =>
    (target?.deliveries ?? []).filter((delivery) => !isSigned(delivery, tenant.signingSecret)),
  );
  return wrong.length === 0 ? [] : [`${wrong.length} deliveries were not signed as they should be`];
}

/** A row for each way in which jobs were to end. */
export function rowsOf(what: string, verdicts: readonly Verdict[]): Row[] {
  const row = (name: string, of: (kind: Kind) => boolean): Row => {
    const some = verdicts.filter(({ kind }) => of(kind));
    return {
      fault: `${what}: ${name}`,
      jobs: some.length,
      delivered: some.filter((verdict) => verdict.delivered).length,
      lost: some.filter((verdict) => verdict.faults.length > 0).length,
      duplicated: some.reduce((sum, verdict) => sum + verdict.duplicates, 0),
      early: some.filter((verdict) => verdict.isEarly).length,
      lateP99Ms: p99(some.flatMap((verdict) => verdict.lateMs)),
    };
  };
  return [
    row("push", (kind) => kind.startsWith("push")),
    row("pull", (kind) => kind.startsWith("pull")),
    row("cancelled", (kind) => kind === "cancelled"),
  ];
}
