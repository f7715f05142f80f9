// What a push says: its body and headers (contract §4), and the text its signatures cover.

import { formatInstant } from "./instant.ts";
import type { Delivery, Job } from "./job.ts";
import { raw, stringify } from "./json-text.ts";

type Push = Delivery & { type: "push" };

/** The attempt a message is made for. */
export interface AttemptRef {
  readonly executionId: string;
  readonly attempt: number;
}

/** What a delivery says, the same for a push and for a message on a queue. */
export function deliveryBody(job: Job, { executionId, attempt }: AttemptRef) {
  return {
    job_id: job.id,
    handler: job.handler,
    execution_id: executionId,
    scheduled_for: formatInstant(job.scheduledFor),
    attempt,
    payload: raw(job.payload),
  };
}

/** The raw body of a push; a GET carries none. An event's payload is the whole body: it says what happened, and not which job says so. */
export function pushBody(job: Job, { method }: Push, ref: AttemptRef): string {
  if (method === "GET") return "";
  return job.origin === "event" && job.payload !== null ? job.payload : stringify(deliveryBody(job, ref));
}

/** The text a signature covers. Chronos signs the execution's id, Standard Webhooks the message's: our job's. */
export const signedText = (id: string, timestampSeconds: number, body: string): string =>
  `${id}.${timestampSeconds}.${body}`;

export interface Signatures {
  /** Hex, with the account's secret in force for receivers that know one only. */
  readonly chronos: string;
  /** Base64, one for each secret in force. */
  readonly standard: readonly string[];
}

/**
 * All headers of a push: ours, and of the job's own those that are not reserved, in whatever spelling they are stored. A
 * `traceparent` among them is the one that goes out.
 */
export function pushHeaders(
  job: Job,
  { headers }: Push,
  { executionId, attempt }: AttemptRef,
  timestampSeconds: number,
  signatures: Signatures,
): Record<string, string> {
  const timestamp = String(timestampSeconds);
  const isTraced = job.traceparent !== null && !Object.keys(headers).some((name) => name.toLowerCase() === TRACEPARENT);
  return {
    ...(isTraced && { [TRACEPARENT]: job.traceparent }),
    ...Object.fromEntries(Object.entries(headers).filter(([name]) => !isReservedHeader(name))),
    "Content-Type": "application/json",
    "User-Agent": "chronos.sh/1.0",
    "X-Chronos-Delivery-Id": executionId,
    "X-Chronos-Timestamp": timestamp,
    "X-Chronos-Signature": `sha256=${signatures.chronos}`,
    "X-Chronos-Job-Id": job.id,
    "X-Chronos-Attempt": String(attempt),
    "webhook-id": job.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.standard.map((one) => `v1,${one}`).join(" "),
  };
}

const TRACEPARENT = "traceparent";

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const OURS = ["host", "content-length", "content-type", "user-agent"];
const OUR_PREFIXES = ["x-chronos-", "webhook-"];
/** Cloudflare's own, which it sets or drops in what a Worker sends. */
const CLOUDFLARES = ["cdn-loop"];
const CLOUDFLARES_PREFIX = "cf-";
const RESERVED: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OURS, ...CLOUDFLARES]);
const RESERVED_PREFIXES = [...OUR_PREFIXES, CLOUDFLARES_PREFIX];

/** Whether a job may not set this header itself. */
export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}
