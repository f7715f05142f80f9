// The databases by their numbers and names: 0 is `DB`, which is the directory of all accounts as well, 1 is `DB_1`, and so on.

export const MAX_DATABASES = 100;

/** The name of its binding, of its projector, and in the log. */
export const nameOfDatabase = (number: number): string => (number === 0 ? "DB" : `DB_${number}`);

/** @returns undefined for a name that no database has */
export function numberOfDatabase(name: string): number | undefined {
  if (name === "DB") return 0;
  const digits = /^DB_([1-9]\d?)$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
