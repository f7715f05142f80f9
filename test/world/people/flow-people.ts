// Those who share flows: they set limits, raise and lower them, pause, resume, delete and make them again; others make jobs in them, and
// edit jobs from one into another.

import { type FlowFacts, type FlowShown, type Limits, newFlow, type Version } from "../judge/flows.ts";
import type { Chance } from "../platform/chance.ts";
import { type Client, isDone, type Sure } from "./client.ts";
import { createOnce, wording } from "./creators.ts";
import { FLOW_KEYS, someFlow } from "./flow-keys.ts";

const SECOND = 1_000;

/** One operator for each flow: nobody else changes it. Their colleagues make jobs in them. */
export async function flowKeeper(client: Client, chance: Chance): Promise<void> {
  await Promise.all([...FLOW_KEYS.map((key) => keep(client, chance.stream(key), key)), createInFlows(client, chance)]);
}

async function keep(client: Client, chance: Chance, key: string): Promise<void> {
  const { world, tenant } = client;
  const flow = newFlow(tenant, key);
  world.ledger.flows.set(`${tenant.name} ${key}`, flow);
  // Half of them are for a target that is down now and then: it has a breaker, which nothing else hides.
  const limitsOf = chance.happens(0.5) ? limitsOfAiling : anyLimits;
  let limits = limitsOf(chance);
  if (chance.happens(0.8)) await put(client, flow, limits);
  // Half of them are left alone most of the time: there the rules are sharp.
  const pauseMs = chance.pick([20, 40, 120]) * SECOND;
  while (world.isOpen) {
    await world.sleep(chance.around(pauseMs));
    if (!world.isOpen) break;
    const act = chance.pick(["put", "turn", "pause", "pause", "delete", "look", "look", "list"] as const);
    if (act === "look") await look(client, key);
    if (act === "list") await client.once("GET", `/v1/jobs?size=50&flow=${encodeURIComponent(key)}`);
    if (act === "put") limits = limitsOf(chance);
    if (act === "turn") limits = { ...limits, concurrency: chance.pick([1, 2, (limits.concurrency ?? 3) + 2]) };
    if (act === "put" || act === "turn") await put(client, flow, limits);
    if (act === "pause") await pause(client, chance, flow);
    if (act === "delete") {
      await change(client, flow, null, "flow-deleted", () => client.surely("DELETE", pathOf(key)));
      await world.sleep(chance.around(10 * SECOND));
      if (world.isOpen && chance.happens(0.8)) await put(client, flow, limits);
    }
  }
  await leave(client, flow);
}

/** A call under way for so long may still pause a flow. */
const ON_ITS_WAY_MS = 200 * SECOND;

/** A flow that was left paused would hold its jobs for ever, as it should; a suspended account has to wait until it is resumed. */
async function leave(client: Client, flow: FlowFacts): Promise<void> {
  const { world } = client;
  if (!flow.versions.some((one) => one.limits !== null)) return;
  if (world.climate.has("late-calls")) await world.sleep(ON_ITS_WAY_MS);
  for (let tries = 0; tries < 1_000; tries++) {
    const heard = await resume(client, flow);
    if (heard === 200 || heard === 404) return;
    await world.sleep(10 * SECOND);
  }
}

const pathOf = (key: string): string => `/v1/flows/${encodeURIComponent(key)}`;

function limitsOfAiling(chance: Chance): Limits {
  return {
    concurrency: chance.pick([null, 3, 5]),
    rate: null,
    breaker: { failures: chance.int(1, 2), seconds: chance.pick([5, 10]) },
    paused: false,
  };
}

function anyLimits(chance: Chance): Limits {
  return {
    concurrency: chance.happens(0.75) ? chance.int(1, 3) : null,
    rate: chance.happens(0.35) ? { limit: chance.int(1, 6), seconds: chance.pick([10, 20, 60]) } : null,
    breaker: chance.happens(0.5) ? { failures: chance.int(1, 3), seconds: chance.pick([5, 10, 20]) } : null,
    paused: false,
  };
}

const limitsShown = ({ concurrency, rate, breaker, paused }: FlowShown): Limits => ({
  concurrency,
  paused,
  rate: rate && { limit: rate.limit, seconds: rate.period.value },
  breaker: breaker && { failures: breaker.failures, seconds: breaker.pause.value },
});

/** @param limits null: it is gone */
async function change(
  { world }: Client,
  flow: FlowFacts,
  limits: Limits | null,
  kind: string,
  ask: () => Promise<Sure | null>,
): Promise<number | undefined> {
  const version: Version = { limits, askedAt: world.now, settledAt: null, isRepeated: false };
  // A change before it that was not heard: only the flow can tell whether it was made.
  const isUnsure = flow.versions.at(-1)?.settledAt === null && kind !== "flow-put";
  flow.versions.push(version);
  const answer = await ask();
  version.isRepeated = answer === null || answer.mayHaveBeenDone;
  if (isUnsure && limits && isDone(answer)) Object.assign(version, { limits: limitsShown(answer.body.data) });
  // One that was not heard at first may have been done, and be undone by nobody: its answer says how it stands.
  if (isDone(answer) || (answer?.status === 404 && limits === null)) version.settledAt = world.now;
  // A suspended account changes nothing.
  const isRefused = answer !== null && !answer.mayHaveBeenDone && (answer.status === 401 || answer.status === 403);
  if (isRefused) flow.versions.splice(flow.versions.indexOf(version), 1);
  world.note(kind, flow.key, `${answer?.status}`);
  return answer?.status;
}

function put(client: Client, flow: FlowFacts, limits: Limits): Promise<unknown> {
  const { concurrency, rate, breaker } = limits;
  const unit = "second";
  const body = {
    concurrency,
    paused: false,
    rate: rate && { limit: rate.limit, period: { value: rate.seconds, unit } },
    breaker: breaker && { failures: breaker.failures, pause: { value: breaker.seconds, unit } },
  };
  return change(client, flow, limits, "flow-put", () => client.surely("PUT", pathOf(flow.key), body));
}

async function pause(client: Client, chance: Chance, flow: FlowFacts): Promise<void> {
  const limits = flow.versions.at(-1)?.limits;
  if (!limits) return;
  const paused = { ...limits, paused: true };
  await change(client, flow, paused, "flow-paused", () => client.surely("POST", `${pathOf(flow.key)}/pause`));
  await client.world.sleep(chance.around(15 * SECOND));
  if (client.world.isOpen) await resume(client, flow);
}

/** What was refused is no version: the limits are those of the last that was not. */
function resume(client: Client, flow: FlowFacts): Promise<number | undefined> {
  const limits = flow.versions.at(-1)?.limits;
  const now = limits ? { ...limits, paused: false } : null;
  return change(client, flow, now, "flow-resumed", () => client.surely("POST", `${pathOf(flow.key)}/resume`));
}

async function look(client: Client, key: string): Promise<void> {
  const { world, tenant } = client;
  const listed = await client.once("GET", "/v1/flows");
  if (isDone(listed))
    for (const { waiting, oldest_waiting_since } of listed.body.data as FlowShown[])
      if (waiting > 0 !== (oldest_waiting_since !== null))
        world.ledger.violated("a flow's counts agree", `${tenant.name}: ${waiting} wait since ${oldest_waiting_since}`);
  const answer = await client.once("GET", pathOf(key));
  if (isDone(answer) && answer.body.data.paused_until !== null) world.note("flow-open", key);
  if (isDone(answer) && answer.body.data.waiting > 0) world.note("flow-waits", key);
}

/** Jobs for flows: one at a time, or a few that are due together; alone or in a batch. */
async function createInFlows(client: Client, chance: Chance): Promise<void> {
  const { world } = client;
  const pauseMs = chance.between(3, 12) * SECOND;
  const pulls = chance.happens(0.5) ? 0.1 : 0.5;
  for (let made = 0; world.isOpen && made < 60; ) {
    await world.sleep(chance.around(pauseMs));
    if (!world.isOpen) return;
    const count = chance.happens(0.3) ? chance.int(3, 8) : 1;
    const flow = someFlow(chance);
    made += count;
    await Promise.all(Array.from({ length: count }, () => createIn(client, chance, flow, pulls)));
  }
}

async function createIn(client: Client, chance: Chance, flow: string, pulls: number): Promise<void> {
  const wish = client.world.ledger.wish(client.tenant, chance.happens(pulls) ? "pull" : "push");
  const { body, maxRetries } = wording(client, wish, chance);
  const { tenant } = client;
  const delay = { value: chance.int(1, 10), unit: "second" };
  const soon = chance.happens(0.5) ? { delay } : {};
  const http = { url: `https://${tenant.host}/${flow.replace(" ", "-")}`, method: "POST" };
  const to = wish.kind === "push" ? { delivery: { type: "push", http } } : {};
  const { delay: _, ...others } = body;
  await createOnce(client, wish, { ...others, ...soon, ...to, flow }, maxRetries);
}

/** From one flow into another, or into none. */
export async function flowMover(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(12 * SECOND));
    const mine = [...world.ledger.jobs.values()].filter((job) => job.tenant === tenant && job.flow !== null);
    const job = mine.at(-1 - chance.int(0, Math.max(0, Math.min(8, mine.length - 1))));
    if (!world.isOpen || !job || job.unsettled > 0) continue;
    const flow = chance.happens(0.8) ? someFlow(chance) : null;
    world.note("asks", job.id, "another flow");
    job.unsettled += 1;
    job.changedAt = world.now;
    const answer = await client.once("PATCH", `/v1/jobs/${job.id}`, { flow });
    if (answer === null || answer.status === 503) continue;
    job.unsettled -= 1;
    if (!isDone(answer)) continue;
    Object.assign(job, { flow, flowSince: world.now });
    world.note("flow-moved", job.id, `${flow}`);
  }
}
