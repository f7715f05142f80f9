// The operator's copies of the service's secrets: one file each, in a folder outside the repository, readable by its owner
// only. A file is never overwritten. Cloudflare does not show a secret again, so this is the only copy.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { writeAtomically } from "../local/atomic-file.ts";
import { MIN_SECRET_LENGTH } from "../src/accounts/service-secrets.ts";
import { DeployError } from "./deploy-error.ts";

const FILES = { MASTER_KEY: "master-key", ADMIN_TOKEN: "admin-token" } as const;
export type SecretName = keyof typeof FILES;
export const SECRETS = Object.keys(FILES) as SecretName[];

const GENERATE: Record<SecretName, () => string> = {
  MASTER_KEY: () => randomBytes(32).toString("base64"),
  ADMIN_TOKEN: () => `adm_${randomBytes(32).toString("hex")}`,
};

/** The name of an account whose creation has begun, and may have been lost on its way to us. */
const PENDING = "first-account";

/** Holds secrets for wrangler while it uploads them. */
const LENT = "upload.json";

export class SecretsFolder {
  readonly path: string;

  /** @param project nothing may be kept in there: it is committed, packed and copied */
  constructor(path: string, project: string) {
    const inside = relative(project, path);
    if (inside === "" || (!inside.startsWith("..") && !inside.startsWith("/")))
      throw new DeployError(
        `CHRONOS_SECRETS is ${path}, which is inside the repository. Choose a folder outside of it.`,
      );
    this.path = path;
    this.remove(LENT); // of a run that was killed
  }

  fileOf(name: SecretName): string {
    return join(this.path, FILES[name]);
  }

  /** Your copy, if there is one. */
  read(name: SecretName): string | null {
    const path = this.fileOf(name);
    if (!existsSync(path)) return null;
    chmodSync(path, 0o600);
    const value = readFileSync(path, "utf8").trim();
    if (value.length >= MIN_SECRET_LENGTH) return value;
    throw new DeployError(
      `${path} has ${value.length} characters: ${name} needs at least ${MIN_SECRET_LENGTH}. Put the right one there, or delete the file to have one made.`,
    );
  }

  /** Keeps a secret before anybody else has it. */
  keep(name: SecretName, value: string): void {
    this.write(FILES[name], value);
  }

  generate(name: SecretName): string {
    const value = GENERATE[name]();
    this.keep(name, value);
    return value;
  }

  /** A file with secrets for wrangler to upload, for as long as that takes. */
  async lend<T>(secrets: Partial<Record<SecretName, string>>, use: (path: string) => Promise<T>): Promise<T> {
    const path = this.write(LENT, JSON.stringify(secrets));
    try {
      return await use(path);
    } finally {
      this.remove(LENT);
    }
  }

  get pendingAccount(): string | null {
    const path = join(this.path, PENDING);
    return existsSync(path) ? readFileSync(path, "utf8").trim() : null;
  }

  set pendingAccount(name: string | null) {
    if (name === null) this.remove(PENDING);
    else this.write(PENDING, name);
  }

  private write(name: string, content: string): string {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    chmodSync(this.path, 0o700);
    const path = join(this.path, name);
    writeAtomically(path, `${content}\n`);
    return path;
  }

  private remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }
}

/** One for each service of each account, so that no two ever share a key. */
export function defaultFolder(env: NodeJS.ProcessEnv, accountId: string, name: string): string {
  const base = env.XDG_CONFIG_HOME || join(homedir(), ".config");
  return join(base, "chronos-edge", "cloudflare", accountId, name);
}
