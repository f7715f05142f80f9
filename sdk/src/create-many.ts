// Creates many jobs, one request for each batch of them, and reports which inputs were handled before an error.

import { isPassing, isUntouched } from "./api-error.ts";
import { batchesOf } from "./batches.ts";
import type { CallLimits } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { ChronosError } from "./errors.ts";
import type { Job } from "./job.ts";
import { retrying } from "./retrying.ts";
import { isTheJobWeAskedFor } from "./same-job.ts";
import { jobFromWire } from "./wire.ts";
import type { WireBatchEntry } from "./wire-bulk.ts";

/** The outcome for one input of `jobs.createMany()`: its job, or the job that already holds its key. */
export interface BatchEntry<TJob = Job> {
  created: boolean;
  job: TJob;
}

/**
 * A batch of `jobs.createMany()` after the first failed. `entries` holds the outcomes of the inputs before it, in order. The
 * inputs of the failed batch may exist, depending on `cause`; those after it were not sent. With an `idempotencyKey` in each input, the
 * whole call can be repeated.
 *
 * @example
 * ```ts
 * import { Chronos, CreateManyError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const mails = ["ada", "bob"].map((to) => ({ name: "Mail", handler: "email", payload: { to }, idempotencyKey: to }));
 * try {
 *   await chronos.jobs.createMany(mails);
 * } catch (error) {
 *   if (error instanceof CreateManyError) console.log(error.entries.length, "are there, then", error.cause);
 *   else throw error;
 * }
 * ```
 */
export class CreateManyError extends ChronosError {
  override name = "CreateManyError";
  /** One for each input of the batches before. The failed batch begins at the input with the index `entries.length`. */
  readonly entries: readonly BatchEntry[];

  constructor(message: string, entries: readonly BatchEntry[], cause: unknown) {
    super(message, { cause });
    this.entries = entries;
  }
}

/** One input as JSON. Each try sends the same bytes. */
export interface BatchInput {
  readonly json: string;
  readonly bytes: number;
  readonly idempotencyKey: string | undefined;
}

/** Creates the jobs batch after batch. A batch is one transaction. */
export async function createMany(
  connection: Connection,
  inputs: readonly BatchInput[],
  { traceparent, ...limits }: CallLimits & { traceparent: string | undefined },
): Promise<BatchEntry[]> {
  const entries: BatchEntry[] = [];
  for (const batch of batchesOf(inputs)) {
    try {
      entries.push(...(await sendBatch(connection, { batch, traceparent }, limits)));
    } catch (cause) {
      // The first batch fails like any other call. After an abort, the caller gets its own reason.
      if (entries.length === 0 || limits.signal?.aborted) throw cause;
      const range = `${entries.length} to ${entries.length + batch.length - 1}`;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CreateManyError(`The batch of the inputs ${range} failed: ${why}`, entries, cause);
    }
  }
  return entries;
}

/**
 * Repeated after 429, and after any other passing fault if each job has a key. A key that is then in use was taken by the
 * lost try, if its job says what we said.
 */
async function sendBatch(
  connection: Connection,
  { batch, traceparent }: { batch: readonly BatchInput[]; traceparent: string | undefined },
  limits: CallLimits,
): Promise<BatchEntry[]> {
  const { platform } = connection;
  const hasKeys = batch.every(({ idempotencyKey }) => idempotencyKey !== undefined);
  const askedAt = platform.monotonicMs();
  let mayExist = false;
  const body = `{"jobs":[${batch.map(({ json }) => json).join()}]}`;
  const call = { method: "POST", path: "/v1/jobs/batch", body, traceparent } as const;
  const { data } = await retrying(connection, call, limits, (error) => {
    if (isUntouched(error)) return true;
    mayExist ||= isPassing(error);
    return isPassing(error) && hasKeys;
  });
  const sinceAskedMs = platform.monotonicMs() - askedAt;
  const ours = new Set<string>();
  return (data as WireBatchEntry[]).map(({ status, job: written }, i) => {
    const job = jobFromWire(written);
    if (status === 201) return { created: true, job };
    const json = batch[i]?.json;
    // If two inputs have one key, only the first can have made the job.
    const isOurs = mayExist && json !== undefined && !ours.has(job.id) && isTheJobWeAskedFor(job, json, sinceAskedMs);
    if (isOurs) ours.add(job.id);
    return { created: isOurs, job };
  });
}
