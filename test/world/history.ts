// All that happened, in its order: one line for each thing. The whole is known by its hash; a trace shows the lines.

import { createHash } from "node:crypto";

export interface Line {
  readonly at: number;
  readonly kind: string;
  readonly about: string;
  readonly more: string;
}

export class History {
  /** Kept for a trace only. */
  readonly lines: Line[] = [];
  readonly counts = new Map<string, number>();
  readonly #hash = createHash("sha256");
  readonly #isKept: boolean;
  readonly #now: () => number;

  constructor(now: () => number, isKept: boolean) {
    this.#now = now;
    this.#isKept = isKept;
  }

  note(kind: string, about: string, more = ""): void {
    const at = this.#now();
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#hash.update(`${at} ${kind} ${about} ${more}\n`);
    if (this.#isKept) this.lines.push({ at, kind, about, more });
  }

  /** Of everything so far. */
  hash(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}

/** @param only shows the lines that speak of this */
export function shown(lines: readonly Line[], startsAt: number, only = ""): string {
  const wanted = lines.filter(({ about, more }) => only === "" || about.includes(only) || more.includes(only));
  return wanted
    .map(({ at, kind, about, more }) => `${sinceStart(at - startsAt)} ${kind.padEnd(14)} ${about} ${more}`)
    .join("\n");
}

function sinceStart(ms: number): string {
  const seconds = ms / 1_000;
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return `${parts.map((part) => String(part).padStart(2, "0")).join(":")}.${(ms % 1_000).toFixed(1).padStart(5, "0")}`;
}
