// The development account: made through the service's own API, remembered in dev.json for people, demos and tests.
import { existsSync, readFileSync } from "node:fs";
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

/** The account of this state folder; a new one on the first start, or when its key is no longer accepted. */
export async function devAccount(stateFolder: string, url: string, adminToken: string): Promise<DevAccount> {
  const path = join(stateFolder, "dev.json");
  const known = readDevAccount(path);
  const kept = known !== null && (await accepts(url, known.api_key)) ? known : await createAccount(url, adminToken);
  const { api_key, signing_secret } = kept;
  const account = { url, api_key, signing_secret, admin_token: adminToken };
  writeAtomically(path, `${JSON.stringify(account, null, 2)}\n`);
  return account;
}

/** POST /v1/admin/accounts: creation answers the account with its first key and its signing secret. */
async function createAccount(url: string, adminToken: string): Promise<{ api_key: string; signing_secret: string }> {
  const answer = await fetch(`${url}/v1/admin/accounts`, {
    method: "POST",
    headers: { Authorization: `Bearer ${adminToken}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name: "development" }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new StartError(`Cannot create the development account: ${answer.status} ${text}`);
  return JSON.parse(text).data;
}

async function accepts(url: string, apiKey: string): Promise<boolean> {
  const answer = await fetch(`${url}/v1/jobs?size=1`, { headers: { Authorization: `Bearer ${apiKey}` } });
  await answer.body?.cancel();
  return answer.status !== 401;
}

function readDevAccount(path: string): DevAccount | null {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}
