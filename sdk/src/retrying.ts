// A call on behalf of a user who waits for it: a few tries within a short while, then the error is theirs.

import { retryAfterOf } from "./api-error.ts";
import type { CallLimits } from "./call-options.ts";
import { type Connection, pauseMs } from "./connection.ts";
import { DEFAULT_TIMEOUT_MS, type Envelope, type HttpCall } from "./http.ts";
import { sleep } from "./platform.ts";

const MOST_TRIES = 4;

/** Nobody who awaits a call expects it to sleep longer than this; the error says how long the service asked for. */
const LONGEST_OBEYED_RETRY_AFTER_MS = 60_000;

/** Rejects with the error of the last try, or with the reason of the limits' signal once that has aborted. */
export async function retrying(
  connection: Connection,
  call: HttpCall,
  { signal, endsAt }: CallLimits,
  mayRepeat: (error: unknown) => boolean,
): Promise<Envelope> {
  const { http, platform } = connection;
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    try {
      const timeoutMs = Math.min(DEFAULT_TIMEOUT_MS, endsAt - platform.monotonicMs());
      return await http.send({ ...call, timeoutMs, signal });
    } catch (error) {
      signal?.throwIfAborted();
      const patient = (retryAfterOf(error) ?? 0) <= LONGEST_OBEYED_RETRY_AFTER_MS;
      // Asked even for the last try: the answer may also tell the caller what may have happened.
      if (!mayRepeat(error) || !patient || tries === MOST_TRIES) throw error;
      const pause = pauseMs(connection, tries, error);
      if (platform.monotonicMs() + pause >= endsAt) throw error;
      await sleep(platform, pause, signal);
    }
  }
}
