// Decides which secrets are uploaded: those that Cloudflare lacks, from the operator's copy, from the environment, or newly
// generated. Secrets on Cloudflare are never overwritten.

import { MIN_SECRET_LENGTH } from "../src/accounts/service-secrets.ts";
import { DeployError } from "./deploy-error.ts";
import type { Options, Place } from "./options.ts";
import { SECRETS, type SecretName, type SecretsFolder } from "./secrets-folder.ts";

export interface Decided {
  /** To be uploaded. */
  upload: Partial<Record<SecretName, string>>;
  /** The admin token, if we know it: whoever holds it may make accounts. */
  adminToken: string | null;
  /** Cloudflare has a master key, or gets one now. */
  hasMasterKey: boolean;
  said: string;
  notes: string[];
}

export interface Situation extends Pick<Options, "place" | "given"> {
  folder: SecretsFolder;
  /** Names of the secrets that Cloudflare has. */
  there: readonly string[];
  /** The database holds accounts, whose signing secrets depend on a master key that exists somewhere. */
  hasAccounts: boolean;
}

export function decideSecrets(situation: Situation): Decided {
  const { folder, place, there } = situation;
  const decided: Decided = { upload: {}, adminToken: null, hasMasterKey: true, said: "", notes: [] };
  const made: SecretName[] = [];
  for (const name of SECRETS) {
    const known = knownValue(situation, name);
    if (name === "ADMIN_TOKEN") decided.adminToken = known;
    if (there.includes(name)) {
      if (known === null && keepsCopies(place))
        decided.notes.push(`${name} is set on Cloudflare, and there is no copy of it in ${folder.fileOf(name)}.`);
      continue;
    }
    if (known !== null) {
      decided.upload[name] = known;
      continue;
    }
    if (!keepsCopies(place)) {
      notMadeHere(place, name, decided);
      continue;
    }
    if (name === "MASTER_KEY" && situation.hasAccounts) throw lostMasterKey(folder);
    decided.upload[name] = folder.generate(name);
    if (name === "ADMIN_TOKEN") decided.adminToken = decided.upload[name] ?? null;
    made.push(name);
  }
  decided.said = said(made, decided, folder);
  return decided;
}

/** A build environment is thrown away afterwards: what is made there is lost there. */
const keepsCopies = (place: Place): boolean => place === "terminal" || place === "script";

/** From the environment or the folder. One that is brought along is kept before it goes up. */
function knownValue({ folder, given, place }: Situation, name: SecretName): string | null {
  const copy = folder.read(name);
  const brought = given[name] || null;
  if (brought !== null && brought.length < MIN_SECRET_LENGTH)
    throw new DeployError(
      `${name} in the environment has ${brought.length} characters: use at least ${MIN_SECRET_LENGTH}.`,
    );
  if (copy !== null && brought !== null && copy !== brought)
    throw new DeployError(
      `${name} in the environment differs from your copy in ${folder.fileOf(name)}. Leave one of them out.`,
    );
  if (brought !== null && copy === null && keepsCopies(place)) folder.keep(name, brought);
  return folder.read(name) ?? brought;
}

function notMadeHere(place: Place, name: SecretName, decided: Decided): void {
  if (name === "MASTER_KEY") decided.hasMasterKey = false;
  if (place === "ci" && name === "MASTER_KEY")
    throw new DeployError(
      "MASTER_KEY is not set on Cloudflare, and a build environment keeps no copy of one that is made. Set it as a secret of the build, or deploy once from your own machine.",
    );
  const need = name === "MASTER_KEY" ? "the service answers 503 without it" : "accounts are made with it";
  decided.notes.push(`${name} is not set (${need}). Set it in the Worker's settings, under Variables and Secrets.`);
}

function lostMasterKey(folder: SecretsFolder): DeployError {
  return new DeployError(
    `The database holds accounts, and the MASTER_KEY that they were made with is neither on Cloudflare nor in
${folder.fileOf("MASTER_KEY")}.
Another one would change every account's signing secret. Put your copy of it there, or, if it is lost and new signing
secrets are acceptable, a new one: openssl rand -base64 32`,
  );
}

function said(made: SecretName[], { upload, hasMasterKey }: Decided, folder: SecretsFolder): string {
  const copied = SECRETS.filter((name) => name in upload && !made.includes(name));
  const parts = [
    ...(made.length > 0 ? [`${made.join(" and ")} made and kept in ${folder.path}`] : []),
    ...(copied.length > 0 ? [`${copied.join(" and ")} taken from your copy`] : []),
  ];
  return parts.join(", ") || (hasMasterKey ? "Cloudflare has them" : "none");
}
