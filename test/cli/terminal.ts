// A terminal in memory: runs the program in this process, and keeps what it printed.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { run } from "../../cli/program.ts";
import type { Terminal } from "../../cli/terminal.ts";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export type Cli = (...args: string[]) => Promise<Ran>;

/** A person's machine: a home of its own, and the given environment. */
export function machine(env: Record<string, string> = {}, input = "", options: Partial<Terminal> = {}) {
  const home = mkdtempSync(join(tmpdir(), "chronos-cli-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const cli: Cli = async (...args) => {
    const out: string[] = [];
    const err: string[] = [];
    const code = await run(args, {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      input: async () => input,
      ask: async () => input,
      env,
      cwd: home,
      home,
      isInteractive: false,
      color: false,
      width: Number.POSITIVE_INFINITY,
      ...options,
    });
    return { code, out: out.join("\n"), err: err.join("\n") };
  };
  return { cli, home };
}

/** The program with the key of an account, as CI has it. */
export const cliOf = ({ url, apiKey }: { url: string; apiKey: string }, input = ""): Cli =>
  machine({ CHRONOS_URL: url, CHRONOS_API_KEY: apiKey }, input).cli;

/** What a call printed with --json. */
export async function json<T>(ran: Promise<Ran>): Promise<T> {
  const { out, err } = await ran;
  if (err !== "") throw new Error(err);
  return JSON.parse(out);
}
