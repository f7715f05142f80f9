// workerd keeps a file of 4 KB for each object that was ever touched, and never deletes it. Before it starts, those that hold
// nothing are removed: an object without a file is as empty as one with an empty file.

import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const PAGE_BYTES = 4_096;

/** SQLite's file format: the header of the first page, and behind it that of the tree that lists the tables. */
const MAGIC = "SQLite format 3\0";
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
      const isAnObject = /^[0-9a-f]{64}\.sqlite$/.test(name);
      // What is in a log beside the file is not in the file yet.
      if (!isAnObject || files.has(`${name}-wal`) || files.has(`${name}-journal`)) continue;
      if (!isEmpty(join(path, name))) continue;
      rmSync(join(path, name));
      rmSync(join(path, `${name}-shm`), { force: true });
      removed += 1;
    }
  }
  return removed;
}

/** Whether a database has no table: one page, and no entry in the tree of tables. */
function isEmpty(path: string): boolean {
  const { size } = statSync(path);
  if (size === 0) return true;
  if (size !== PAGE_BYTES) return false;
  const header = Buffer.alloc(CELLS_AT + 2);
  const file = openSync(path, "r");
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return (
    header.toString("latin1", 0, MAGIC.length) === MAGIC &&
    header[TREE_AT] === LEAF &&
    header.readUInt16BE(CELLS_AT) === 0
  );
}
