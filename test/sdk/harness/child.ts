// A process of a test's own: what it said, and its end. Started and stopped by pid, never by name.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter } from "node:path";
import { PROJECT } from "../../../local/settings.ts";
import { until } from "../../harness/until.ts";

export interface ChildOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** The program; the Node of the tests unless told otherwise. */
  readonly command?: string;
}

export class Child {
  output = "";
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown[]>;

  constructor(args: readonly string[], { env = {}, cwd = PROJECT, command = process.execPath }: ChildOptions = {}) {
    this.#process = spawn(command, args, {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#process, "close");
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (chunk) => {
        this.output += chunk;
      });
    }
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Waits until it has said something like this; its first group is the answer. */
  async says(pattern: RegExp, limitMs = 30_000): Promise<string> {
    const complaint = () => `${this.hasEnded ? "It ended and n" : "N"}ever said ${pattern}:\n${this.output}`;
    await until(() => pattern.test(this.output), limitMs, complaint);
    const [whole = "", group = whole] = pattern.exec(this.output) ?? [];
    return group;
  }

  /** Waits for an end that nobody asked for. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.#process.kill(signal);
  }

  /** Sends a signal and waits for the end; the exit code is the answer, null for a death by signal. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.kill(signal);
    await this.#ended;
    return this.#process.exitCode;
  }
}

/** The Node that users have: the one outside of this project's own tools. It may be as old as 20. */
export function nodeOfTheUser(): ChildOptions & { env: Record<string, string> } {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return { command: "node", env: { PATH: folders.join(delimiter) } };
}
