// Workers' reports that come together. Those of one job are made one after the other, as if each had come by itself.

import { canExist } from "../domain/ids.ts";
import type { Fault, JobView } from "../domain/job.ts";
import type { JsonText } from "../domain/json-text.ts";
import { err } from "../domain/result.ts";
import { askOwner, jobAt } from "./addresses.ts";
import type { Answer } from "./owners.ts";

export interface Report {
  readonly jobId: string;
  readonly executionId: string;
  readonly outcome: { readonly result: JsonText | null } | { readonly error: Fault; readonly retryable: boolean };
}

/** @returns an answer for each, in their order: what becomes of one touches no other job's */
export function reportEach(
  env: Cloudflare.Env,
  accountId: string,
  reports: readonly Report[],
): Promise<Answer<JobView>[]> {
  const lastOf = new Map<string, Promise<unknown>>();
  const answers = reports.map((report) => {
    const before = lastOf.get(report.jobId) ?? Promise.resolve();
    const answer = before.then(() => reportOne(env, accountId, report));
    lastOf.set(report.jobId, answer);
    return answer;
  });
  return Promise.all(answers);
}

/** Never throws: an owner that cannot answer is a refusal. An id that cannot be a job's reaches no owner. */
export async function reportOne(
  env: Cloudflare.Env,
  accountId: string,
  { jobId, executionId, outcome }: Report,
): Promise<Answer<JobView>> {
  if (!canExist(jobId, Date.now())) return err({ code: "job_not_found" });
  const ref = { accountId, jobId };
  return askOwner(() =>
    "result" in outcome
      ? jobAt(env, ref).complete(ref, executionId, outcome.result)
      : jobAt(env, ref).fail(ref, executionId, outcome.error, outcome.retryable),
  );
}
