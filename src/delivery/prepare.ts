// Everything about a push that takes waiting, done before the attempt begins: its target is checked, its body made, its
// signatures computed.

import { masterKeysOf } from "../accounts/service-secrets.ts";
import { secretsAt } from "../accounts/signing-secret.ts";
import type { Fault, Job, SigningState } from "../domain/job.ts";
import { pushBody, pushHeaders } from "../domain/push-message.ts";
import { checkTarget } from "../domain/target.ts";
import type { PushRequest } from "./push.ts";
import { sign } from "./sign.ts";
import { targetRules } from "./target-rules.ts";

export type Prepared =
  | { readonly kind: "ready"; readonly request: PushRequest }
  | { readonly kind: "blocked"; readonly error: Fault }
  /** Nothing can be signed: no master key is set, or nobody knows the account's secret while D1 is down. */
  | { readonly kind: "unsigned" };

/**
 * @param signing how the account's secret stands; null when nobody knows
 * @returns undefined for a job that is not pushed
 */
export async function prepare(
  env: Cloudflare.Env,
  job: Job,
  executionId: string,
  signing: SigningState | null,
  now: number,
): Promise<Prepared | undefined> {
  const { delivery } = job;
  if (delivery.type !== "push") return undefined;
  const target = checkTarget(delivery.url, targetRules(env));
  if (!target.ok)
    return { kind: "blocked", error: { code: "blocked_target", message: `delivery.http.url: ${target.error}` } };
  const keys = masterKeysOf(env);
  if (!keys || !signing) return { kind: "unsigned" };
  const secrets = await secretsAt(keys, job.accountId, signing, now);
  const ref = { executionId, attempt: job.attempt + 1 };
  const body = pushBody(job, delivery, ref);
  const timestampSeconds = Math.floor(now / 1_000);
  const signatures = await sign(secrets, executionId, job.id, timestampSeconds, body);
  const headers = pushHeaders(job, delivery, ref, timestampSeconds, signatures);
  return { kind: "ready", request: { url: target.value.href, method: delivery.method, headers, body } };
}
