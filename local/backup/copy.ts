// Copies a state folder as of one instant. A job's state is in D1 and in its object, so copies of the two from different
// moments could contradict each other: a job that had ended by one of them would run again by the other. The runtime is
// therefore held still while the last changes are copied, which takes a fraction of a second, and the copy is what a crash at
// that instant would have left. Everything that was answered before is in it.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { backup as copyDatabase, DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { removeEmptyObjects } from "../empty-objects.ts";
import { takeLock } from "../lock.ts";
import { StartError } from "../settings.ts";
import { type Run, runningServer } from "../state-folder.ts";
import { Gone, whileFrozen } from "./freeze.ts";
import { Mirror } from "./mirror.ts";

/** Beside the runtime's own folder, what has to come along. Everything else is made at the next start. */
const KEPT = ["secrets.env", "dev.json"];

/** D1: too large to be copied while nobody writes, and SQLite can copy it as of an instant while others do. */
const isDatabase = (path: string): boolean => /^d1[\\/][^\\/]+[\\/][0-9a-f]+\.sqlite(-wal|-shm)?$/.test(path);

/** The index of a log is rebuilt by whoever opens the database next; damaged files were put aside at a start. */
const isWanted = (path: string): boolean => !isDatabase(path) && !/-shm$|\.damaged$/.test(path);

/** Passes end when one had this little to do; a busy service has always something. */
const LITTLE = 50;
const MAX_PASSES = 6;
const TRIES = 20;
const TRY_AGAIN_MS = 100;
const STARTS_WITHIN_MS = 60_000;

export interface Copied {
  /** The instant it shows. */
  at: number;
  /** How long the service was held still; null when none was running. */
  frozenMs: number | null;
}

/** @param to an empty folder */
export async function copyState(stateFolder: string, to: string): Promise<Copied> {
  if (!existsSync(join(stateFolder, "v3"))) throw new StartError(`There is no state of a service in ${stateFolder}`);
  const server = await serverOf(stateFolder);
  if (server !== null) return copyWhole(stateFolder, to, (work) => freeze(stateFolder, server, work));
  const lock = await takeLock(stateFolder);
  if (lock === null)
    throw new StartError(
      `A service uses ${stateFolder}, and its processes cannot be seen from here. Run the command where the service runs, as its user`,
    );
  try {
    return { ...(await copyWhole(stateFolder, to, async (work) => work())), frozenMs: null };
  } finally {
    await lock.release();
  }
}

type Still = (work: () => void) => Promise<void>;

async function copyWhole(stateFolder: string, to: string, still: Still): Promise<Copied> {
  const root = join(stateFolder, "v3");
  const mirror = new Mirror(root, join(to, "v3"), isWanted);
  for (let pass = 0; pass < MAX_PASSES && mirror.pass() > LITTLE; pass++);

  let databases: Snapshot[] = [];
  let frozenMs = 0;
  let at = 0;
  await still(() => {
    const begun = performance.now();
    at = Date.now();
    databases = databasesIn(root).map((path) => openSnapshot(root, path));
    mirror.pass();
    for (const name of KEPT)
      if (existsSync(join(stateFolder, name))) copyFileSync(join(stateFolder, name), join(to, name));
    frozenMs = Math.ceil(performance.now() - begun);
  });
  for (const snapshot of databases) await keep(snapshot, join(to, "v3"));
  removeEmptyObjects(join(to, "v3/do"));
  return { at, frozenMs };
}

/** Tries again where the runtime was stopped in the middle of something. */
async function freeze(stateFolder: string, server: Run, work: () => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    const marks = runningServer(stateFolder)?.children ?? server.children;
    try {
      return await whileFrozen(marks, work);
    } catch (error) {
      if (!isMomentary(error) || tries === TRIES) throw error;
    }
    await sleep(TRY_AGAIN_MS);
  }
}

const SQLITE_BUSY = 5;

/** A database that was locked at that instant, or a runtime that has just been replaced. */
function isMomentary(error: unknown): boolean {
  if (error instanceof Gone) return true;
  if (!(error instanceof Error)) return false;
  if ("errcode" in error) return (Number(error.errcode) & 0xff) === SQLITE_BUSY;
  return "code" in error && error.code === "ESRCH";
}

/** A running server, once its runtime serves; null when there is none. */
async function serverOf(stateFolder: string): Promise<Run | null> {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  for (;;) {
    const run = runningServer(stateFolder);
    if (run === null || serves(run)) return run;
    if (Date.now() > deadline)
      throw new StartError("The service does not come up; its log may say why. Nothing was copied");
    await sleep(TRY_AGAIN_MS);
  }
}

/** A start builds with a wrangler and migrates with a runtime, which are not the ones that serve. */
const serves = ({ children, is_serving }: Run): boolean => is_serving === true && children.length > 0;

function databasesIn(root: string): string[] {
  if (!existsSync(join(root, "d1"))) return [];
  const paths = readdirSync(join(root, "d1"), { recursive: true, encoding: "utf8" }).map((path) => join("d1", path));
  return paths.filter((path) => isDatabase(path) && path.endsWith(".sqlite"));
}

interface Snapshot {
  path: string;
  database: DatabaseSync;
}

/** From here on, this connection sees the database as it is now, whatever others write. */
function openSnapshot(root: string, path: string): Snapshot {
  const database = new DatabaseSync(join(root, path), { readOnly: true });
  try {
    database.exec("BEGIN; SELECT count(*) FROM sqlite_master");
  } catch (error) {
    database.close();
    throw error;
  }
  return { path, database };
}

async function keep({ path, database }: Snapshot, to: string): Promise<void> {
  const target = join(to, path);
  mkdirSync(dirname(target), { recursive: true });
  await copyDatabase(database, target, { rate: 10_000 });
  database.close();
  const copy = new DatabaseSync(target);
  const [verdict] = Object.values(copy.prepare("PRAGMA quick_check(1)").get() ?? {});
  copy.close();
  if (verdict !== "ok")
    throw new StartError(
      `The copy of the database is not whole (${verdict}). Look at the disk, and run the command again`,
    );
}

const MANIFEST = "backup.json";

interface Manifest {
  format: 1;
  made_at: string;
  /** How many there are beside this one. */
  files: number;
  /** Whether MASTER_KEY is in the copy. The environment gives it otherwise. */
  has_master_key: boolean;
}

/** Comes last: a copy without it is not whole. */
export function writeManifest(folder: string, { at }: Copied): Manifest {
  const secrets = join(folder, "secrets.env");
  const has_master_key = existsSync(secrets) && /^MASTER_KEY=/m.test(readFileSync(secrets, "utf8"));
  const manifest: Manifest = {
    format: 1,
    made_at: new Date(at).toISOString(),
    files: countFiles(folder),
    has_master_key,
  };
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** @returns null when the folder is no whole copy */
export function readManifest(folder: string): Manifest | null {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), "utf8"));
    return manifest?.format === 1 && manifest.files === countFiles(folder) ? manifest : null;
  } catch {
    return null;
  }
}

function countFiles(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name !== MANIFEST).length;
}
