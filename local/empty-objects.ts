// workerd keeps a file of 4 KB for each object that was ever touched, and never deletes it. Before it starts, those that hold
// nothing are removed: an object without a file is as empty as one with an empty file.

import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDatabaseStart, startOf } from "./sqlite-file.ts";

const PAGE_BYTES = 4_096;

/** The header of the first page is followed by that of the tree that lists the tables. */
const TREE_AT = 100;
const LEAF = 0x0d;
const CELLS_AT = TREE_AT + 3;

/**
 * @param objectsFolder where the platform keeps the files of all classes
 * @returns how many files were removed
 */
export function removeEmptyObjects(objectsFolder: string): number {
  if (!existsSync(objectsFolder)) return 0;
  let removed = 0;
  for (const folder of readdirSync(objectsFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const path = join(objectsFolder, folder.name);
    const files = new Set(readdirSync(path));
    for (const name of files) {
      if (!/^[0-9a-f]{64}\.sqlite$/.test(name)) continue;
      // What is in a log beside the file is not in the file yet: the object was open when workerd ended.
      const hasLog = files.has(`${name}-wal`) || files.has(`${name}-journal`);
      if (!(hasLog ? isEmptyWithLog(join(path, name)) : isEmpty(join(path, name)))) continue;
      rmSync(join(path, name));
      for (const beside of ["-shm", "-wal"]) rmSync(join(path, name + beside), { force: true });
      removed += 1;
    }
  }
  return removed;
}

/** The same for a file with a log, which SQLite has to read; the log is merged into the file. */
function isEmptyWithLog(path: string): boolean {
  try {
    const database = new DatabaseSync(path);
    try {
      return database.prepare("SELECT 1 FROM sqlite_master LIMIT 1").get() === undefined;
    } finally {
      database.close();
    }
  } catch {
    return false; // damaged: that is another's business
  }
}

/** Whether a database has no table: one page, and no entry in the tree of tables. */
function isEmpty(path: string): boolean {
  const { size } = statSync(path);
  if (size === 0) return true;
  if (size !== PAGE_BYTES) return false;
  const start = startOf(path, CELLS_AT + 2);
  return start !== null && isDatabaseStart(start) && start[TREE_AT] === LEAF && start.readUInt16BE(CELLS_AT) === 0;
}
