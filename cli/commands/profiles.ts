// `chronos-edge login` and `chronos-edge profile …`: the services a person works with.

import type { Command } from "commander";
import { Chronos, ChronosApiError } from "../../sdk/src/index.ts";
import { type CommonOptions, printer } from "../context.ts";
import { EXIT, Failure, usage } from "../failure.ts";
import { profilesFile, readProfiles, writeProfiles } from "../profiles.ts";
import { LOCAL } from "../service.ts";
import { type Cell, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** In place of a name: no profile is the current one. */
const NONE = "none";

export function profileCommands(program: Command, terminal: Terminal): void {
  program
    .command("login")
    .description("keep the address and key of a service; the key is asked for, or read from the standard input")
    .argument("[name]", "of the profile", "default")
    .requiredOption("--url <url>", "of the service, without /v1")
    .action((name: string, { url }: { url: string }) => login(terminal, name, url));

  const profile = program.command("profile").description("the services you have logged in to");
  profile
    .command("list")
    .description("all profiles, without their keys")
    .action((_: object, command: Command) => list(terminal, command.optsWithGlobals()));
  profile
    .command("use")
    .description("make a profile the current one; none for the embedded service of each folder")
    .argument("<name>")
    .action((name: string) => use(terminal, name));
  profile
    .command("remove")
    .description("forget a profile and its key")
    .argument("<name>")
    .action((name: string) => remove(terminal, name));
}

async function login(terminal: Terminal, name: string, given: string): Promise<void> {
  if (name === LOCAL || name === NONE || !/^[\w.-]{1,64}$/.test(name)) {
    throw usage(`A profile's name is 1–64 letters, digits, dots, dashes and underscores, and not ${LOCAL} or ${NONE}`);
  }
  const url = given.replace(/\/+$/, "");
  const secret = terminal.isInteractive ? await terminal.ask("API key: ") : await terminal.input();
  const apiKey = secret.trim();
  await checkKey(url, apiKey);
  const content = readProfiles(terminal);
  writeProfiles(terminal, { current: name, profiles: { ...content.profiles, [name]: { url, api_key: apiKey } } });
  if (isExposed(url)) terminal.err("warning: this address is not https, so the key travels readable for others");
  terminal.out(
    `Logged in to ${url}. The profile "${name}" is in ${profilesFile(terminal)} and is now the current one.`,
  );
}

/** Throws unless the service knows the key, whatever that may do. */
async function checkKey(baseUrl: string, apiKey: string): Promise<void> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const chronos = new Chronos({ apiKey, baseUrl, logger: silent, retryDelayMs: 250 });
  try {
    await chronos.handlers.list({ size: 1 }).page();
  } catch (error) {
    if (error instanceof ChronosApiError && error.code === "forbidden") return;
    if (error instanceof ChronosApiError && error.status === 401)
      throw new Failure(EXIT.refused, `${baseUrl} does not know this API key; nothing was kept`);
    throw error;
  }
}

function isExposed(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== "https:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function list(terminal: Terminal, { json = false }: CommonOptions): void {
  const { current, profiles } = readProfiles(terminal);
  const all = Object.entries(profiles).map(([name, { url }]) => ({ name, url, current: name === current }));
  const rows = all.map((one): Cell[] => [one.current ? { text: "*", style: "green" } : "", one.name, one.url]);
  printer(terminal, json)(all, () =>
    all.length === 0 ? "No profiles. Make one with: chronos-edge login" : table(terminal, ["", "NAME", "URL"], rows),
  );
}

function use(terminal: Terminal, name: string): void {
  const { profiles } = readProfiles(terminal);
  if (name !== NONE && !Object.hasOwn(profiles, name)) {
    throw usage(`There is no profile "${name}". Make it with: chronos-edge login ${name}`);
  }
  writeProfiles(terminal, { current: name === NONE ? null : name, profiles });
  terminal.out(name === NONE ? "No profile is current." : `The current profile is "${name}".`);
}

function remove(terminal: Terminal, name: string): void {
  const { current, profiles } = readProfiles(terminal);
  if (!Object.hasOwn(profiles, name)) throw usage(`There is no profile "${name}"`);
  const { [name]: _, ...others } = profiles;
  writeProfiles(terminal, { current: current === name ? null : current, profiles: others });
  terminal.out(`The profile "${name}" is gone. Its key still works: chronos-edge keys delete ends it.`);
}
