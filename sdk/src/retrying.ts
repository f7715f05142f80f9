// A call on behalf of a user who waits for it: a few tries within a short while, then the error is theirs.

import { retryAfterOf } from "./api-error.ts";
import { type Connection, pauseMs } from "./connection.ts";
import { sleep } from "./platform.ts";

const MOST_TRIES = 4;

/** Nobody who awaits a call expects it to sleep longer than this; the error says how long the service asked for. */
const LONGEST_OBEYED_RETRY_AFTER_MS = 60_000;

export async function retrying<T>(
  connection: Connection,
  attempt: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const patient = (retryAfterOf(error) ?? 0) <= LONGEST_OBEYED_RETRY_AFTER_MS;
      // Asked even for the last try: the answer may also tell the caller what may have happened.
      if (!mayRepeat(error) || !patient || tries === MOST_TRIES) throw error;
      await sleep(connection.platform, pauseMs(connection, tries, error));
    }
  }
}
