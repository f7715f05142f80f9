// The secrets of a local server. Made once: a new MASTER_KEY would change every account's signing secret.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { MIN_SECRET_LENGTH } from "../src/accounts/service-secrets.ts";
import { writeAtomically } from "./atomic-file.ts";
import { StartError } from "./settings.ts";

export interface Secrets {
  MASTER_KEY: string;
  ADMIN_TOKEN: string;
}

/** Where the secrets lie, in the form that `wrangler dev --env-file` reads. */
export function secretsFile(stateFolder: string): string {
  return join(stateFolder, "secrets.env");
}

/** Reads the secrets of a state folder, making them on its first start. */
export function loadSecrets(stateFolder: string): Secrets {
  const path = secretsFile(stateFolder);
  if (!existsSync(path)) {
    if (existsSync(join(stateFolder, "v3"))) throw new StartError(lost(`${path} is gone`));
    const masterKey = randomBytes(32).toString("base64");
    const adminToken = `adm_${randomBytes(24).toString("base64url")}`;
    writeAtomically(path, `MASTER_KEY=${masterKey}\nADMIN_TOKEN=${adminToken}\n`);
  }
  const text = readFileSync(path, "utf8");
  const { MASTER_KEY = "", ADMIN_TOKEN = "" } = parseEnv(text);
  for (const [name, value] of Object.entries({ MASTER_KEY, ADMIN_TOKEN })) {
    if (value === "") throw new StartError(lost(`${path} lacks ${name}`));
    if (value.length < MIN_SECRET_LENGTH)
      throw new StartError(
        `${name} in ${path} has ${value.length} characters: use at least ${MIN_SECRET_LENGTH}, such as those of: openssl rand -hex 32`,
      );
  }
  // A key that was cut short would be another key.
  if (!text.endsWith("\n")) throw new StartError(lost(`The last line of ${path} does not end, so the file may be cut`));
  return { MASTER_KEY, ADMIN_TOKEN };
}

function lost(what: string): string {
  return `${what}. Without the right MASTER_KEY every signing secret would change: restore the file, or start with a new CHRONOS_STATE`;
}
