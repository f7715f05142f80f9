// Recognises the processes of a server, and ends what a killed one left behind. A pid alone is not enough: the system gives
// it out again.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Longer than a killed process needs; a container without an init process keeps its zombies for ever. */
const GONE_WITHIN_MS = 3_000;

/** One process of this machine; `born` tells it from a later one with the same pid. */
export interface ProcessMark {
  pid: number;
  born: string;
  /** It leads a process group, and whatever belongs to that is meant too: wrangler has a workerd of its own. */
  leads?: true;
}

export function markOf(pid: number): ProcessMark {
  return { pid, born: birthOf(pid) ?? "" };
}

export function isRunning({ pid, born }: ProcessMark): boolean {
  return birthOf(pid) === born;
}

/** Kills processes and waits until they are gone. What they write bears it: databases, and files that are made anew. */
export async function endAll(marks: readonly ProcessMark[]): Promise<void> {
  const deadline = Date.now() + GONE_WITHIN_MS;
  for (const mark of marks) kill(mark);
  while (marks.some(isThere) && Date.now() < deadline) await sleep(20);
}

function kill(mark: ProcessMark): void {
  if (mark.leads) signal(-mark.pid, "SIGKILL");
  else if (isRunning(mark)) signal(mark.pid, "SIGKILL");
}

function isThere(mark: ProcessMark): boolean {
  return mark.leads ? signal(-mark.pid, 0) : isRunning(mark);
}

/** @returns whether there was somebody to receive it */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
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
