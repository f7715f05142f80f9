// What this machine can bear. A live job holds 3 file descriptors and its push one more; past the limit workerd aborts.
import { spawnSync } from "node:child_process";

/** What workerd, Node and the connections of clients need beside the jobs. */
const RESERVE = 500;
const PER_JOB = 4;
const COMFORTABLE = 4_096;

/** The limit that children of this process inherit; null where there is none, or no shell to ask. */
export function descriptorLimit(): number | null {
  // Node raises its own soft limit to the hard one at start, so there is nothing more for us to raise.
  const limit = Number.parseInt(`${spawnSync("sh", ["-c", "ulimit -n"]).stdout}`, 10);
  return Number.isNaN(limit) ? null : limit;
}

/** How many jobs may be due in one instant. */
export function bearableBurst(limit: number): number {
  return Math.max(0, Math.floor((limit - RESERVE) / PER_JOB));
}

/** One line of warning for a machine that is set tight, else null. */
export function descriptorWarning(limit: number | null): string | null {
  if (limit === null || limit >= COMFORTABLE) return null;
  return `Only ${limit} file descriptors: about ${bearableBurst(limit)} jobs may be due at once. Raise the hard limit (ulimit -Hn) to ${COMFORTABLE} or more`;
}
