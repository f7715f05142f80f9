// A push delivery as the SDK shows it, once its signature has been checked.

/**
 * A delivery that is known to come from the service.
 *
 * @example
 * ```ts
 * import { type Delivery, verifySignature } from "@chronos-edge/sdk";
 *
 * export async function receive(request: Request, secret: string): Promise<Response> {
 *   const delivery: Delivery<{ to: string }> = await verifySignature<{ to: string }>(request, secret);
 *   console.log(delivery.jobId, delivery.attempt, delivery.payload?.to);
 *   return new Response(null, { status: 204 });
 * }
 * ```
 */
export interface Delivery<TPayload = unknown> {
  /** The same for every attempt of a job: the right key for your own deduplication. */
  jobId: string;
  executionId: string;
  /** Null when the job names none, and for a GET, which carries no body. */
  handler: string | null;
  /** Null for a GET. */
  scheduledFor: Date | null;
  /** From 1. Of a GET it comes from a header the signature does not cover; null if that is missing. */
  attempt: number | null;
  /** Null when the job has none, and for a GET. The type is your promise; it is not checked. */
  payload: TPayload | null;
  /** The payload as it was sent, where parsing may have changed it: integers beyond 2^53, keys that occur twice. */
  payloadText: string | null;
  /** When the service signed it, to the second. */
  signedAt: Date;
}
