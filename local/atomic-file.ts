// Files that are seen whole or not at all, also after a power cut, and are readable by their owner only.
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";

/**
 * Writes a private file; whoever reads it meanwhile sees the old content or the new one. Only one process may write it at a
 * time, which in the state folder is the one that has its lock.
 */
export function writeAtomically(path: string, content: string): void {
  const draft = `${path}.tmp`;
  const file = openSync(draft, "w", 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}
