// A process and all it has started, by pid and never by name.

import { readdirSync, readFileSync } from "node:fs";

/** The pids that stem from this one, itself included. */
export function treeOf(pid: number): number[] {
  const parents = new Map(allPids().map((one) => [one, parentOf(one)]));
  const tree = [pid];
  for (const ancestor of tree) for (const [one, parent] of parents) if (parent === ancestor) tree.push(one);
  return tree;
}

/** A zombie has ended: it only waits for its parent to notice. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== "Z";
}

export function killAll(pids: readonly number[]): void {
  for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
}

const allPids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

const parentOf = (pid: number): number => Number(statOf(pid)?.[1] ?? 0);

/** The fields behind the name: state, parent, and so on. Undefined when there is no such process. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined;
  }
}
