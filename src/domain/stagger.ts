// Jobs due in one instant ring one after the other: a machine that starts a thousand at once answers nothing else meanwhile,
// and delivers none of them sooner.

/** From one ring to the next of those armed for the same moment. */
const STEP_MS = 2;

/** The latest ring of a crowd. A larger crowd goes round again, so that it spreads evenly. */
export const MAX_STAGGER_MS = 4_000;

/** From so many jobs on that are due in one instant, their ends wait until all of them have begun. */
export const CROWD = 50;

/**
 * How much later than its moment the next job of an account rings. Accounts take turns: the n-th job of one rings after the
 * n-th jobs of the others, not after all of them. Never early.
 *
 * @param armed how many each account has armed for this moment so far
 * @returns whole milliseconds
 */
export function staggerMs(armed: ReadonlyMap<string, number>, accountId: string): number {
  const turn = armed.get(accountId) ?? 0;
  let before = 0;
  for (const count of armed.values()) before += Math.min(count, turn);
  return (before * STEP_MS) % MAX_STAGGER_MS;
}
