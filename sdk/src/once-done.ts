// Calls that can be done only once, repeated after faults: a refusal may then mean that a lost try got through.

import { ChronosApiError, isPassing, isUntouched } from "./api-error.ts";
import type { CallLimits } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import type { Envelope, HttpCall } from "./http.ts";
import { retrying } from "./retrying.ts";

/**
 * Sends a call that is repeated after faults. If it is refused after a try whose fate is unknown, `lookAgain` is asked:
 * what it finds done is the result; undefined rethrows the refusal.
 */
export async function onceDone<T>(
  connection: Connection,
  call: HttpCall,
  limits: CallLimits,
  {
    read,
    lookAgain,
  }: { read: (data: Envelope["data"]) => T; lookAgain: (refusal: ChronosApiError) => Promise<T | undefined> },
): Promise<T> {
  let mayBeDone = false;
  try {
    const { data } = await retrying(connection, call, limits, (error) => {
      mayBeDone ||= isPassing(error) && !isUntouched(error);
      return isPassing(error);
    });
    return read(data);
  } catch (error) {
    if (!mayBeDone || !(error instanceof ChronosApiError) || isPassing(error)) throw error;
    const found = await lookAgain(error);
    if (found === undefined) throw error;
    return found;
  }
}
