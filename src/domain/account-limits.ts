// How much one account may have at a time, as the operator's settings say it. They protect the service from a program that
// never stops making; they are no quota that anybody is billed by.

export const ACCOUNT_LIMITS = {
  /** Jobs that have not ended. */
  MAX_WAITING_JOBS: 1_000_000,
  /** Schedules that are active or paused. */
  MAX_SCHEDULES: 10_000,
  /** Claims that wait for a job. */
  MAX_OPEN_POLLS: 1_000,
} as const;

export type AccountLimit = keyof typeof ACCOUNT_LIMITS;

const MOST = 1_000_000_000;

export const ruleOfLimit = (name: AccountLimit): string => `${name} must be a whole number from 1 to ${MOST}.`;

/** @param setting a text, or a number when wrangler.toml has one; the default when it is not set. @returns null for nonsense */
export function accountLimit(name: AccountLimit, setting: unknown): number | null {
  if (setting === undefined) return ACCOUNT_LIMITS[name];
  const limit = /^\d{1,10}$/.test(`${setting}`) ? Number(setting) : 0;
  return limit >= 1 && limit <= MOST ? limit : null;
}
