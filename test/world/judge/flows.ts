// The rules of flows, held against what their people were answered: so many at once, so many in a period, none while paused, one at a
// time while a breaker is open, first due first served.

import type { World } from "../world.ts";
import type { JobFacts, Ledger, Start, Tenant } from "./ledger.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export interface Limits {
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly seconds: number } | null;
  readonly breaker: { readonly failures: number; readonly seconds: number } | null;
  readonly paused: boolean;
}

/** One change of a flow that somebody asked for. `limits` null: there is none. */
export interface Version {
  readonly limits: Limits | null;
  readonly askedAt: number;
  /** When it was answered; null: nobody knows whether it holds, or when it will. */
  settledAt: number | null;
  /** An earlier call for it was not heard of, and may still come. */
  isRepeated: boolean;
}

/** A flow as its one operator knows it, and the starts that were in it. */
export interface FlowFacts {
  readonly key: string;
  readonly tenant: Tenant;
  readonly versions: Version[];
  readonly starts: FlowStart[];
  /** Its breaker was seen to open, by what arrived. */
  wasOpen: boolean;
}

interface FlowStart {
  readonly job: JobFacts;
  readonly start: Start;
  /** It may have started while the flow had no limits: then it holds no slot. */
  readonly isFree: boolean;
}

export const newFlow = (tenant: Tenant, key: string): FlowFacts => ({
  key,
  tenant,
  versions: [{ limits: null, askedAt: 0, settledAt: 0, isRepeated: false }],
  starts: [],
  wasOpen: false,
});

/** A turn holds for a second, and has to reach its target. */
const TURN_MS = 1_200;

/** How long a change may take to be felt in this world. */
function lagMs({ climate, skewMs }: World): number {
  if (climate.size === 0) return TURN_MS;
  return (climate.has("slow-calls") || climate.has("silent-objects") ? 90 : 15) * SECOND + skewMs;
}

/** Calls that come late bring an old change back: one that was asked for again meanwhile, or whose end nobody knows. */
const comesBackMs = (world: World): number =>
  world.climate.has("late-calls") ? 200 * SECOND + world.skewMs : lagMs(world);

/** A change that was not answered may come so much later. */
const UNHEARD_MS = MINUTE;

/** All that may hold at a moment, by a clock that may be behind. */
export function possible(world: World, { versions }: FlowFacts, at: number): Version[] {
  const [lag, late] = [lagMs(world), comesBackMs(world)];
  return versions.filter((one, i) => {
    if (one.askedAt > at + world.skewMs) return false;
    return !versions.some(
      (later, j) =>
        j > i &&
        later.settledAt !== null &&
        later.settledAt + (one.isRepeated ? late : lag) < at &&
        (one.settledAt !== null || later.askedAt > one.askedAt + UNHEARD_MS + late),
    );
  });
}

/** Whether nobody else has a hand in it: then its slot is its own until its attempt ends. */
function isLoose({ cancelAsked, mayBeDeleted, unsettled, revivedAt, changedAt }: JobFacts, start: Start): boolean {
  return cancelAsked || mayBeDeleted || unsettled > 0 || revivedAt > start.at || (changedAt ?? 0) > start.at;
}

/** An attempt whose owner died is over for the service, although its request still runs. */
function runsAt({ ledger, skewMs }: World, { job, start, isFree }: FlowStart, at: number): boolean {
  if (isFree || start.at > at || (start.endedAt ?? start.heldUntil) - skewMs <= at || isLoose(job, start)) return false;
  const deaths = ledger.deaths.get(`JobObject ${job.tenant.id}/${job.id}`) ?? [];
  return !deaths.some((death) => death >= start.at - skewMs - SECOND && death <= at);
}

export function flowStarted(world: World, job: JobFacts, start: Start): void {
  const flow = world.ledger.flowOf(job);
  if (!flow) return;
  const held = possible(world, flow, start.at);
  // Somebody changes it: it may be in another flow by now, or in this one not yet. Its end may be heard of all the same.
  const isUnsure =
    job.unsettled > 0 ||
    job.tenant.bulk.size > 0 ||
    (job.flowSince !== null && start.at < job.flowSince + lagMs(world));
  const one: FlowStart = {
    job,
    start,
    isFree: isUnsure || held.some(({ limits }) => limits === null) || wasOffered(world, flow, job),
  };
  flow.starts.push(one);
  world.note(one.isFree ? "flow-free" : "flow-start", job.id, flow.key);
  if (one.isFree) return;
  const limits = held.flatMap(({ limits }) => limits ?? []);
  const violated = (rule: string, what: string) =>
    world.ledger.violated(rule, `flow ${flow.key}, job ${job.id}: ${what}`);
  checkSlots(world, flow, one, limits, violated);
  // A worker may take what was offered before the pause, for as long as its turn holds; that is asked again.
  if (limits.every(({ paused }) => paused)) violated("a paused flow starts nothing", `attempt ${start.attempt} starts`);
  if (job.kind === "pull") return;
  checkRate(world, flow, one, limits, violated);
  if (world.climate.size === 0) {
    checkBreaker(world, flow, one, held, violated);
    checkOrder(world, flow, one);
    checkRoom(world, flow, one, violated);
  }
}

/** What was offered to workers while there was no such flow goes on without limits. */
function wasOffered(world: World, { versions }: FlowFacts, { kind, notBefore }: JobFacts): boolean {
  if (kind === "push") return false;
  return versions.some(({ limits }, i) => {
    const until =
      versions.slice(i + 1).find((later) => later.settledAt !== null)?.settledAt ?? Number.POSITIVE_INFINITY;
    return limits === null && until + lagMs(world) > notBefore;
  });
}

type Violated = (rule: string, what: string) => void;

function checkSlots(
  world: World,
  flow: FlowFacts,
  one: FlowStart,
  limits: readonly Limits[],
  violated: Violated,
): void {
  const { job, start } = one;
  // What was offered to workers before a limit was lowered keeps its slot.
  const offered =
    job.kind === "push"
      ? []
      : flow.versions.flatMap((version, i) => {
          const until = flow.versions[i + 1]?.settledAt ?? Number.POSITIVE_INFINITY;
          return version.limits && until + lagMs(world) > job.notBefore ? [version.limits] : [];
        });
  const most = Math.max(...[...limits, ...offered].map(({ concurrency }) => concurrency ?? Number.POSITIVE_INFINITY));
  const others = flow.starts.filter((other) => other !== one && runsAt(world, other, start.at));
  if (others.length > 0 && others.length + 1 === most) world.note("flow-full", flow.key);
  if (others.length + 1 > most)
    violated(
      "a flow runs so many at once",
      `${others.length + 1} run, and ${most} may: ${others.map((other) => other.job.id).join(", ")}`,
    );
}

function checkRate(world: World, flow: FlowFacts, one: FlowStart, limits: readonly Limits[], violated: Violated): void {
  const [first] = limits;
  const rate = first?.rate;
  if (!rate || limits.some((other) => JSON.stringify(other.rate) !== JSON.stringify(rate))) return;
  const since = flow.versions.findLast(({ limits }) => JSON.stringify(limits?.rate) !== JSON.stringify(rate));
  const from = Math.max(
    one.start.at - rate.seconds * SECOND + (world.climate.size === 0 ? 0 : lagMs(world)),
    since ? (nextOf(flow, since)?.settledAt ?? Number.POSITIVE_INFINITY) : 0,
  );
  const seen = flow.starts.filter(({ job, start, isFree }) => !isFree && job.kind !== "pull" && start.at > from);
  if (seen.length === rate.limit) world.note("flow-rate-full", flow.key);
  if (seen.length > rate.limit)
    violated("a flow starts so many in a period", `${seen.length} in ${rate.seconds} s, and ${rate.limit} may`);
}

const nextOf = ({ versions }: FlowFacts, one: Version): Version | undefined => versions[versions.indexOf(one) + 1];

/** An end on its way to the flow. */
const HEARD_MS = 1_500;

/** By what has ended: after so many failures in a row the breaker is open, until one goes well. */
function checkBreaker(
  world: World,
  flow: FlowFacts,
  one: FlowStart,
  held: readonly Version[],
  violated: Violated,
): void {
  const [version] = held;
  const breaker = version?.limits?.breaker;
  if (held.length !== 1 || !breaker || version?.settledAt == null) return;
  const { at } = one.start;
  const known = flow.starts.filter((other) => other !== one && !other.isFree && !isLoose(other.job, other.start));
  const endOf = ({ start }: FlowStart) => start.endedAt ?? start.heldUntil;
  const ended = known.filter((other) => endOf(other) < at - HEARD_MS).sort((a, b) => endOf(a) - endOf(b));
  const goodOnes = flow.starts.filter(
    (other) => other !== one && !isFailure(other) && other.start.at < at && endOf(other) > (version.settledAt ?? 0),
  );
  const lastGood = Math.max(version.settledAt, ...goodOnes.map(endOf)) + HEARD_MS;
  // One that somebody else has a hand in may have failed, and have opened it sooner.
  if (flow.starts.some((other) => other !== one && isLoose(other.job, other.start) && endOf(other) > lastGood)) return;
  const failures = ended.filter((other) => isFailure(other) && other.start.at > lastGood);
  const opening = failures[breaker.failures - 1];
  if (!opening) return;
  // Failures that may have been counted besides: of one that had started before the last good end, of one that somebody had a hand in.
  const counted = flow.starts.filter((other) => {
    const end = endOf(other);
    return hasFailed(other) && end > lastGood - 2 * HEARD_MS && end < endOf(opening) + HEARD_MS;
  });
  if (counted.length > breaker.failures) return; // it may have opened earlier, and nobody knows when
  const openAt = endOf(opening);
  if (!flow.wasOpen) world.note("flow-opened", flow.key);
  flow.wasOpen = true;
  const tried = failures.filter((other) => other.start.at > openAt + HEARD_MS);
  const pausedUntil = Math.max(openAt, ...tried.map(endOf)) + breaker.seconds * SECOND;
  world.note("flow-probe", one.job.id);
  if (at < pausedUntil - HEARD_MS)
    violated("an open breaker starts nothing", `a start ${Math.round(pausedUntil - at)} ms before its pause is over`);
  const probes = known.filter((other) => other.start.at > openAt + HEARD_MS && runsAt(world, other, at));
  if (probes.length > 0)
    violated("one attempt at a time tries", `${probes.map(({ job }) => job.id).join(", ")} tries too`);
}

const hasFailed = ({ start }: FlowStart): boolean => ["failed", "final", "silent"].includes(start.outcome);
const isFailure = (one: FlowStart): boolean => one.job.kind !== "pull" && hasFailed(one);

/** A crowd is spread over four seconds. */
const CROWD_MS = 6 * SECOND;

/** Nobody who is due later starts before one that stands in line. */
function checkOrder(world: World, flow: FlowFacts, { job, start }: FlowStart): void {
  const { tenant, notBefore } = job;
  if (start.attempt > 1 || !isPlain(job) || tenant.suspensions.length > 0) return;
  const before = [...world.ledger.jobs.values()].filter(
    (other) =>
      other.flow === flow.key &&
      other.tenant === tenant &&
      other !== job &&
      other.kind === "push" &&
      other.knownAt !== null &&
      other.starts.length === 0 &&
      other.flowSince === null &&
      Math.max(other.notBefore, other.knownAt) < start.at - CROWD_MS &&
      other.notBefore < notBefore - CROWD_MS,
  );
  if (before.length === 0) return;
  world.note("flow-order", flow.key);
  const askedAt = world.now;
  // What has its turn may be a moment behind one that has its turn, too.
  world.platform.timeline.after(2 * SECOND, () => {
    for (const other of before)
      if (isPlain(other) && (other.starts[0]?.at ?? Number.POSITIVE_INFINITY) > askedAt + 2 * SECOND)
        world.ledger.violated("first due, first served", `flow ${flow.key}: ${job.id} starts before ${other.id}`);
  });
}

/** How long a place may be free while somebody waits for it. */
const FREE_MS = 10 * SECOND;
/** The longest attempt, and what its flow may take to hear of its end. */
const LONGEST_MS = 70 * SECOND;

/** Whoever has waited has waited for somebody: a slot that no attempt has is a ghost's. */
function checkRoom(world: World, flow: FlowFacts, one: FlowStart, violated: Violated): void {
  const { job, start } = one;
  const from = start.at - FREE_MS;
  const [version, ...others] = possible(world, flow, from);
  const { limits, settledAt } = version ?? {};
  const isSteady = others.length === 0 && settledAt != null && flow.versions.at(-1) === version;
  if (!isSteady || !limits || limits.paused || limits.rate || limits.breaker) return;
  const dueAt = Math.max(
    job.notBefore,
    job.knownAt ?? Number.POSITIVE_INFINITY,
    job.tenant.suspensions.length > 0 ? Number.POSITIVE_INFINITY : 0,
  );
  if (start.attempt > 1 || !isPlain(job) || job.flowSince !== null || dueAt > from) return;
  const mates = [...world.ledger.jobs.values()].filter(
    (other) => other.tenant === job.tenant && other.flow === flow.key,
  );
  if (
    mates.some(
      (other) => other.kind !== "push" || other.starts.some((at) => isLoose(other, at) && at.at > from - LONGEST_MS),
    )
  )
    return;
  const ran = flow.starts.some(
    (other) => other !== one && (other.start.endedAt ?? other.start.heldUntil) > from && other.start.at < start.at,
  );
  world.note("flow-room", flow.key);
  if (!ran)
    violated(
      "no place is free while somebody waits",
      `it starts ${Math.round(start.at - dueAt)} ms late, and nobody ran`,
    );
}

const isPlain = ({
  kind,
  unsettled,
  changedAt,
  cancelAsked,
  revivedAt,
  mayBeDeleted,
  key,
  mayExpire,
}: JobFacts): boolean =>
  kind === "push" &&
  unsettled === 0 &&
  changedAt === null &&
  !cancelAsked &&
  revivedAt === 0 &&
  !mayBeDeleted &&
  key === null &&
  !mayExpire;

/** @returns why a job cannot wait for its flow; null when it may */
export function wrongInFlow(world: World, job: JobFacts, reason: string, askedAt: number): string | null {
  if (job.flow === null && job.flowSince === null && job.kind !== "schedule") return "it is in no flow";
  const flow = world.ledger.flowOf(job);
  if (!flow || world.climate.size > 0 || job.flowSince !== null) return null;
  const held = possible(world, flow, askedAt)
    .concat(possible(world, flow, world.now))
    .map(({ limits }) => limits);
  if (held.every((limits) => limits === null)) return "there is no such flow";
  if (reason === "flow_paused" && !held.some((limits) => limits?.paused || limits?.breaker))
    return "nobody has paused it";
  if (reason === "flow_limited" && held.every((limits) => limits?.paused)) return "it is paused";
  return null;
}

export interface FlowShown {
  readonly key: string;
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly period: { readonly value: number } } | null;
  readonly breaker: { readonly failures: number; readonly pause: { readonly value: number } } | null;
  readonly waiting: number;
  readonly running: number;
  readonly paused: boolean;
  readonly oldest_waiting_since: string | null;
}

/** When all is quiet nothing waits, and no slot is held by a ghost. */
export function checkQuietFlows({ ledger, climate }: World, tenant: Tenant, shown: readonly FlowShown[]): void {
  for (const { key, waiting, running, oldest_waiting_since } of shown) {
    if (waiting > 0 || running > 0 || oldest_waiting_since !== null)
      ledger.violated("a quiet flow holds nothing", `flow ${key} of ${tenant.name}: ${waiting} wait, ${running} run`);
  }
  if (climate.size > 0) return;
  const mine = [...ledger.flows.values()].filter((flow) => flow.tenant === tenant);
  for (const { key, versions } of mine) {
    const last = versions.at(-1);
    if (last?.settledAt != null && (last.limits !== null) !== shown.some((one) => one.key === key))
      ledger.violated(
        "flows are listed",
        `flow ${key} of ${tenant.name} is ${last.limits === null ? "deleted" : "there"}`,
      );
  }
  checkTold(ledger, tenant, mine);
}

/** A breaker's pause and its end are told once each, in turn. */
function checkTold(ledger: Ledger, tenant: Tenant, flows: readonly FlowFacts[]): void {
  if (tenant.webhookSince === null || !tenant.hears.includes("flow.paused")) return;
  for (const { key, wasOpen } of flows) {
    const told = ledger.flowEvents.filter((one) => one.tenant === tenant && one.key === key);
    const distinct = [...new Map(told.map((one) => [`${one.type} ${one.at}`, one])).values()].sort(
      (a, b) => a.at - b.at,
    );
    const [paused, resumed] = ["flow.paused", "flow.resumed"].map(
      (type) => distinct.filter((one) => one.type === type).length,
    );
    if (wasOpen && paused === 0) ledger.violated("a breaker's pause is told", `flow ${key}: nobody was told`);
    if ((resumed ?? 0) > (paused ?? 0))
      ledger.violated("a breaker's pause is told", `flow ${key}: ${resumed} resumed, ${paused} paused`);
    if (new Set(told.map(({ jobId }) => jobId)).size > distinct.length)
      ledger.violated("a breaker's pause is told", `flow ${key}: told twice`);
  }
}
