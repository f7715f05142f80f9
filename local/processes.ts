// Recognises a process that an earlier server noted down. A pid alone is not enough: the system gives it out again.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** One process of this machine; `born` tells it from a later one with the same pid. */
export interface ProcessMark {
  pid: number;
  born: string;
}

export function markOf(pid: number): ProcessMark {
  return { pid, born: birthOf(pid) ?? "" };
}

export function isRunning({ pid, born }: ProcessMark): boolean {
  return birthOf(pid) === born;
}

/** Ends a process that a killed server left behind: politely first, since wrangler has a workerd of its own to end. */
export async function endOrphan(mark: ProcessMark): Promise<void> {
  const deadline = Date.now() + 3_000;
  if (isRunning(mark)) process.kill(mark.pid, "SIGTERM");
  while (isRunning(mark) && Date.now() < deadline) await sleep(20);
  if (isRunning(mark)) process.kill(mark.pid, "SIGKILL");
  while (isRunning(mark)) await sleep(20);
}

/** When the process began, in the system's own form; null if it does not run. */
function birthOf(pid: number): string | null {
  if (process.platform !== "linux") return `${spawnSync("ps", ["-o", "lstart=", "-p", `${pid}`]).stdout}` || null;
  try {
    // Field 2 is the name and may hold spaces and parentheses: 3 (state) and 22 (start time) are counted from its end.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
    return fields?.[0] === "Z" ? null : (fields?.[19] ?? null);
  } catch {
    return null;
  }
}
