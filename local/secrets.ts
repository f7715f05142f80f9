// The secrets of a local server. Made once: a new MASTER_KEY would change every account's signing secret. Those that the
// environment gives are used and not written down.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { MIN_SECRET_LENGTH } from "../src/accounts/service-secrets.ts";
import { writeAtomically } from "./atomic-file.ts";
import { type Settings, StartError } from "./settings.ts";

export interface Secrets {
  MASTER_KEY: string;
  ADMIN_TOKEN: string;
  MASTER_KEY_PREVIOUS?: string;
}

const NAMES = ["MASTER_KEY", "ADMIN_TOKEN"] as const;

/** Where the secrets lie that nobody else gives. */
export function secretsFile(stateFolder: string): string {
  return join(stateFolder, "secrets.env");
}

/**
 * The secrets of a state folder, made on its first start.
 * @param given those of the environment, which come first
 */
export function loadSecrets(stateFolder: string, given: Settings["secrets"] = {}): Secrets {
  const path = secretsFile(stateFolder);
  const isFirstStart = !existsSync(path) && !existsSync(join(stateFolder, "v3"));
  if (isFirstStart) makeSecrets(path, given);
  const kept = readSecrets(path);
  for (const name of NAMES) {
    const value = given[name] ?? kept[name];
    if (value === undefined) throw new StartError(lost(existsSync(path) ? `${path} lacks ${name}` : `${path} is gone`));
    if (value.length < MIN_SECRET_LENGTH)
      throw new StartError(
        `${name} in ${path} has ${value.length} characters: use at least ${MIN_SECRET_LENGTH}, such as those of: openssl rand -hex 32`,
      );
  }
  checkChange(path, kept.MASTER_KEY, given);
  return { MASTER_KEY: "", ADMIN_TOKEN: "", ...kept, ...given };
}

/** Writes the secrets that nobody has given. */
function makeSecrets(path: string, given: Settings["secrets"]): void {
  const made = {
    MASTER_KEY: randomBytes(32).toString("base64"),
    ADMIN_TOKEN: `adm_${randomBytes(24).toString("base64url")}`,
  };
  const lines = NAMES.filter((name) => given[name] === undefined).map((name) => `${name}=${made[name]}\n`);
  if (lines.length > 0) writeAtomically(path, lines.join(""));
}

function readSecrets(path: string): Partial<Secrets> {
  if (!existsSync(path)) return {};
  const text = readFileSync(path, "utf8");
  const { MASTER_KEY, ADMIN_TOKEN } = parseEnv(text);
  const kept = { ...(MASTER_KEY && { MASTER_KEY }), ...(ADMIN_TOKEN && { ADMIN_TOKEN }) };
  // A key that was cut short would be another key. What the file lacks altogether is named by the caller.
  if (Object.keys(kept).length > 0 && !text.endsWith("\n"))
    throw new StartError(lost(`The last line of ${path} does not end, so the file may be cut`));
  return kept;
}

/** Another master key than the one that is kept is a change, and needs the one before to sign with beside it. */
function checkChange(path: string, kept: string | undefined, given: Settings["secrets"]): void {
  const { MASTER_KEY, MASTER_KEY_PREVIOUS } = given;
  if (MASTER_KEY_PREVIOUS !== undefined && MASTER_KEY === undefined)
    throw new StartError("MASTER_KEY_PREVIOUS is the key before MASTER_KEY: set both, or neither");
  if (MASTER_KEY === undefined || kept === undefined || MASTER_KEY === kept || MASTER_KEY_PREVIOUS === kept) return;
  throw new StartError(
    `MASTER_KEY is not the one in ${path}, so every signing secret would change. Unset MASTER_KEY to go on with the one in the file, or set MASTER_KEY_PREVIOUS to that`,
  );
}

/**
 * Writes all secrets, wherever they come from, in the form that `wrangler dev --env-file` reads.
 * @returns the file's path
 */
export function writeForWrangler(stateFolder: string, secrets: Secrets): string {
  const path = join(stateFolder, "tools", "secrets.env");
  const lines = Object.entries(secrets).map(
    ([name, value]) => `${name}=${value.includes("'") ? `"${value}"` : `'${value}'`}\n`,
  );
  writeAtomically(path, lines.join(""));
  return path;
}

function lost(what: string): string {
  return `${what}. Without the right MASTER_KEY every signing secret would change: restore the file, set the variable, or start with a new CHRONOS_STATE`;
}
