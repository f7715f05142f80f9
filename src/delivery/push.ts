// One push: the request goes out, the answer becomes an outcome. Never throws, never follows a redirect, and lets go of
// the target when the timeout or a cancellation says so.

import type { Fault, PushResponse } from "../domain/job.ts";
import type { Outcome } from "../domain/life.ts";
import { isRetriedStatus, retryAfterMs } from "../domain/retry-policy.ts";
import { readHead } from "./read-head.ts";

export interface PushRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  /** Empty for a GET. */
  readonly body: string;
}

const KEPT_BYTES = 4_096;

/** Once a status is known the answer stands; its body gets this long to say the rest. */
const BODY_GRACE_MS = 5_000;

/** @param cancelled aborts the request; the outcome then matters to nobody */
export async function push(
  request: PushRequest,
  timeoutMs: number,
  cancelled: AbortSignal,
  clock: () => number,
): Promise<Outcome> {
  // A timer and not AbortSignal.timeout: that one could not be cleared, and would hold the object until it rang.
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const sentAt = clock();
  try {
    const answer = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body === "" ? null : request.body,
      redirect: "manual",
      signal: AbortSignal.any([timeout.signal, cancelled]),
    });
    const graceMs = Math.min(BODY_GRACE_MS, Math.max(0, sentAt + timeoutMs - clock()));
    const { text, truncated } = await readHead(answer.body, KEPT_BYTES, graceMs);
    const response = { status: answer.status, headers: keptHeaders(answer.headers), body: text, truncated };
    return outcomeOf(response, retryAfterMs(answer.headers.get("retry-after"), clock()));
  } catch (thrown) {
    if (timeout.signal.aborted)
      return failure({ code: "timeout", message: `No answer within ${timeoutMs / 1_000} s.` });
    return failure({ code: "network", message: networkMessage(thrown) });
  } finally {
    clearTimeout(timer);
  }
}

/** What a status means for the job (contract §3). */
export function outcomeOf(response: PushResponse, retryAfterMs: number | null): Outcome {
  const { status } = response;
  if (status >= 200 && status < 300) return { kind: "completed", response };
  if (status >= 300 && status < 400) {
    const error: Fault = { code: "redirect", message: `The target answered ${status}; redirects are not followed.` };
    return { kind: "failed", error, response, retryable: false, retryAfterMs: null };
  }
  const error: Fault = { code: "http_status", message: `The target answered ${status}.` };
  return { kind: "failed", error, response, retryable: isRetriedStatus(status), retryAfterMs };
}

function failure(error: Fault): Outcome {
  return { kind: error.code === "timeout" ? "timed_out" : "failed", error, retryable: true, retryAfterMs: null };
}

/** The first headers that fit into 4 KB; `set-cookie` is the target's own business. */
function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {};
  let left = KEPT_BYTES;
  for (const [name, value] of headers) {
    left -= name.length + value.length;
    if (left < 0) break;
    if (name !== "set-cookie") kept[name] = value;
  }
  return kept;
}

function networkMessage(thrown: unknown): string {
  const reason = thrown instanceof Error ? thrown.message : "unknown reason";
  return `The target could not be reached: ${reason}`.slice(0, 4_096);
}
