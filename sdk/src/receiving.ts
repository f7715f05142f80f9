// Turns an incoming delivery into an answer: verifies it, gives it to your function, and chooses the status by which the
// service tries again or does not. The entry points for the frameworks differ only in how they read and answer.

import { describeError } from "./describe-error.ts";
import { ChronosConfigError, isNonRetryable, SignatureVerificationError } from "./errors.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { checkSecrets, type DeliveryParts, type RequestLike, type VerifyOptions } from "./verify-signature.ts";

/** The signing secret, or both of a rotation. Undefined is refused with its own message: a variable that is not set. */
export type SigningSecret = string | undefined | readonly string[];

/** The third argument of `onDelivery()` and `onWebhook()`. */
export interface ReceiveOptions extends VerifyOptions {
  /**
   * Called with the error of your function, and with an error of the set-up, such as a missing secret. It is not called for a
   * wrong signature. Default: `console.error`.
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** `verifySignature` or `verifyWebhook`. */
export type Verify<T> = (
  request: RequestLike | DeliveryParts,
  secret: string | readonly string[],
  options: VerifyOptions,
) => Promise<T>;

/** What your function returned, or the answer that is to be sent in its place. */
export type Received<R> = { ok: true; returned: R } | { ok: false; status: 401 | 422 | 500; text: string };

const OPTIONS: Fields<ReceiveOptions> = { toleranceSeconds: true, now: true, onError: true };

/** Throws a ChronosConfigError for arguments that can never work. A secret is checked here only if it is known already. */
export function checkReceiver(secret: { known: SigningSecret } | null, handle: unknown, options: ReceiveOptions): void {
  if (secret !== null) checkSecrets(secret.known ?? "");
  if (typeof handle !== "function") throw new ChronosConfigError("The second argument must be a function");
  checkFields("The options", options, OPTIONS);
}

/**
 * Calls `handle` with what was verified. 401 for a wrong signature, 422 (final) for a NonRetryableError, 500 (tried again)
 * for any other error and for a receiver that is not set up.
 */
export async function receive<T, R>(
  verify: Verify<T>,
  read: () => RequestLike | DeliveryParts | Promise<RequestLike | DeliveryParts>,
  secret: () => SigningSecret,
  { onError = console.error, ...verifying }: ReceiveOptions,
  handle: (verified: T) => R | Promise<R>,
): Promise<Received<R>> {
  let verified: T;
  try {
    verified = await verify(await read(), secret() ?? "", verifying);
  } catch (error) {
    if (error instanceof SignatureVerificationError) return { ok: false, status: 401, text: error.reason };
    onError(error);
    return { ok: false, status: 500, text: "The receiver could not verify the delivery; its log says why" };
  }
  try {
    return { ok: true, returned: await handle(verified) };
  } catch (error) {
    onError(error);
    const text = describeError(error) || "The handler failed without a message";
    return { ok: false, status: isNonRetryable(error) ? 422 : 500, text };
  }
}

/** The same for what takes a Request and returns a Response. A Response that `handle` returns is sent; anything else is 204. */
export async function respond<T>(
  verify: Verify<T>,
  request: Request,
  secret: () => SigningSecret,
  options: ReceiveOptions,
  handle: (verified: T) => unknown,
): Promise<Response> {
  const received = await receive(verify, () => request, secret, options, handle);
  if (!received.ok) return new Response(received.text, { status: received.status });
  return received.returned instanceof Response ? received.returned : new Response(null, { status: 204 });
}
