// The development account: made through the service's own API, remembered in dev.json for people, demos and tests.
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeAtomically } from "./atomic-file.ts";
import { StartError } from "./settings.ts";

/** The content of dev.json. */
export interface DevAccount {
  url: string;
  api_key: string;
  signing_secret: string;
  admin_token: string;
}

/** Waits until the service answers its health check; throws after `limitMs`. */
export async function untilHealthy(url: string, stop: AbortSignal, limitMs = 30_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  let last = "no answer";
  while (Date.now() < deadline) {
    try {
      const answer = await fetch(`${url}/health`, { signal: AbortSignal.any([stop, AbortSignal.timeout(5_000)]) });
      const text = await answer.text();
      if (answer.status === 200) return;
      last = `${answer.status} ${text}`;
    } catch {
      stop.throwIfAborted();
    }
    await sleep(50, undefined, { signal: stop });
  }
  throw new StartError(`The service does not become healthy (GET /health: ${last}). Its log above may say why`);
}

/** The account of this state folder, with its secret as it is now; a new one when there is none that the service knows. */
export async function devAccount(stateFolder: string, url: string, adminToken: string): Promise<DevAccount> {
  const { api_key, signing_secret } = (await known(stateFolder, url)) ?? (await createAccount(url, adminToken));
  const account = { url, api_key, signing_secret, admin_token: adminToken };
  writeAtomically(fileOf(stateFolder), `${JSON.stringify(account, null, 2)}\n`);
  return account;
}

type Credentials = Pick<DevAccount, "api_key" | "signing_secret">;

/** The account that dev.json holds, unless it is to be replaced: then the file is put aside, since it may be the only copy. */
async function known(stateFolder: string, url: string): Promise<Credentials | null> {
  if (!existsSync(fileOf(stateFolder))) return null;
  const account = readDevAccount(stateFolder);
  if (account === null) return putAside(stateFolder, "is damaged");
  const answer = await askSecret({ ...account, url });
  switch (answer.status) {
    case 200:
      return { api_key: account.api_key, signing_secret: answer.secrets[0] ?? account.signing_secret };
    case 401:
      return putAside(stateFolder, "has an API key that this service does not know");
    case 403:
      console.warn(
        "The development account is suspended: its key is refused until you resume it (/v1/admin/accounts).",
      );
      return account;
    default:
      return account;
  }
}

function putAside(stateFolder: string, reason: string): null {
  const path = fileOf(stateFolder);
  renameSync(path, `${path}.old`);
  console.warn(`${path} ${reason}. It is kept as dev.json.old, and a new development account is made.`);
  return null;
}

/** The secrets that deliveries may be signed with at this moment; none when the service does not answer. */
export async function signingSecrets(account: Pick<DevAccount, "url" | "api_key">): Promise<string[]> {
  return askSecret(account).then(
    ({ secrets }) => secrets,
    () => [],
  );
}

/** GET /v1/signing-secret: the newest first. */
async function askSecret({ url, api_key }: Pick<DevAccount, "url" | "api_key">) {
  const answer = await fetch(`${url}/v1/signing-secret`, {
    headers: { Authorization: `Bearer ${api_key}` },
    signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  const { signing_secret = null, previous_signing_secret = null } = answer.ok ? JSON.parse(text).data : {};
  const secrets = [signing_secret, previous_signing_secret].filter((secret) => typeof secret === "string");
  return { status: answer.status, secrets };
}

/** POST /v1/admin/accounts: creation answers the account with its first key and its signing secret. */
async function createAccount(url: string, adminToken: string): Promise<Credentials> {
  const answer = await fetch(`${url}/v1/admin/accounts`, {
    method: "POST",
    headers: { Authorization: `Bearer ${adminToken}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name: "development" }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new StartError(`Cannot create the development account: ${answer.status} ${text}`);
  return JSON.parse(text).data;
}

/** @returns null when there is no file, or none that can be read */
export function readDevAccount(stateFolder: string): DevAccount | null {
  try {
    const account = JSON.parse(readFileSync(fileOf(stateFolder), "utf8"));
    return typeof account?.api_key === "string" && typeof account.signing_secret === "string" ? account : null;
  } catch {
    return null;
  }
}

const fileOf = (stateFolder: string): string => join(stateFolder, "dev.json");
