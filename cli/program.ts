// The command tree, and what becomes of its errors.

import tab from "@bomb.sh/tab/commander";
import { Command, CommanderError } from "commander";
import { printable } from "../local/printable.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { embeddedCommands } from "./commands/embedded.ts";
import { flowCommands } from "./commands/flows.ts";
import { jobCommands } from "./commands/jobs.ts";
import { keyCommands } from "./commands/keys.ts";
import { profileCommands } from "./commands/profiles.ts";
import { scheduleCommands } from "./commands/schedules.ts";
import { webhookCommands } from "./commands/webhooks.ts";
import { binder } from "./context.ts";
import { EXIT, errorJson, lineOf, tell } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Runs a command. @returns its exit code */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = commandTree(terminal, wantsJson(args), (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const told = tell(thrown);
    if (wantsJson(args)) terminal.err(errorJson(told));
    else terminal.err(`error: ${printable(lineOf(told))}`);
    return told.exitCode;
  }
}

/** Before the arguments are understood: they may be what is wrong. */
const wantsJson = (args: readonly string[]): boolean => args.includes("--json");

function commandTree(terminal: Terminal, json: boolean, end: (exitCode: number) => void): Command {
  const program = new Command("chronos-edge")
    .description("Call me back at time T, reliably: run the service, and work with its jobs.")
    .version(VERSION)
    .option("--json", "print JSON for programs")
    .option("--profile <name>", "the service to speak to: one you have logged in to, or local")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text) => terminal.err(json ? usageError(text) : text.trimEnd()),
    })
    .showHelpAfterError(json ? false : "Add --help for the arguments.")
    .exitOverride();
  const bind = binder(terminal, end);
  embeddedCommands(program);
  jobCommands(program, bind);
  scheduleCommands(program, bind);
  flowCommands(program, bind);
  keyCommands(program, bind);
  webhookCommands(program, bind);
  doctorCommand(program, bind);
  profileCommands(program, terminal);
  tab(program, { completionCommandName: "completion" });
  return program;
}

const usageError = (text: string): string => {
  const message = text.replace(/^error: /, "").trim();
  return errorJson({ exitCode: EXIT.usage, code: "usage", message, errors: [], requestId: null });
};
