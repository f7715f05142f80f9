// What an owner tells the read model: the state of a job at a revision and the executions not confirmed yet, never the
// payload. A message stays below a queue's limit; what does not fit goes first, in parts, and the state goes last.

import { type Execution, type Fault, isEnded, type Job, type JobStatus, runAtOf, statusOf } from "../domain/job.ts";
import type { JsonText } from "../domain/json-text.ts";
import { attentionAt } from "../domain/timer.ts";
import { type NewJobRow, rowOfSpec } from "./rows.ts";

export const SNAPSHOT_VERSION = 1;

/** A queue carries 128 KB a message; a result may take 64 of them. */
export const MAX_SNAPSHOT_BYTES = 100_000;

/** What a message says beside state and executions. */
const ENVELOPE_BYTES = 1_000;

/** A live job with more than this unconfirmed asks for a confirmation, so that its stored state stays small. */
const CONFIRM_BYTES = 32_000;

/** The columns of a row that change in a job's life. */
export interface JobFacts {
  readonly status: JobStatus;
  readonly runAt: number | null;
  readonly attempt: number;
  readonly started: number;
  readonly tries: number;
  readonly interruptions: number;
  readonly lastError: Fault | null;
  readonly result: JsonText | null;
  readonly updatedAt: number;
  readonly completedAt: number | null;
  readonly attentionAt: number | null;
}

export interface Snapshot {
  readonly kind: "snapshot";
  readonly v: typeof SNAPSHOT_VERSION;
  readonly accountId: string;
  readonly jobId: string;
  readonly revision: number;
  /** null in a part that carries executions only. */
  readonly facts: JobFacts | null;
  readonly executions: readonly Execution[];
  /** Whether the owner waits for an answer. */
  readonly confirm: boolean;
}

export function snapshotOf(job: Job): Snapshot {
  const facts = factsOf(job);
  const room = MAX_SNAPSHOT_BYTES - ENVELOPE_BYTES;
  const whole = bytesOf(facts) + bytesOf(job.executions) <= room || job.executions.length <= 1;
  const fitting = whole ? job.executions : takeFitting(job.executions.slice(0, -1), room); // the last goes with the state
  const heavy = bytesOf(job.executions.filter((one) => one.completedAt !== null)) > CONFIRM_BYTES;
  return {
    kind: "snapshot",
    v: SNAPSHOT_VERSION,
    accountId: job.accountId,
    jobId: job.id,
    revision: job.revision,
    facts: whole ? facts : null,
    executions: fitting,
    confirm: !whole || heavy || isEnded(job.phase),
  };
}

/** A row for a job whose own is gone although it lives: D1 was taken back to an earlier moment. */
export const rowOfJob = (job: Job): NewJobRow => ({ ...rowOfSpec(job), ...factsOf(job), revision: job.revision });

function factsOf(job: Job): JobFacts {
  const { phase } = job;
  return {
    status: statusOf(job),
    runAt: runAtOf(job),
    attempt: job.attempt,
    started: job.started,
    tries: job.tries,
    interruptions: job.interruptions,
    lastError: job.lastError,
    result: isEnded(phase) ? phase.result : null,
    updatedAt: job.updatedAt,
    completedAt: isEnded(phase) ? phase.endedAt : null,
    attentionAt: attentionAt(job),
  };
}

/** As many from the front as the budget holds, at least one. */
function takeFitting(executions: readonly Execution[], budget: number): readonly Execution[] {
  let left = budget;
  const end = executions.findIndex((one, i) => {
    left -= bytesOf(one);
    return left < 0 && i > 0;
  });
  return end === -1 ? executions : executions.slice(0, end);
}

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).byteLength;
