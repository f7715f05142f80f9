// What this isolate has armed, by moment and account, so that a crowd rings one after the other. Lost with the isolate: then
// a crowd's second half may ring among its first.

import { CROWD, MAX_STAGGER_MS, staggerMs } from "../domain/stagger.ts";

/** Moments that are remembered at most; the oldest is forgotten first. */
const MAX_MOMENTS = 10_000;

interface Moment {
  /** How many jobs each account has armed for it. */
  readonly armed: Map<string, number>;
  jobs: number;
  /** Until when they ring. */
  endsAt: number;
}

const moments = new Map<number, Moment>();

/** The same, of those that are crowded. */
const crowds = new Map<number, Moment>();

/** @returns how many milliseconds after `at` the alarm is to ring */
export function stagger(accountId: string, at: number, now: number): number {
  const moment = moments.get(at) ?? { armed: new Map<string, number>(), jobs: 0, endsAt: at };
  const ms = staggerMs(moment.armed, accountId);
  moment.armed.set(accountId, (moment.armed.get(accountId) ?? 0) + 1);
  moment.jobs++;
  moment.endsAt = Math.max(moment.endsAt, at + ms);
  if (!moments.has(at)) forgetPassed(now);
  moments.set(at, moment);
  if (moment.jobs >= CROWD) crowds.set(at, moment);
  return ms;
}

/** Starts go before ends: in a crowd, resolves after as long as that rings. So ends come once all have begun, at the same pace. */
export async function crowdHasBegun(now: number): Promise<void> {
  for (const [at, { endsAt }] of crowds) {
    if (now > at + MAX_STAGGER_MS) crowds.delete(at);
    else if (at <= now && now < endsAt) await scheduler.wait(endsAt - at);
  }
}

function forgetPassed(now: number): void {
  for (const [at] of moments) {
    if (at >= now && moments.size < MAX_MOMENTS) return;
    moments.delete(at);
  }
}
