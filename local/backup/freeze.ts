// Holds processes still for a moment, so that all of their files can be looked at as of one instant. A process that is stopped
// has done everything it had begun to tell, as one that was killed; unlike that one, it goes on afterwards.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, type ProcessMark } from "../processes.ts";
import { StartError } from "../settings.ts";

/** Another runtime may take the place of one that died. */
export class Gone extends StartError {}

/** A thread in the middle of a write is not stopped before that is done. */
const STOPPED_WITHIN_MS = 10_000;

/**
 * Runs `work` while none of these processes runs. They go on afterwards, whatever becomes of this process: a shell that
 * outlives it waits for its end and wakes them.
 */
export async function whileFrozen<T>(marks: readonly ProcessMark[], work: () => T): Promise<T> {
  if (!marks.every(isRunning)) throw new Gone("The service has ended meanwhile. Run the command again");
  const signalled = marks.map(({ pid, leads }) => (leads ? -pid : pid));
  const waker = spawn("sh", ["-c", `read _; kill -s CONT -- ${signalled.join(" ")}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C does not reach it
  });
  await once(waker, "spawn");
  try {
    for (const pid of signalled) process.kill(pid, "SIGSTOP");
    await untilStopped(marks);
    return work();
  } finally {
    for (const pid of signalled) wake(pid);
    waker.stdin.end();
    await once(waker, "close");
  }
}

function wake(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // It was killed while it was stopped.
  }
}

async function untilStopped(marks: readonly ProcessMark[]): Promise<void> {
  if (process.platform !== "linux") {
    await sleep(100); // nobody tells; the threads stop within the scheduler's next turns
    return;
  }
  const deadline = Date.now() + STOPPED_WITHIN_MS;
  while (!marks.flatMap(processesOf).every(isStopped)) {
    if (Date.now() > deadline)
      throw new StartError("The service cannot be held still: its disk may hang. Nothing was copied");
    await sleep(2);
  }
}

/** The process itself, or all of the group that it leads. */
function processesOf({ pid, leads }: ProcessMark): number[] {
  if (!leads) return [pid];
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((one) => fieldsOf(`${one}`)?.[2] === `${pid}`);
}

/** Whether each of its threads is stopped, or has ended. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const state = fieldsOf(`${pid}/task/${thread}`)?.[0];
    return state === undefined || ["T", "t", "Z", "X"].includes(state);
  });
}

/** The fields behind the name, which may hold blanks and parentheses: state, parent, group, and so on. */
function fieldsOf(process: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${process}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined; // it has ended
  }
}
