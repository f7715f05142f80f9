// The runtime's files after a crash of the machine, a full disk or a bad copy. A damaged one keeps workerd from starting, or
// its job from ever running. What the database can replace is put aside; a damaged database is named.
import { existsSync, readdirSync, renameSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "./settings.ts";
import { isDatabaseStart, startOf } from "./sqlite-file.ts";

/** Checking a larger one wholly would take seconds. */
const CHECKED_WHOLLY = 200 * 1024 * 1024;

const HEADER_BYTES = 100;

/** Comes before workerd is started; the folder's lock is ours. */
export function repair(stateFolder: string): void {
  const root = join(stateFolder, "v3");
  if (!existsSync(root)) return;
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const path = join(root, name);
    if (!path.endsWith(".sqlite")) continue;
    const fault = faultOf(path);
    if (fault === null) continue;
    if (isDatabase(path))
      throw new StartError(
        `The database ${path} is damaged (${fault}). Restore the state folder from a copy, or start with a new CHRONOS_STATE`,
      );
    putAside(path);
    console.warn(`${path} was damaged (${fault}). It is kept as ${basename(path)}.damaged; a new file replaces it.`);
  }
}

/** D1: everything else can be rebuilt from it. The sweeper rings the alarms, and an object without state loads its row. */
const isDatabase = (path: string): boolean => /[\\/]d1[\\/]/.test(path) && !isMetadata(path);

/** The alarms of a class of objects. */
const isMetadata = (path: string): boolean => basename(path) === "metadata.sqlite";

/** There are few databases and up to a hundred thousand objects, so those are only looked at from outside. */
function faultOf(path: string): string | null {
  return faultOutside(path) ?? (isMetadata(path) || isDatabase(path) ? faultInside(path) : null);
}

function faultInside(path: string): string | null {
  try {
    const db = new DatabaseSync(path);
    try {
      const wholly = statSync(path).size <= CHECKED_WHOLLY;
      const found = db.prepare(wholly ? "PRAGMA quick_check(1)" : "SELECT 'ok' FROM sqlite_master LIMIT 1").get() ?? {};
      const [verdict = "ok"] = Object.values(found);
      return verdict === "ok" ? null : String(verdict);
    } finally {
      db.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A write-ahead log beside it may hold what it lacks. */
function faultOutside(path: string): string | null {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  const { size } = statSync(path);
  if (size === 0 || (log !== undefined && log.size > 0)) return null;
  const header = startOf(path, HEADER_BYTES);
  if (header === null) return "it is cut";
  if (!isDatabaseStart(header)) return "it is no database";
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  return size < pageSize * header.readUInt32BE(28) ? "it is cut" : null;
}

function putAside(path: string): void {
  for (const part of ["", "-wal", "-shm"])
    if (existsSync(path + part)) renameSync(path + part, `${path}${part}.damaged`);
}
