// Those who keep schedules: they make, pause, resume, trigger, change and archive them.

import type { ScheduleFacts } from "../judge/ledger.ts";
import type { Chance } from "../platform/chance.ts";
import { type Client, isDone } from "./client.ts";
import { someFlow } from "./flow-keys.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const UNIT_MS = { second: SECOND, minute: MINUTE } as const;

export async function scheduler(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  const many = chance.int(1, 3);
  await Promise.all(Array.from({ length: many }, (_, i) => keep(client, chance.stream(`schedule ${i}`))));
  await world.sleep(0);
}

async function keep(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  await world.sleep(chance.around(20 * SECOND));
  if (!world.isOpen) return;
  const n = world.ledger.schedules.length;
  const every = chance.pick([
    { value: 20, unit: "second" },
    { value: 1, unit: "minute" },
    { value: 3, unit: "minute" },
  ] as const);
  const isCron = chance.happens(0.4);
  const zone = chance.pick(["UTC", "Europe/Berlin", "America/New_York"]);
  const isPull = chance.happens(0.3);
  const ofFlow = chance.stream("flow");
  const flow = ofFlow.happens(0.3) ? someFlow(ofFlow) : null;
  const facts: ScheduleFacts = {
    id: "",
    tenant,
    n,
    createdAt: world.now,
    everyMs: isCron ? null : every.value * UNIT_MS[every.unit],
    triggered: new Set(),
    mayHaveMore: false,
    ticks: new Map(),
    isPlain: true,
    flow,
    archivedAt: null,
  };
  world.ledger.schedules.push(facts);
  const timing = isCron
    ? { cron: chance.pick(["* * * * *", "*/5 * * * *", "*/7 1-3 * * *"]), timezone: zone }
    : { interval: every };
  const asked = {
    name: `schedule ${n}`,
    idempotency_key: `schedule ${n}`,
    payload: { schedule: n },
    ...(flow !== null && { flow }),
    ...timing,
    ...(chance.happens(0.3) && { overlap: "skip" }),
    ...(chance.happens(0.2) && { runs: chance.int(1, 5) }),
    ...(isPull
      ? { handler: tenant.handler }
      : { delivery: { type: "push", http: { url: `https://${tenant.host}/ticks`, method: "POST" } } }),
  };
  const make = () => client.surely("POST", "/v1/schedules", asked);
  let answer = await make();
  // Refused after a try that nobody heard of: it may be there, and would run for ever.
  const mayExist = answer?.mayHaveBeenDone ?? false;
  for (let tries = 0; tries < 100 && mayExist && answer?.status === 403; tries++) {
    await world.sleep(10 * SECOND);
    answer = await make();
  }
  const shown = answer?.status === 201 || answer?.status === 409 ? answer.body.data : null;
  if (!shown) return;
  Object.assign(facts, { id: shown.id, createdAt: Date.parse(shown.created_at) });
  const isLeftAlone = chance.happens(0.5);
  while (world.isOpen) {
    await world.sleep(chance.around(45 * SECOND));
    if (!world.isOpen) break;
    const act = isLeftAlone ? "look" : chance.pick(["pause", "trigger", "amend", "look", "look"] as const);
    if (act === "pause") await pause(client, chance, facts);
    if (act === "trigger") await trigger(client, facts);
    if (act === "amend") await amend(client, chance, facts);
    if (act === "look") await client.once("GET", `/v1/schedules/${facts.id}`);
  }
  await archive(client, facts);
}

/** Else it would run for ever; a suspended account has to wait until it is resumed. */
async function archive(client: Client, facts: ScheduleFacts): Promise<void> {
  const { world } = client;
  for (let tries = 0; tries < 100 && facts.archivedAt === null; tries++) {
    const archived = await client.surely("POST", `/v1/schedules/${facts.id}/archive`);
    if (isDone(archived) || archived?.status === 409) facts.archivedAt = world.now;
    else await world.sleep(10 * SECOND);
  }
}

async function pause(client: Client, chance: Chance, facts: ScheduleFacts): Promise<void> {
  facts.isPlain = false;
  await client.surely("POST", `/v1/schedules/${facts.id}/pause`);
  await client.world.sleep(chance.around(MINUTE));
  await client.surely("POST", `/v1/schedules/${facts.id}/resume`);
}

async function trigger(client: Client, facts: ScheduleFacts): Promise<void> {
  facts.mayHaveMore = true;
  const answer = await client.once("POST", `/v1/schedules/${facts.id}/trigger`);
  if (answer?.status !== 201) return;
  facts.triggered.add(answer.body.data.id);
}

async function amend(client: Client, chance: Chance, facts: ScheduleFacts): Promise<void> {
  facts.isPlain = false;
  await client.surely(
    "PATCH",
    `/v1/schedules/${facts.id}`,
    chance.pick<object>([{ name: "renamed" }, { interval: { value: 45, unit: "second" }, cron: null }]),
  );
}
