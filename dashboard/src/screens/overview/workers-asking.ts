// Decides whether a handler has a worker. Pure.

import type { Handler } from "./overview-answer.ts";

/** A worker's poll lasts 20 s at most: who has not asked for a minute is gone. The service says the same in `waiting_on`. */
export const GONE_AFTER_MS = 60_000;

/** Nobody has asked for it for a minute, as far as its queue knows. */
export const hasNoWorker = ({ unavailable, last_poll_at }: Handler, now: number): boolean =>
  !unavailable && (last_poll_at === null || now - Date.parse(last_poll_at) > GONE_AFTER_MS);
