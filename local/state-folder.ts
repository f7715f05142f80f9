// The state folder and who owns it. One server at a time: two would ring the same alarms and write the same files.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createAtomically, writeAtomically } from "./atomic-file.ts";
import { endOrphan, isRunning, markOf } from "./processes.ts";
import { StartError } from "./settings.ts";

/** run.json: the lock, and what a test or a later server needs to know about the processes of this one. */
interface Run {
  pid: number;
  born: string;
  /** The process that serves: workerd under `npm start`, wrangler under `npm run dev`. */
  child?: { pid: number; born: string };
  /** The same pid under its own name, for whoever wants to see the runtime crash. */
  workerd_pid?: number;
}

export interface StateFolder {
  path: string;
  /** Notes the process that serves, so that the next server can end it should this one be killed. */
  noteChild(pid: number, kind: "workerd" | "wrangler"): void;
  /** Gives the folder free for another server. */
  release(): void;
}

/** Makes the folder if need be and takes its lock, after ending what a killed server left behind. */
export async function openStateFolder(path: string): Promise<StateFolder> {
  const lock = join(path, "run.json");
  const self: Run = markOf(process.pid);
  try {
    makeFolder(path);
    while (!claimed(lock, self)) {
      const other = readRun(lock);
      if (other !== null && isRunning(other)) {
        throw new StartError(
          `A server (pid ${other.pid}) already uses ${path}. Stop it, or choose another folder: CHRONOS_STATE=<folder>`,
        );
      }
      if (other?.child !== undefined) await endOrphan(other.child);
      rmSync(lock, { force: true });
    }
  } catch (error) {
    if (error instanceof StartError || !(error instanceof Error) || !("code" in error)) throw error;
    throw new StartError(
      `Cannot write to the state folder ${path} (${error.code}). Choose another folder: CHRONOS_STATE=<folder>`,
    );
  }
  return {
    path,
    noteChild(pid, kind) {
      const run: Run = { ...self, child: markOf(pid), ...(kind === "workerd" && { workerd_pid: pid }) };
      writeAtomically(lock, `${JSON.stringify(run)}\n`);
    },
    release: () => rmSync(lock, { force: true }),
  };
}

/** Node's own recursive mkdir spins for ever where every attempt is answered with ENOENT, as under /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function claimed(lock: string, self: Run): boolean {
  try {
    createAtomically(lock, `${JSON.stringify(self)}\n`);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function readRun(lock: string): Run | null {
  try {
    return JSON.parse(readFileSync(lock, "utf8"));
  } catch {
    return null;
  }
}
