// What this isolate has armed, by moment and account, so that a crowd rings one after the other. Lost with the isolate: then
// a crowd's second half may ring among its first.

import { staggerMs } from "../domain/stagger.ts";

/** Moments that are remembered at most; the oldest is forgotten first. */
const MAX_MOMENTS = 10_000;

const moments = new Map<number, Map<string, number>>();

/** @returns how many milliseconds after `at` the alarm is to ring */
export function stagger(accountId: string, at: number, now: number): number {
  const armed = moments.get(at) ?? new Map<string, number>();
  const ms = staggerMs(armed, accountId);
  armed.set(accountId, (armed.get(accountId) ?? 0) + 1);
  if (!moments.has(at)) forgetPassed(now);
  moments.set(at, armed);
  return ms;
}

function forgetPassed(now: number): void {
  for (const [at] of moments) {
    if (at >= now && moments.size < MAX_MOMENTS) return;
    moments.delete(at);
  }
}
