// SQLite's file format, as far as a file can be judged by its first bytes.
import { closeSync, openSync, readSync } from "node:fs";

const MAGIC = "SQLite format 3\0";

/** The first bytes of a file; null when it is shorter. */
export function startOf(path: string, bytes: number): Buffer | null {
  const start = Buffer.alloc(bytes);
  const file = openSync(path, "r");
  try {
    return readSync(file, start) < bytes ? null : start;
  } finally {
    closeSync(file);
  }
}

export const isDatabaseStart = (start: Buffer): boolean => start.toString("latin1", 0, MAGIC.length) === MAGIC;
