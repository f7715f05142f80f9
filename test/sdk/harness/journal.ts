// What the workers of a test did, written by all of them into one file: it survives the one that is killed mid-word.

import { appendFileSync, readFileSync, writeFileSync } from "node:fs";

export interface Begun {
  readonly workerId: string;
  readonly jobId: string;
  readonly executionId: string;
}

export class Journal {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    writeFileSync(path, "", { flag: "a" });
  }

  /** One short line, written whole. */
  add(begun: Begun): void {
    appendFileSync(this.path, `${JSON.stringify(begun)}\n`);
  }

  read(): Begun[] {
    const lines = readFileSync(this.path, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  }
}
