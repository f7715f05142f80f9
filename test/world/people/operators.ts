// Those who act on much at once: bulk actions of a tenant; suspension, rotation and keys.

import type { Chance } from "../platform/chance.ts";
import { type Client, isDone } from "./client.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export async function bulkActor(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(90 * SECOND));
    if (!world.isOpen) return;
    const action = chance.pick(["cancel", "retry", "run", "delete"] as const);
    const filter = chance.pick<object>([{ all: true }, { status: ["failed"] }, { status: ["pending", "retrying"] }]);
    const jobs = [...world.ledger.jobs.values()].filter((job) => job.tenant === tenant);
    tenant.bulk.add(action);
    tenant.bulkAskedAt = world.now;
    // From now on nobody knows which of them it will have met.
    for (const job of jobs) {
      job.unsettled += 1;
      job.retries = null;
      if (action === "cancel") job.cancelAsked = true;
      if (action === "delete") job.mayBeDeleted = true;
    }
    const answer = await client.once("POST", "/v1/bulk-actions", { action, filter });
    if (answer?.status === 202) await finished(client, answer.body.data.id);
  }
}

/** A bulk action comes to its end. */
async function finished(client: Client, id: string): Promise<void> {
  const { world } = client;
  for (let looks = 0; looks < 400; looks++) {
    await world.sleep(15 * SECOND);
    const answer = await client.once("GET", `/v1/bulk-actions/${id}`);
    if (answer?.status === 403 || answer?.status === 401) return;
    if (isDone(answer) && answer.body.data.status !== "running") return checkCounts(client, answer.body.data);
  }
  world.ledger.violated("a bulk action comes to its end", `bulk action ${id}`);
}

interface Counts {
  readonly id: string;
  readonly matched: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}

/** Each job that it met is counted once, and all of them are reached where nothing but D1 is unwell. */
function checkCounts({ world }: Client, { id, matched, done, skipped, failed }: Counts): void {
  const violated = (what: string) => world.ledger.violated("a bulk action counts each job once", `${id}: ${what}`);
  if (matched !== done + skipped + failed) violated(`${matched} matched, ${done} + ${skipped} + ${failed} counted`);
  if (failed > 0 && [...world.climate.keys()].every((fault) => fault.startsWith("d1-"))) violated(`${failed} failed`);
}

export async function operator(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(MINUTE));
    if (!world.isOpen) return;
    if (chance.happens(0.5)) await suspend(client, chance);
    else await rotate(client);
  }
}

async function suspend(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  const suspended = await client.operator("POST", `/accounts/${tenant.id}/suspend`);
  if (!isDone(suspended)) return;
  const stretch = { from: world.now, until: Number.POSITIVE_INFINITY };
  tenant.suspensions.push(stretch);
  await world.sleep(chance.around(3 * MINUTE));
  stretch.until = world.now; // from here on nobody knows
  await client.operator("POST", `/accounts/${tenant.id}/resume`);
}

/** A rotation whose answer was lost is read; for a minute after its resumption an account may still be refused as suspended. */
async function rotate(client: Client): Promise<void> {
  const { world, tenant } = client;
  let answer = await client.once("POST", "/v1/signing-secret/rotate", { overlap_hours: 1 });
  for (let tries = 0; !isDone(answer) && tries < 20; tries++) {
    answer = await client.surely("GET", "/v1/signing-secret");
    if (answer?.status !== 403) break;
    await world.sleep(10 * SECOND);
  }
  if (!isDone(answer)) return;
  const { signing_secret: secret, previous_signing_secret: previous } = answer.body.data;
  if (tenant.secrets.at(-1)?.secret === secret) return;
  for (const one of tenant.secrets) one.validUntil = Math.min(one.validUntil, world.now + 3 * HOUR);
  if (previous !== null && !tenant.secrets.some((one) => one.secret === previous))
    world.ledger.violated("a tenant knows its secrets", `${tenant.name} was not told of one`);
  tenant.secrets.push({ secret, validUntil: Number.POSITIVE_INFINITY });
}
