// How long ended jobs are kept, as RETENTION_DAYS says it. Deleting is for good, so a value that makes no sense is refused
// and never replaced by a guess.

const DEFAULT_DAYS = 30;
const MAX_DAYS = 36_500;

export const RETENTION_DAYS_RULE = `RETENTION_DAYS must be a whole number of days from 1 to ${MAX_DAYS}.`;

/** @param setting a text, or a number when wrangler.toml has one; the default when it is not set. @returns null for nonsense */
export function retentionDays(setting: unknown): number | null {
  if (setting === undefined) return DEFAULT_DAYS;
  const days = /^\d+$/.test(`${setting}`) ? Number(setting) : 0;
  return days >= 1 && days <= MAX_DAYS ? days : null;
}
