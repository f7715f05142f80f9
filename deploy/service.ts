// The service that was deployed, over its own API: is it well, and is there an account?
import { setTimeout as sleep } from "node:timers/promises";
import { DeployError } from "./deploy-error.ts";
import type { SecretsFolder } from "./secrets-folder.ts";

const LOOK_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 15_000;
/** A secret that was set a moment ago is not everywhere at once. */
const KNOWN_WITHIN_MS = 30_000;

/** Waits until it answers: a new address takes seconds, a new workers.dev subdomain or certificate minutes. */
export async function untilHealthy(url: string, limitMs: number, onWait: (seen: string) => void): Promise<void> {
  const deadline = Date.now() + limitMs;
  let shown = "";
  for (;;) {
    const seen = await look(url);
    if (seen === null) return;
    if (Date.now() + LOOK_EVERY_MS > deadline)
      throw new DeployError(`${url}/health is not well after ${limitMs / 1_000} s: ${seen}`);
    if (seen !== shown) onWait(seen);
    shown = seen;
    await sleep(LOOK_EVERY_MS);
  }
}

/** @returns null when it is well, else what it says */
async function look(url: string): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const text = await answer.text();
    return answer.ok ? null : `${answer.status} ${messageIn(text)}`;
  } catch (error) {
    return `no answer (${reasonOf(error)})`;
  }
}

export type FirstAccount =
  | { outcome: "made"; apiKey: string }
  | { outcome: "there" }
  | { outcome: "unasked" }
  | { outcome: "refused"; status: number };

interface AccountRow {
  id: string;
  name: string;
}

/**
 * Makes the first account, if there is none. An account whose answer was lost is removed first, because its key is lost too.
 * It is found by its name, which contains the time of the request and was saved before the request was sent.
 * @param isNew the token was set by this deployment, so a refusal may be over in a moment
 */
export async function firstAccount(
  url: string,
  token: string,
  folder: SecretsFolder,
  isNew: boolean,
): Promise<FirstAccount> {
  const call = (method: string, path: string, body?: object) =>
    fetch(`${url}/v1/admin/accounts${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });

  const deadline = Date.now() + (isNew ? KNOWN_WITHIN_MS : 0);
  let list = await call("GET", "?size=100");
  while (!list.ok && Date.now() < deadline) {
    await sleep(LOOK_EVERY_MS);
    list = await call("GET", "?size=100");
  }
  if (list.status === 401 || list.status === 404) return { outcome: "refused", status: list.status };
  const accounts = await dataOf<AccountRow[]>(list);

  const lost = accounts.find(({ name }) => name === folder.pendingAccount);
  if (lost !== undefined) await dataOf(await call("DELETE", `/${lost.id}`));
  folder.pendingAccount = null;
  if (accounts.length > (lost === undefined ? 0 : 1)) return { outcome: "there" };

  const name = `first account, ${new Date().toISOString()}`;
  folder.pendingAccount = name;
  const { api_key } = await dataOf<{ api_key: string }>(await call("POST", "", { name }));
  folder.pendingAccount = null;
  return { outcome: "made", apiKey: api_key };
}

async function dataOf<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  if (!answer.ok)
    throw new DeployError(`${new URL(answer.url).pathname} answered ${answer.status}: ${messageIn(text)}`);
  return JSON.parse(text).data;
}

/** The message of our envelope; the beginning of what is none. */
function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text);
    if (typeof message === "string") return message;
  } catch {
    // Not JSON: Cloudflare's own page, for a host that it does not know yet.
  }
  return text
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 120);
}

/** fetch says only that it failed; the cause knows why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && "code" in cause
    ? `${cause.code}`
    : `${cause instanceof Error ? cause.message : cause}`;
}
