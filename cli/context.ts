// What a command works with: the terminal, the client of the service that was chosen, and the form of its output.

import type { Command } from "commander";
import { Chronos, ChronosConfigError } from "../sdk/src/index.ts";
import { apiJson } from "./api-json.ts";
import { usage } from "./failure.ts";
import { findService, type Service } from "./service.ts";
import type { Terminal } from "./terminal.ts";

/** The options that every command takes. */
export interface CommonOptions {
  json?: boolean;
  profile?: string;
}

export interface Context {
  terminal: Terminal;
  /** Output is for programs. */
  json: boolean;
  now: number;
  service: Service;
  chronos: Chronos;
  /** Prints what the API's reference describes, or something for people. */
  print(value: unknown, forPeople: () => string): void;
}

/** Between two tries; a person waits. */
const RETRY_DELAY_MS = 250;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

export function contextOf(terminal: Terminal, { json = false, profile }: CommonOptions): Context {
  const service = findService(terminal, profile);
  const chronos = clientOf(service);
  const print = printer(terminal, json);
  return { terminal, json, now: Date.now(), service, chronos, print };
}

function clientOf({ url: baseUrl, apiKey, source }: Service): Chronos {
  try {
    return new Chronos({ apiKey, baseUrl, logger: silent, retryDelayMs: RETRY_DELAY_MS });
  } catch (error) {
    if (!(error instanceof ChronosConfigError)) throw error;
    throw usage(`${source}: ${error.message.replace("baseUrl", "the address").replace("apiKey", "the API key")}`);
  }
}

export const printer =
  (terminal: Terminal, json: boolean): Context["print"] =>
  (value, forPeople) =>
    terminal.out(json ? apiJson(value) : forPeople());

/** The action of a command: it gets the context, its arguments and its options. A number that it returns is the exit code. */
export type Action<Args extends unknown[], Options> = (
  context: Context,
  args: Args,
  options: Options,
) => Promise<unknown>;

/** Connects an action with commander's way to call it. */
export type Bind = <Args extends unknown[], Options = object>(
  action: Action<Args, Options>,
) => (...given: unknown[]) => Promise<void>;

export function binder(terminal: Terminal, end: (exitCode: number) => void): Bind {
  return (action) =>
    async (...given) => {
      // The last two are its own options and the command.
      const command = given.at(-1) as Command;
      const options = command.optsWithGlobals();
      const context = contextOf(terminal, options);
      const code = await action(context, given.slice(0, -2) as never, options as never);
      if (typeof code === "number") end(code);
    };
}
