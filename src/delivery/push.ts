// One push: the request goes out, the answer becomes an outcome. Never throws, never follows a redirect, and lets go of
// the target when the timeout or a cancellation says so.

import type { Fault, PushResponse } from "../domain/job.ts";
import type { Outcome } from "../domain/life.ts";
import { isRetriedStatus, retryAfterMs } from "../domain/retry-policy.ts";
import { bytesOf } from "../domain/text.ts";
import { bodyText } from "./body-text.ts";
import { networkMessage, statusHint } from "./network-fault.ts";

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
    const { text, truncated } = await bodyText(answer.body, answer.headers, KEPT_BYTES, graceMs);
    const response = { status: answer.status, headers: keptHeaders(answer.headers), body: text, truncated };
    return outcomeOf(response, retryAfterMs(answer.headers.get("retry-after"), clock()));
  } catch (thrown) {
    if (timeout.signal.aborted)
      return failure({ code: "timeout", message: `No answer within ${timeoutMs / 1_000} s.` });
    return failure({ code: "network", message: networkMessage(thrown, new URL(request.url)) });
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
  const error: Fault = { code: "http_status", message: `The target answered ${status}${statusHint(status)}.` };
  return { kind: "failed", error, response, retryable: isRetriedStatus(status), retryAfterMs };
}

function failure(error: Fault): Outcome {
  return { kind: error.code === "timeout" ? "timed_out" : "failed", error, retryable: true, retryAfterMs: null };
}

/** As many headers as fit into 4 KB, the short ones first; `set-cookie` is the target's own business. */
function keptHeaders(headers: Headers): Record<string, string> {
  const sized = [...headers]
    .filter(([name]) => name !== "set-cookie")
    .map((header) => ({ header, size: bytesOf(header.join("")) }));
  const kept = new Set<[name: string, value: string]>();
  let left = KEPT_BYTES;
  for (const { header, size } of sized.toSorted((a, b) => a.size - b.size)) {
    left -= size;
    if (left < 0) break;
    kept.add(header);
  }
  return Object.fromEntries(sized.map(({ header }) => header).filter((header) => kept.has(header)));
}
