// Files that are seen whole or not at all, readable by their owner only.
import { linkSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a private file; whoever reads it meanwhile sees the old content or the new one. */
export function writeAtomically(path: string, content: string): void {
  renameSync(written(path, content), path);
}

/** Writes a private file that must not be there yet; throws EEXIST if it is. */
export function createAtomically(path: string, content: string): void {
  const whole = written(path, content);
  try {
    linkSync(whole, path);
  } finally {
    rmSync(whole);
  }
}

function written(path: string, content: string): string {
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, content, { mode: 0o600 });
  return draft;
}
