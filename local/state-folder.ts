// The state folder: everything the service remembers. It belongs to one server at a time, since two would ring the same
// alarms and write the same files, and to nobody else's eyes.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { writeAtomically } from "./atomic-file.ts";
import { takeLock } from "./lock.ts";
import { endAll, isRunning, markOf, type ProcessMark } from "./processes.ts";
import { StartError } from "./settings.ts";

/** run.json: what a person, a test or another program wants to know about the processes of a server. */
export interface Run extends ProcessMark {
  children: ProcessMark[];
  /** The runtime under its own name, for whoever wants to see it crash. */
  workerd_pid?: number;
  /** The runtime serves; before, it may be another one that only migrates. */
  is_serving?: true;
}

type ChildKind = "workerd" | "wrangler";

export interface StateFolder {
  path: string;
  /**
   * Says that this process has a child that must not outlive it, in place of an earlier one of its kind.
   * @returns how to recognise it later
   */
  noteChild(kind: ChildKind, pid: number): ProcessMark;
  /** That child has ended. */
  forgetChild(kind: ChildKind): void;
  /** The service answers. */
  noteServing(): void;
  /** Aborts when the folder is no longer ours, with the reason. */
  lost: AbortSignal;
  /** Gives the folder free for another server. */
  release(): Promise<void>;
}

/** The server that uses a folder, if its processes can be seen from here: those of another container cannot. */
export function runningServer(path: string): Run | null {
  const run = readRun(join(path, "run.json"));
  return run !== null && isRunning(run) ? run : null;
}

/** Makes the folder if need be, takes its lock, and closes it to others. */
export async function openStateFolder(path: string): Promise<StateFolder> {
  process.umask(0o077); // for whatever we and our children make from here on
  await nameFailures(path, async () => {
    makeFolder(path);
    closeToOthers(path);
  });
  const lock = await takeLock(path);
  const runFile = join(path, "run.json");
  if (lock === null) throw new StartError(inUse(path, readRun(runFile)));

  const children = new Map<ChildKind, ProcessMark>();
  let isServing = false;
  const tell = () => {
    const marks = [...children.values()];
    lock.watch(marks);
    const workerd = children.get("workerd");
    const run: Run = {
      ...markOf(process.pid),
      children: marks,
      ...(workerd && { workerd_pid: workerd.pid }),
      ...(isServing && { is_serving: true }),
    };
    writeAtomically(runFile, `${JSON.stringify(run)}\n`);
  };
  await nameFailures(path, async () => {
    // Only when a server and its keeper were killed together is anybody left.
    await endAll((readRun(runFile)?.children ?? []).filter(isRunning));
    tell();
  });
  return {
    path,
    noteChild(kind, pid) {
      // wrangler is made the leader of a group (wrangler.ts), workerd is not (Miniflare).
      const mark: ProcessMark = { ...markOf(pid), ...(kind === "wrangler" && { leads: true }) };
      children.set(kind, mark);
      tell();
      return mark;
    },
    forgetChild(kind) {
      children.delete(kind);
      tell();
    },
    noteServing() {
      isServing = true;
      tell();
    },
    lost: lock.lost,
    async release() {
      if (!lock.lost.aborted) rmSync(runFile, { force: true });
      await lock.release();
    },
  };
}

function inUse(path: string, run: Run | null): string {
  const who = run !== null && isRunning(run) ? `A server (pid ${run.pid})` : "Another server";
  return `${who} already uses ${path}. Stop it, or choose another folder: CHRONOS_STATE=<folder>`;
}

/** Makes a folder for its owner alone. Node's own recursive mkdir spins for ever where every attempt is answered with ENOENT, as under /proc. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Two servers that start together both make it.
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

async function nameFailures(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new StartError(
      `Cannot write to the state folder ${path} (${error.code}). Choose another folder: CHRONOS_STATE=<folder>`,
    );
  }
}

/** Our own names in the folder. Everything else in it is not ours to touch. */
const OWN = ["bundle", "dev.json", "dev.json.old", "lock", "registry", "run.json", "secrets.env", "tools", "v3"];

/** The folder holds keys, secrets and payloads: only its owner may read them, also when it was there before us. */
function closeToOthers(path: string): void {
  if (!statSync(path).isDirectory())
    throw new StartError(`${path} is no folder. Choose another place: CHRONOS_STATE=<folder>`);
  if (process.platform === "win32") return;
  const folder = realpathSync(path);
  if ((statSync(folder).mode & SHARED) !== 0)
    throw new StartError(
      `${path} is a folder that users share. Choose one for the service alone: CHRONOS_STATE=<folder>`,
    );
  const foreign = firstForeign(folder);
  if (foreign !== null)
    throw new StartError(
      `${path} holds other files (${foreign}), and a start would close it to their users. Choose a folder for the service alone: CHRONOS_STATE=<folder>`,
    );
  try {
    makePrivate(folder, OWN);
  } catch (error) {
    // A volume may belong to somebody else, and we work on it all the same.
    console.warn(`Other users may be able to read the state folder ${path}: ${error}`);
  }
}

/** The sticky bit: everybody may write here, as in /tmp. */
const SHARED = 0o1000;

/** On the root of a volume. */
const OF_VOLUME = "lost+found";

/** A file in an open folder that holds nothing of ours, such as /etc or a home folder; null when there is none. */
function firstForeign(folder: string): string | null {
  if ((statSync(folder).mode & 0o077) === 0) return null;
  const names = readdirSync(folder).filter((name) => name !== OF_VOLUME);
  return names.some((name) => OWN.includes(name)) ? null : (names[0] ?? null);
}

function makePrivate(path: string, names?: readonly string[]): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isSymbolicLink()) return;
  if ((stat.mode & 0o077) !== 0) chmodSync(path, stat.mode & 0o700);
  if (stat.isDirectory()) for (const name of names ?? readdirSync(path)) makePrivate(join(path, name));
}

function readRun(path: string): Run | null {
  try {
    const run = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(run?.children) ? run : null;
  } catch {
    return null;
  }
}
