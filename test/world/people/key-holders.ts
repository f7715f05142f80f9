// Those who make API keys, use each for what it may and may not do, revoke some and let others expire.

import type { Chance } from "../platform/chance.ts";
import type { Answer } from "../platform/platform.ts";
import type { Client } from "./client.ts";

const SECOND = 1_000;

/** A key is remembered for a minute, and a read may take ten seconds. */
const KEY_KNOWN_MS = 75 * SECOND;

type Scope = "full" | "read" | "create" | "worker";

/** Requests that change nothing, and the scopes that may make them. A body that is refused as such has passed. */
const PROBES: readonly { readonly method: string; readonly path: string; readonly scopes: readonly Scope[] }[] = [
  { method: "GET", path: "/v1/jobs?size=1", scopes: ["full", "read"] },
  { method: "POST", path: "/v1/jobs", scopes: ["full", "create"] },
  { method: "POST", path: "/v1/worker/jobs/claim", scopes: ["full", "worker"] },
  { method: "POST", path: "/v1/bulk-actions", scopes: ["full"] },
  { method: "GET", path: "/v1/signing-secret", scopes: ["full"] },
];

interface Held {
  readonly id: string;
  readonly key: string;
  readonly scope: Scope;
  /** null: never. */
  readonly expiresAt: number | null;
}

export async function keyHolder(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(20 * SECOND));
    if (!world.isOpen) return;
    const held = await make(client, chance);
    if (held === null) continue;
    for (let uses = chance.int(1, 6); uses > 0; uses--) {
      await use(client, chance, held);
      await world.sleep(chance.around(8 * SECOND));
    }
    if (held.expiresAt === null || chance.happens(0.5)) await revoke(client, chance, held);
    else await expire(client, chance, held);
  }
}

/** If the answer is lost, nobody knows the key. */
async function make(client: Client, chance: Chance): Promise<Held | null> {
  const { world } = client;
  const scope = chance.pick(["full", "read", "create", "worker"] as const);
  const expiresAt = chance.happens(0.5) ? Math.ceil(world.now) + chance.int(20, 90) * SECOND : null;
  const body = { name: `of ${scope}`, scope, ...(expiresAt && { expires_at: new Date(expiresAt).toISOString() }) };
  const answer = await client.once("POST", "/v1/api-keys", body);
  if (answer?.status !== 201) return null;
  const { id, key } = answer.body.data;
  return { id, key, scope, expiresAt };
}

interface Used {
  readonly askedAt: number;
  readonly answer: Answer | null;
  readonly isAllowed: boolean;
  readonly what: string;
}

async function ask(client: Client, chance: Chance, { id, key, scope }: Held): Promise<Used> {
  const { method, path, scopes } = chance.pick(PROBES);
  const askedAt = client.world.now;
  client.world.note("key-used", id, scope);
  const answer = await client.once(method, path, method === "POST" ? {} : undefined, { key });
  const what = `${method} ${path} with a key of scope ${scope}: ${answer?.status}`;
  return { askedAt, answer, isAllowed: scopes.includes(scope), what };
}

async function use(client: Client, chance: Chance, held: Held): Promise<void> {
  const { world } = client;
  const { askedAt, answer, isAllowed, what } = await ask(client, chance, held);
  if (isExpired(client, held, askedAt)) return refused(client, answer, "an expired key is refused", what);
  const isUncertain = held.expiresAt !== null && world.now > held.expiresAt - world.skewMs;
  if (saysNothing(answer) || isUncertain) return;
  const isForbidden = answer?.status === 403 && answer.body?.code === "forbidden";
  if (answer?.status === 401) world.ledger.violated("a key that holds is taken", what);
  else if (isForbidden === isAllowed) world.ledger.violated("a key may do what its scope says", what);
}

async function revoke(client: Client, chance: Chance, held: Held): Promise<void> {
  const { world } = client;
  const answer = await client.surely("DELETE", `/v1/api-keys/${held.id}`);
  const isGone = answer?.status === 200 || (answer?.status === 404 && answer.mayHaveBeenDone);
  if (!isGone) return;
  world.note("key-revoked", held.id);
  await world.sleep(KEY_KNOWN_MS);
  if (!world.knowsSuspensions) return; // keys are served from memory while D1 cannot answer
  for (let uses = 0; uses < 4; uses++) {
    const used = await ask(client, chance, held);
    refused(client, used.answer, "a revoked key is refused a minute later", used.what);
  }
}

async function expire(client: Client, chance: Chance, held: Held): Promise<void> {
  const { world } = client;
  await world.sleep(Math.max(0, (held.expiresAt ?? 0) + world.skewMs - world.now));
  world.note("key-expired", held.id);
  for (let uses = 0; uses < 4; uses++) {
    const used = await ask(client, chance, held);
    refused(client, used.answer, "an expired key is refused", used.what);
    await world.sleep(chance.around(5 * SECOND));
  }
}

const isExpired = ({ world }: Client, { expiresAt }: Held, askedAt: number): boolean =>
  expiresAt !== null && askedAt >= expiresAt + world.skewMs;

/** Lost, too many, not now, or suspended. */
const saysNothing = (answer: Answer | null): boolean =>
  answer === null || answer.status === 429 || answer.status === 503 || answer.body?.code === "account_suspended";

function refused({ world }: Client, answer: Answer | null, rule: string, what: string): void {
  if (answer !== null && answer.status !== 401 && answer.status !== 429 && answer.status !== 503)
    world.ledger.violated(rule, what);
}
