// Ids for new jobs and schedules, with the platform's randomness.

import { ID_RANDOM_BYTES, idAt } from "../domain/ids.ts";

/** @param now the time it is made at, epoch milliseconds */
export const newJobId = (now: number): string => idAt(now, crypto.getRandomValues(new Uint8Array(ID_RANDOM_BYTES)));
