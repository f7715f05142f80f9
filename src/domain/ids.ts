// Ids of jobs and schedules: UUIDs in version 4 format that sort by the time they were made (contract §2). The first 48 bits are
// that time, so it needs no column and no index of its own.

/** How far ahead of our clock the maker's clock may be. */
const CLOCK_SKEW_MS = 60_000;

const MAX_MS = 2 ** 48 - 1;

/** How many random bytes an id takes. */
export const ID_RANDOM_BYTES = 9;

/**
 * The eight bits behind the version are 0: they are reserved for a number of the database. Four random bits follow them, and
 * 62 behind the variant, of which the first 40 may one day name the owner's place.
 *
 * @param createdAt epoch milliseconds
 * @param random `ID_RANDOM_BYTES` random bytes
 */
export function idAt(createdAt: number, random: Uint8Array): string {
  const [first = 0, variant = 0, ...rest] = random;
  const tail = [(variant & 0x3f) | 0x80, ...rest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${timeOf(createdAt)}-400${(first & 0xf).toString(16)}-${tail.slice(0, 4)}-${tail.slice(4, 16)}`;
}

/** When the job or schedule with this id was made, epoch milliseconds. */
export const createdAtOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** Smaller than any id made at or after this moment, greater than any made before: a bound for ranges of ids. */
export const lowestIdAt = (at: number): string => `${timeOf(at)}-`;

/** Whether an id can be one of ours. One that cannot is nobody's, and nobody has to be asked about it. */
export const canExist = (id: string, now: number): boolean =>
  id.slice(14, 17) === "400" && createdAtOf(id) <= now + CLOCK_SKEW_MS;

function timeOf(at: number): string {
  const hex = Math.min(Math.max(at, 0), MAX_MS).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
