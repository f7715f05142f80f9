// Which service a command speaks to: a profile that is named, the environment, the current profile, or the embedded service
// of this folder, in this order. A key is only ever sent to the address that it came with.

import { join, resolve } from "node:path";
import { readDevAccount } from "../local/account.ts";
import { usage } from "./failure.ts";
import { type Profile, readProfiles } from "./profiles.ts";
import type { Terminal } from "./terminal.ts";

export interface Service {
  url: string;
  apiKey: string;
  /** Where it was found, for people: `profile production`. */
  source: string;
}

/** The name of the embedded service of this folder, as of a profile. */
export const LOCAL = "local";

export function findService(terminal: Terminal, named: string | undefined): Service {
  if (named !== undefined)
    return named === LOCAL ? (localService(terminal) ?? none(NO_LOCAL)) : profile(terminal, named);
  const { CHRONOS_URL: url = "", CHRONOS_API_KEY: apiKey = "", CHRONOS_PROFILE: chosen = "" } = terminal.env;
  if (url !== "" && apiKey !== "") return { url, apiKey, source: "CHRONOS_URL and CHRONOS_API_KEY" };
  if (url !== "" || apiKey !== "") {
    const [set, missing] = url === "" ? ["CHRONOS_API_KEY", "CHRONOS_URL"] : ["CHRONOS_URL", "CHRONOS_API_KEY"];
    throw usage(`${missing} is not set, and ${set} is: a key belongs to one service, so set both or none`);
  }
  if (chosen !== "") return findService(terminal, chosen);
  const { current } = readProfiles(terminal);
  if (current !== null) return findService(terminal, current);
  return localService(terminal) ?? none(NO_SERVICE);
}

const NO_LOCAL = "There is no embedded service in this folder: start one with chronos-edge start";
const NO_SERVICE =
  "No service is known: set CHRONOS_URL and CHRONOS_API_KEY, or log in with chronos-edge login, " +
  "or run this in the folder of an embedded service (chronos-edge start)";

function none(message: string): never {
  throw usage(message);
}

function profile(terminal: Terminal, name: string): Service {
  const { profiles } = readProfiles(terminal);
  const found: Profile | undefined = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (found === undefined) {
    const names = Object.keys(profiles).join(", ") || "none";
    throw usage(`There is no profile "${name}"; there is ${names}. Make it with: chronos-edge login ${name}`);
  }
  return { url: found.url, apiKey: found.api_key, source: `profile ${name}` };
}

/** Whose state folder is here: its first start has written an account there. */
function localService({ cwd, env }: Terminal): Service | null {
  const folder = resolve(cwd, env.CHRONOS_STATE || ".chronos");
  const account = readDevAccount(folder);
  return account && { url: account.url, apiKey: account.api_key, source: join(folder, "dev.json") };
}
