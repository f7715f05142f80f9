// The terminal of the process.

import { homedir } from "node:os";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { outliveReaders } from "../local/output.ts";
import type { Terminal } from "./terminal.ts";

export function systemTerminal(): Terminal {
  outliveReaders();
  const { stdin, stdout, stderr, env } = process;
  return {
    out: (lines) => void stdout.write(`${lines}\n`),
    err: (lines) => void stderr.write(`${lines}\n`),
    input: () => text(stdin),
    async ask(question) {
      stderr.write(question);
      const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
      const lines = createInterface({ input: stdin, output: muted, terminal: true });
      lines.once("SIGINT", () => process.exit(130));
      try {
        return await lines.question("");
      } finally {
        lines.close();
        stderr.write("\n");
      }
    },
    env,
    cwd: process.cwd(),
    home: homedir(),
    isInteractive: stdin.isTTY === true,
    // An empty NO_COLOR counts as not set: https://no-color.org
    color: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb",
    width: widthOf(stdout),
  };
}

/** A terminal that does not know its width, as many a container's, says 0. */
export const widthOf = ({ isTTY, columns }: { isTTY: boolean; columns: number }): number =>
  (isTTY && columns) || Number.POSITIVE_INFINITY;
