// An account that the operator deletes while its jobs wait, run and repeat, its schedule ticks and its webhook is told.

import type { Tenant } from "../judge/ledger.ts";
import type { Chance } from "../platform/chance.ts";
import { Client, isDone } from "./client.ts";
import { createSome } from "./creators.ts";
import { foundTenant } from "./tenants.ts";

const SECOND = 1_000;

/** An account is remembered for a minute, and a read may take ten seconds. */
const ACCOUNT_KNOWN_MS = 75 * SECOND;

export async function leaver({ world, tenant: other }: Client, chance: Chance): Promise<void> {
  await world.sleep(chance.around(20 * SECOND));
  if (!world.isOpen) return;
  const tenant = await foundTenant(world, chance, `${other.name}-leaving`);
  if (tenant === null) return;
  const client = new Client(world, tenant);
  await client.once("PUT", "/v1/flows/of%20one%20who%20leaves", { concurrency: 1 });
  await createSome(client, chance, chance.int(2, 8));
  await client.once("POST", "/v1/schedules", {
    name: "of one who leaves",
    interval: { value: 30, unit: "second" },
    flow: "of one who leaves",
    delivery: { type: "push", http: { url: `https://${tenant.host}/ticks`, method: "POST" } },
  });
  await world.sleep(chance.around(40 * SECOND));
  const answer = await client.operator("DELETE", `/accounts/${tenant.id}`);
  if (!isDone(answer) && !(answer?.status === 404 && answer.mayHaveBeenDone))
    return world.ledger.violated("the operator deletes an account", `${tenant.name}: ${answer?.status}`);
  tenant.deletedAt = world.now;
  world.note("account-deleted", tenant.id);
  await world.sleep(ACCOUNT_KNOWN_MS);
  await isGone(client, tenant);
}

/** Whatever it asks, nobody knows it. */
async function isGone(client: Client, tenant: Tenant): Promise<void> {
  const { world } = client;
  const mine = [...world.ledger.jobs.values()].filter((job) => job.tenant === tenant);
  const asked = [
    ["GET", "/v1/jobs"],
    ["POST", "/v1/jobs"],
    ["GET", `/v1/jobs/${mine[0]?.id ?? "0"}`],
    ["GET", "/v1/overview"],
  ] as const;
  for (const [method, path] of asked) {
    const answer = await client.once(method, path, method === "POST" ? { name: "too late", handler: "x" } : undefined);
    const isServed = answer !== null && ![401, 404, 429, 503].includes(answer.status);
    if (isServed && world.knowsSuspensions)
      world.ledger.violated("a deleted account is served nothing", `${method} ${path}: ${answer.status}`);
  }
}
