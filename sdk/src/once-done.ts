// Calls that take effect only once, repeated after faults: a refusal may then mean that a lost try got through.

import { ChronosApiError, isPassing, isUntouched } from "./api-error.ts";
import type { CallLimits } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import type { HttpCall } from "./http.ts";
import { retrying } from "./retrying.ts";

interface Reading<T> {
  /** The result in the data of a success. */
  read: (data: unknown) => T;
  /** Which faults the call is repeated after. Default: every passing one. */
  mayRepeat?: (error: unknown) => boolean;
  /** The result if a lost try did what was asked; undefined if it did not. `sinceAskedMs` is how long the call has lasted. */
  lookAgain: (refusal: ChronosApiError, sinceAskedMs: number) => T | undefined | Promise<T | undefined>;
}

/** Sends a call. If it is refused after a try whose fate is unknown, `lookAgain` decides between a result and the refusal. */
export async function onceDone<T>(
  connection: Connection,
  call: HttpCall,
  limits: CallLimits,
  { read, mayRepeat = isPassing, lookAgain }: Reading<T>,
): Promise<T> {
  const { platform } = connection;
  const askedAt = platform.monotonicMs();
  let mayBeDone = false;
  try {
    const { data } = await retrying(connection, call, limits, (error) => {
      mayBeDone ||= isPassing(error) && !isUntouched(error);
      return mayRepeat(error);
    });
    return read(data);
  } catch (error) {
    if (!mayBeDone || !(error instanceof ChronosApiError) || isPassing(error)) throw error;
    const found = await lookAgain(error, platform.monotonicMs() - askedAt);
    if (found === undefined) throw error;
    return found;
  }
}
