// `chronos-edge backup` and `chronos-edge restore`: a copy in one folder or one archive, whole or not there at all.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { takeLock } from "../lock.ts";
import { commandLine } from "../packed.ts";
import { readSettings, StartError } from "../settings.ts";
import { makeFolder } from "../state-folder.ts";
import { isArchive, pack, unpack } from "./archive.ts";
import { copyState, readManifest, writeManifest } from "./copy.ts";

/** @param target a folder or an archive that is not there yet */
export const backup = (target: string): Promise<void> => withPlainFailures(() => makeBackup(resolve(target)));

/** @param copy what `backup` has made */
export const restore = (copy: string): Promise<void> => withPlainFailures(() => bringBack(resolve(copy)));

async function makeBackup(target: string): Promise<void> {
  const { stateFolder } = readSettings(process.env);
  if (existsSync(target)) throw new StartError(`${target} is there already. Name a file or folder that is not`);
  if (target.startsWith(join(stateFolder, "v3") + sep))
    throw new StartError(`${target} is inside of what is copied. Choose a place outside of ${stateFolder}`);
  if (!isArchive(target) && OTHER_ARCHIVE.test(target)) throw new StartError(`${target}: ${FORMS}`);
  const folder = `${target}.partial`;
  rmSync(folder, { recursive: true, force: true });
  makeFolder(folder);
  const finished = isArchive(target) ? `${target}.unfinished` : folder;
  try {
    const copied = await copyState(stateFolder, folder);
    const { files, has_master_key } = writeManifest(folder, copied);
    if (finished !== folder) pack(folder, finished, target);
    renameSync(finished, target);
    const pause = copied.frozenMs === null ? "" : `; the service was held still for ${copied.frozenMs} ms`;
    console.log(`${target}: ${files} files of ${stateFolder}${pause}.`);
    if (!has_master_key) console.log(KEY_ELSEWHERE);
  } finally {
    for (const path of [folder, finished]) rmSync(path, { recursive: true, force: true });
  }
}

const FORMS = "a copy is a folder, or a file that ends in .tar, .tar.gz or .tgz";

/** Whoever names one of these does not expect a folder. */
const OTHER_ARCHIVE = /\.(zip|gz|xz|zst|bz2|7z)$/i;

const KEY_ELSEWHERE =
  "MASTER_KEY is not in it, since the environment gives it: keep a copy of that elsewhere. Without it every signing secret changes.";

async function bringBack(copy: string): Promise<void> {
  const { stateFolder } = readSettings(process.env);
  if (!existsSync(copy)) throw new StartError(`There is no ${copy}`);
  if (!isArchive(copy) && !statSync(copy).isDirectory()) throw new StartError(`${copy}: ${FORMS}`);
  makeFolder(stateFolder);
  refuseInUse(stateFolder);
  const lock = await takeLock(stateFolder);
  if (lock === null)
    throw new StartError(`A service uses ${stateFolder}. Stop it, or restore into another CHRONOS_STATE`);
  const arriving = join(stateFolder, ARRIVING);
  try {
    rmSync(arriving, { recursive: true, force: true });
    mkdirSync(arriving, { mode: 0o700 });
    if (isArchive(copy)) unpack(copy, arriving);
    else cpSync(copy, arriving, { recursive: true });
    const manifest = readManifest(arriving);
    if (manifest === null) throw new StartError(`${copy} is no whole copy that ${commandLine("backup")} has made`);
    // The jobs first: a start refuses a state whose secrets are missing, and would begin anew on secrets alone.
    for (const name of ["v3", "secrets.env", "dev.json"])
      if (existsSync(join(arriving, name))) renameSync(join(arriving, name), join(stateFolder, name));
    console.log(`${stateFolder}: as it was at ${manifest.made_at}. Start the service on it: ${commandLine("start")}`);
    if (!manifest.has_master_key) console.log("MASTER_KEY is not in the copy: start with the one it was made with.");
  } finally {
    rmSync(arriving, { recursive: true, force: true });
    await lock.release();
  }
}

const ARRIVING = ".restoring";

/** Left by a lock or by a restore that was interrupted, or part of a volume. */
const NOTHING = new Set(["lock", "lock-journal", "lost+found", ARRIVING]);

function refuseInUse(stateFolder: string): void {
  const [found] = readdirSync(stateFolder).filter((name) => !NOTHING.has(name));
  if (found === undefined) return;
  throw new StartError(
    `${stateFolder} is not empty (${found}), and nothing in it is overwritten. Restore into another folder: CHRONOS_STATE=<folder>`,
  );
}

async function withPlainFailures(work: () => Promise<void>): Promise<void> {
  process.umask(0o077); // copies hold keys, secrets and payloads
  try {
    await work();
  } catch (error) {
    console.error(error instanceof StartError ? error.message : plain(error));
    process.exitCode = 1;
  }
}

/** Of the system's own words (ENOSPC, EACCES …) the first line says it; a fault of ours keeps its stack. */
const plain = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.message : error);
