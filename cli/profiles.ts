// The services a person works with, in a file of their own: an address and a key each.

import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeAtomically } from "../local/atomic-file.ts";
import { usage } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface Profile {
  url: string;
  api_key: string;
}

export interface Profiles {
  /** The one that is used when none is named. */
  current: string | null;
  profiles: Record<string, Profile>;
}

/** Below $XDG_CONFIG_HOME, or ~/.config. */
export function profilesFile({ env, home }: Terminal): string {
  const base = env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : join(home, ".config");
  return join(base, "chronos-edge", "profiles.json");
}

export function readProfiles(terminal: Terminal): Profiles {
  const path = profilesFile(terminal);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { current: null, profiles: {} };
    throw usage(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  warnOfReaders(terminal, path);
  const content = parsed(text);
  if (content === null) throw usage(`${path} is damaged: repair or remove it, then log in again`);
  return content;
}

export function writeProfiles(terminal: Terminal, content: Profiles): void {
  const path = profilesFile(terminal);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // A draft of another mode may be left over.
    rmSync(`${path}.tmp`, { force: true });
    writeAtomically(path, `${JSON.stringify(content, null, 2)}\n`);
  } catch (error) {
    throw usage(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function warnOfReaders({ err }: Terminal, path: string): void {
  if ((statSync(path).mode & 0o077) !== 0) err(`warning: others can read ${path}. Close it: chmod 600 ${path}`);
}

function parsed(text: string): Profiles | null {
  try {
    const { current = null, profiles } = JSON.parse(text) as Partial<Profiles>;
    const isProfile = (one: Partial<Profile>) => typeof one?.url === "string" && typeof one.api_key === "string";
    return profiles !== undefined && Object.values(profiles).every(isProfile) ? { current, profiles } : null;
  } catch {
    return null;
  }
}
