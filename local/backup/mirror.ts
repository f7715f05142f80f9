// A copy of a folder that follows it: each pass copies what has changed since the one before. So most of a large folder is
// copied while it is in use, and little is left for the last pass, when nobody writes.
import { copyFileSync, mkdirSync, readdirSync, rmSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** Clocks of file systems tick in steps, and two writes in one step look like one: what is that young is copied again. */
const SETTLED_AFTER_MS = 1_000;

interface Seen {
  stamp: string;
  isSettled: boolean;
}

export class Mirror {
  readonly #from: string;
  readonly #to: string;
  readonly #isWanted: (path: string) => boolean;
  #seen = new Map<string, Seen>();

  /** @param isWanted which of the files, by their path inside the folder */
  constructor(from: string, to: string, isWanted: (path: string) => boolean) {
    this.#from = from;
    this.#to = to;
    this.#isWanted = isWanted;
  }

  /** @returns how many files were copied or removed */
  pass(): number {
    const before = this.#seen;
    this.#seen = new Map();
    let changes = 0;
    for (const path of this.#listing()) {
      const known = before.get(path);
      const seen = this.#look(path);
      if (seen === null) continue;
      if (known?.stamp !== seen.stamp || !known.isSettled) {
        if (!this.#copy(path)) continue;
        changes += 1;
      }
      this.#seen.set(path, seen);
      before.delete(path);
    }
    for (const path of before.keys()) {
      rmSync(join(this.#to, path), { force: true });
      changes += 1;
    }
    return changes;
  }

  #listing(): string[] {
    const entries = readdirSync(this.#from, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    return paths.map((path) => path.slice(this.#from.length + 1)).filter(this.#isWanted);
  }

  /** @returns null when it is gone meanwhile */
  #look(path: string): Seen | null {
    const now = Date.now();
    const stat = statSync(join(this.#from, path), { throwIfNoEntry: false });
    return stat === undefined ? null : { stamp: stampOf(stat), isSettled: now - stat.mtimeMs > SETTLED_AFTER_MS };
  }

  /** @returns whether it was still there */
  #copy(path: string): boolean {
    const target = join(this.#to, path);
    mkdirSync(dirname(target), { recursive: true });
    try {
      copyFileSync(join(this.#from, path), target);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
      throw error;
    }
  }
}

const stampOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => [ino, size, mtimeMs, ctimeMs].join(" ");
