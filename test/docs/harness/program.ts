// A program of a guide, taken from its page and run as a process of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../../local/settings.ts";
import { until } from "../../harness/until.ts";

/** Writes the programs of a guide side by side into a folder: fenced blocks whose language a file's name follows. */
export function takeFrom(guide: string, folder: string): string[] {
  const text = readFileSync(join(PROJECT, "docs", guide), "utf8");
  const programs = [...text.matchAll(/^```\w+ (\w+\.\w+)\n(.*?)^```$/gms)];
  for (const [, name = "", code = ""] of programs) writeFileSync(join(folder, name), code);
  return programs.map(([, name = ""]) => name);
}

export class Program {
  readonly #child: ChildProcess;
  /** It has ended, and all it printed is read. */
  #isOver = false;
  /** All it has printed. */
  output = "";

  constructor([name = "", ...args]: readonly string[], cwd: string, env: Record<string, string>) {
    this.#child = spawn(name, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.on("error", (fault) => {
      this.output += fault.message;
    });
    this.#child.once("close", () => {
      this.#isOver = true;
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
  }

  prints(text: string, limitMs = 30_000): Promise<void> {
    return until(
      () => this.output.includes(text),
      limitMs,
      () => `It never prints ${text}:\n${this.output}`,
    );
  }

  /** @returns its exit code, once it has ended by itself or by the signal, and its output is whole */
  async ends(signal?: NodeJS.Signals, limitMs = 30_000): Promise<number | null> {
    const child = this.#child;
    if (signal) child.kill(signal);
    await until(
      () => this.#isOver,
      limitMs,
      () => `It does not end:\n${this.output}`,
    );
    return child.exitCode;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
