// Accounts: one or two in a world, and those who leave it.

import type { Tenant } from "../judge/ledger.ts";
import type { Chance } from "../platform/chance.ts";
import type { World } from "../world.ts";
import { Client, isDone } from "./client.ts";

const FOREVER = Number.POSITIVE_INFINITY;

export async function foundTenants(world: World, chance: Chance): Promise<Tenant[]> {
  const few = chance.pick([1, 1, 1, 1, 2]);
  const count = Math.max(few, world.databases);
  const places = world.chance.stream("places");
  // Most databases have one of them, and some are chosen by the service.
  for (let n = 1; n <= count; n++) {
    const isPlaced = world.databases > 1 && places.happens(0.8);
    await foundTenant(world, chance, `t${n}`, isPlaced ? { database: (n - 1) % world.databases } : {});
  }
  return [...world.ledger.tenants];
}

/** @returns null when the operator was not answered */
export async function foundTenant(
  world: World,
  chance: Chance,
  name: string,
  place: { readonly database?: number } = {},
): Promise<Tenant | null> {
  const tenant = newTenant(name);
  const client = new Client(world, tenant);
  const made = await client.operator("POST", "/accounts", { name: tenant.name, ...place });
  if (!isDone(made)) return null;
  const { id, api_key, signing_secret, database } = made.body.data;
  Object.assign(tenant, { id, key: api_key, database });
  tenant.secrets.push({ secret: signing_secret, validUntil: FOREVER });
  world.ledger.tenants.push(tenant);
  if (chance.happens(0.4)) await subscribe(client, chance);
  return tenant;
}

export const newTenant = (name: string): Tenant => ({
  name,
  id: "",
  key: "",
  database: 0,
  moves: false,
  host: `${name}.example.com`,
  handler: `work of ${name}`,
  secrets: [],
  suspensions: [],
  deletedAt: null,
  webhookSince: null,
  lastEvent: null,
  hears: [],
  bulk: new Set(),
  bulkAskedAt: Number.NEGATIVE_INFINITY,
});

/** One webhook for all ends, before there is a job. If its creation was heard twice there are two, and each event comes twice. */
async function subscribe(client: Client, chance: Chance): Promise<void> {
  const { tenant, world } = client;
  const events = [
    "job.completed",
    "job.failed",
    "job.cancelled",
    "job.recovered",
    "schedule.completed",
    "flow.paused",
    "flow.resumed",
  ];
  const chosen = chance.happens(0.7) ? events : ["job.failed", "job.cancelled"];
  const body = { url: `https://${tenant.host}/events`, events: chosen };
  const made = await client.once("POST", "/v1/webhooks", body);
  if (isDone(made)) Object.assign(tenant, { webhookSince: world.now, hears: chosen });
}
