// What must be true when all is quiet: everything has ended, lists agree, whatever arrived is on record, events are as the history
// has them, nothing is left over.

import { Client, isDone } from "../people/client.ts";
import type { Answer } from "../platform/platform.ts";
import type { World } from "../world.ts";
import { checkLines } from "./bounds.ts";
import { checkBudget } from "./budget.ts";
import { checkCalls } from "./calls.ts";
import { checkHome } from "./databases.ts";
import { checkQuietFlows, type FlowShown } from "./flows.ts";
import { checkGoodbyes } from "./goodbye.ts";
import type { JobFacts, Ledger, Tenant } from "./ledger.ts";
import { checkBill, checkOverview } from "./overview.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Lists agree with owners within a minute of quiet; this is a minute, and what an answer takes. */
const AGREED_AFTER_MS = 75 * SECOND;
/** An alarm that is late may still be under way, and one that is lost is found by the sweeper. */
const AFTER_BAD_ALARMS_MS = 4 * MINUTE;

/** What a projector has counted and lost is claimed after ten minutes, and recounted in the next few. */
const RECOUNTED_AFTER_MS = 14 * MINUTE;

const ENDED = new Set(["completed", "failed", "cancelled"]);

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly revision: number;
  readonly origin: string;
  readonly schedule_id: string | null;
  readonly scheduled_for: string;
  readonly run_at: string | null;
  readonly tags: readonly string[];
  readonly updated_at: string;
  readonly payload: { readonly n?: number } | null;
  readonly last_error: { readonly code: string } | null;
}

export async function checkEnd(world: World, patienceMs: number): Promise<void> {
  const hasBadAlarms = world.climate.has("lost-alarms") || world.climate.has("late-alarms");
  // A database that was slow has work left that nobody waits for any more.
  const freeAt = Math.max(...world.platform.databases.map((database) => database.freeAt));
  await world.sleep(Math.max(0, freeAt - world.now) + (hasBadAlarms ? AFTER_BAD_ALARMS_MS : AGREED_AFTER_MS));
  const tenants = world.ledger.tenants.filter(({ deletedAt }) => deletedAt === null);
  for (const tenant of tenants) await checkLists(world, tenant);
  const lists = new Map<Tenant, Map<string, Shown>>();
  const until = world.now + patienceMs;
  for (;;) {
    let open = 0;
    for (const tenant of tenants) {
      const listed = await list(world, tenant);
      lists.set(tenant, listed);
      open += [...listed.values()].filter(({ status }) => !ENDED.has(status)).length;
    }
    if (open === 0 || world.now > until) break;
    await world.sleep(5 * MINUTE);
  }
  await world.sleep(world.climate.size > 0 ? RECOUNTED_AFTER_MS : 2 * MINUTE);
  world.isOver = true;
  for (const tenant of tenants) {
    const listed = await list(world, tenant);
    checkEnds(world, tenant, listed);
    await checkExecutions(world, tenant, listed);
    checkEvents(world, tenant, listed);
    checkCalls(world, tenant, listed);
    await checkSchedules(world, tenant, listed);
    await checkFlows(world, tenant);
    const counted = [...listed.values()].filter(({ origin }) => origin !== "event");
    await checkOverview(world, tenant, counted);
    checkHome(world, tenant);
  }
  checkBill(
    world,
    [...lists.values()].flatMap((listed) => [...listed.values()]),
  );
  await checkWebhooks(world);
  checkLeftovers(world, lists);
  checkLines(world);
  checkCalm(world);
  await checkGoodbyes(world);
}

/** All of a tenant's jobs, those that carry events included. */
async function list(world: World, tenant: Tenant): Promise<Map<string, Shown>> {
  const client = new Client(world, tenant);
  const all = new Map<string, Shown>();
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: Answer | null = await client.surely(
      "GET",
      `/v1/jobs?size=100&origin=api&origin=schedule&origin=event${cursor && `&cursor=${cursor}`}`,
    );
    if (!isDone(page)) {
      world.ledger.violated("a list is answered", `${page?.status} ${page?.body?.message}`);
      return all;
    }
    for (const job of page.body.data as Shown[]) all.set(job.id, job);
    cursor = page.body.meta.paging.next_cursor ?? null;
  }
  return all;
}

/** What a list shows is what the owner says. */
async function checkLists(world: World, tenant: Tenant): Promise<void> {
  const client = new Client(world, tenant);
  const listed = await list(world, tenant);
  for (const { id, status, updated_at } of listed.values()) {
    if (ENDED.has(status)) continue;
    const answer = await client.surely("GET", `/v1/jobs/${id}`);
    if (!isDone(answer)) continue;
    const now = answer.body.data;
    const isFresh = world.now - Date.parse(now.updated_at) < AGREED_AFTER_MS;
    if (now.status === status || isFresh || isLookedForLater(world, tenant, id)) continue;
    const again = (await list(world, tenant)).get(id);
    if (again?.status !== now.status)
      world.ledger.violated(
        "lists agree with owners",
        `job ${id} is ${now.status} since ${now.updated_at}, and listed as ${again?.status} of ${updated_at}`,
      );
  }
}

const hasLostAlarm = ({ ledger }: World, tenant: Tenant, id: string): boolean =>
  ledger.lostAlarms.has(`JobObject ${tenant.id}/${id}`);

/**
 * A job that stood in a flow's line, or was sent to a named queue, and whose alarm the platform then lost: its row says that its owner looks
 * again within ten minutes, or a day, so the sweeper looks for it only then. RELIABILITY.md says so.
 */
function isLookedForLater(world: World, tenant: Tenant, id: string): boolean {
  const { flow = null, flowSince = null } = world.ledger.jobs.get(id) ?? {};
  return hasLostAlarm(world, tenant, id) && (flow !== null || flowSince !== null || world.ledger.consumed.has(id));
}

/**
 * A job whose alarm the platform has lost, and whose row shows something for which nobody is woken while a world lasts: the end before,
 * as it was retried by hand while D1 was down, or that a named queue has it. RELIABILITY.md says so.
 */
const isLeftBehind = (world: World, { id, tenant, revivedAt }: JobFacts): boolean =>
  hasLostAlarm(world, tenant, id) && !world.knowsSuspensions && (revivedAt > 0 || world.ledger.consumed.has(id));

function checkEnds(world: World, tenant: Tenant, listed: ReadonlyMap<string, Shown>): void {
  const { ledger, now, climate } = world;
  for (const job of ledger.jobs.values()) {
    if (job.tenant !== tenant || isLeftBehind(world, job)) continue;
    const shown = listed.get(job.id);
    const violated = (rule: string, what: string) => ledger.violated(rule, `job ${job.id}: ${what}`);
    if (!shown) {
      if (!job.mayBeDeleted) violated("what was answered 201 exists", "it is in no list");
      continue;
    }
    if (job.deletedAt !== null) violated("a deleted job stays deleted", `it is ${shown.status}`);
    if (!ENDED.has(shown.status))
      violated("what was answered 201 ends", `it is ${shown.status}, due at ${shown.run_at}`);
    if (
      job.cancelledAt !== null &&
      job.revivedAt < job.cancelledAt &&
      job.unsettled === 0 &&
      shown.status !== "cancelled"
    )
      violated("a cancelled job stays cancelled", `it is ${shown.status}`);
    if (job.replacedBy !== null && job.unsettled === 0 && shown.payload?.n !== job.replacedBy)
      violated("a row follows its job", `its payload is that of wish ${shown.payload?.n}, not of ${job.replacedBy}`);
    if (job.completedBy !== null && shown.status !== "completed")
      violated("an accepted report stands", `it is ${shown.status}`);
    const isMineAlone = job.kind === "push" && job.flow !== null && !job.cancelAsked && job.unsettled === 0;
    if (climate.size === 0 && isMineAlone && shown.attempts > job.starts.length)
      violated("attempts not made are not spent", `${shown.attempts} attempts, ${job.starts.length} starts`);
    if (shown.attempts < new Set(job.starts.map(({ executionId }) => executionId)).size)
      violated("whatever arrived is on record", `${job.starts.length} starts, ${shown.attempts} attempts`);
  }
  for (const shown of listed.values())
    if (!ENDED.has(shown.status) && !ledger.jobs.has(shown.id))
      ledger.violated(
        "what exists ends",
        `job ${shown.id} of origin ${shown.origin} is ${shown.status} at ${new Date(now).toISOString()}, due at ${shown.run_at}`,
      );
}

interface ExecutionShown {
  readonly id: string;
  readonly attempt: number;
  readonly status: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
}

/** Whatever arrived is on record; what was interrupted has met a death. */
async function checkExecutions(world: World, tenant: Tenant, listed: ReadonlyMap<string, Shown>): Promise<void> {
  const client = new Client(world, tenant);
  const { ledger } = world;
  for (const job of ledger.jobs.values()) {
    const shown = listed.get(job.id);
    if (job.tenant !== tenant || !shown || job.starts.length === 0 || isLeftBehind(world, job)) continue;
    // Of those that went well at once a few stand for all.
    const isPlain = job.starts.length === 1 && shown.attempts === 1 && shown.status === "completed";
    if (isPlain && job.starts[0]?.acceptedAt === null && !world.judge.happens(0.15)) continue;
    const answer = await client.surely("GET", `/v1/jobs/${job.id}/executions?size=100`);
    if (!isDone(answer)) continue;
    const executions = answer.body.data as ExecutionShown[];
    const violated = (rule: string, what: string) => ledger.violated(rule, `job ${job.id}: ${what}`);
    for (const [i, { attempt }] of executions.entries())
      if (attempt !== i + 1) violated("attempts are numbered on", `attempt ${attempt} in place ${i + 1}`);
    for (const start of job.starts) {
      const known = executions.find(({ id }) => id === start.executionId);
      if (!known) violated("whatever arrived is on record", `execution ${start.executionId} is not`);
      else if (start.acceptedAt !== null && start.outcome === "completed" && known.status !== "completed")
        violated("an accepted report stands", `execution ${start.executionId} is ${known.status}`);
      else if (start.acceptedAt !== null && start.outcome !== "completed" && known.status !== "failed")
        violated("an accepted report stands", `execution ${start.executionId} is ${known.status}`);
    }
    checkInterruptions(world, job, executions, violated);
    const statuses = executions.map(({ status }) => status);
    checkBudget(job, shown, statuses, violated);
  }
}

function checkInterruptions(
  { ledger, skewMs }: World,
  job: JobFacts,
  executions: readonly ExecutionShown[],
  violated: (rule: string, what: string) => void,
): void {
  const deaths = ledger.deaths.get(`JobObject ${job.tenant.id}/${job.id}`) ?? [];
  for (const { id, status, started_at, completed_at } of executions) {
    if (status === "queued" || status === "running")
      violated("attempts come to an end", `execution ${id} is ${status}`);
    if (status !== "interrupted") continue;
    const [from, until] = [Date.parse(started_at ?? ""), Date.parse(completed_at ?? "")];
    if (!deaths.some((at) => at >= from - skewMs - 1 && at <= until + skewMs + 1))
      violated(
        "attempts are repeated only after a death",
        `execution ${id} was interrupted from ${started_at} to ${completed_at}`,
      );
  }
}

/** Each end has its events, once for each. */
function checkEvents(world: World, tenant: Tenant, listed: ReadonlyMap<string, Shown>): void {
  const { ledger, now } = world;
  if (tenant.webhookSince === null) return;
  const byJob = Map.groupBy([...ledger.events.values()], ({ about, type }) => `${type} ${about}`);
  for (const job of ledger.jobs.values()) {
    const shown = listed.get(job.id);
    if (job.tenant !== tenant || !shown || !ENDED.has(shown.status) || isLeftBehind(world, job)) continue;
    const type = `job.${shown.status}`;
    if (!tenant.hears.includes(type)) continue;
    const told = byJob.get(`${type} ${job.id}`) ?? [];
    if (told.length === 0)
      ledger.violated(
        "each end has its event",
        `job ${job.id}: nobody was told of ${type}, at ${new Date(now).toISOString()}`,
      );
    if (job.retries !== null && told.length > 1 + job.retries)
      ledger.violated(
        "an event is made once",
        `job ${job.id}: ${told.length} times ${type}, after ${job.retries} retries`,
      );
    const ends = ["completed", "failed", "cancelled"].filter((end) => tenant.hears.includes(`job.${end}`));
    const all = ends.flatMap((end) => byJob.get(`job.${end} ${job.id}`) ?? []);
    if (job.retries !== null && ends.length === 3 && all.length !== 1 + job.retries)
      ledger.violated(
        "events are as the history has them",
        `job ${job.id}: ${all.length} ends told, after ${job.retries} retries`,
      );
  }
}

/** All ticks of a plain interval have a job, or were missed or skipped, as the schedule counts. */
async function checkSchedules(world: World, tenant: Tenant, listed: ReadonlyMap<string, Shown>): Promise<void> {
  const client = new Client(world, tenant);
  for (const facts of world.ledger.schedules) {
    if (facts.tenant !== tenant || facts.id === "") continue;
    const answer = await client.surely("GET", `/v1/schedules/${facts.id}`);
    if (!isDone(answer)) {
      world.ledger.violated("what was answered 201 exists", `schedule ${facts.id}: ${answer?.status}`);
      continue;
    }
    const { run_count, missed_runs, skipped_runs, status, last_run_at } = answer.body.data;
    const violated = (what: string) => world.ledger.violated("one job for each tick", `schedule ${facts.id}: ${what}`);
    if (facts.archivedAt !== null && status === "active") violated("it is active, although it was archived");
    if (facts.isPlain && facts.everyMs !== null && last_run_at !== null) {
      const ticks = (Date.parse(last_run_at) - facts.createdAt) / facts.everyMs;
      if (run_count + missed_runs + skipped_runs < ticks)
        violated(`${ticks} ticks, ${run_count} made, ${missed_runs} missed, ${skipped_runs} skipped`);
    }
    const jobs = [...listed.values()].filter(({ schedule_id }) => schedule_id === facts.id);
    if (facts.mayHaveMore || [...world.ledger.jobs.values()].some((job) => job.tenant === tenant && job.mayBeDeleted))
      continue;
    // The job of a tick that D1 held up may exist although its schedule was archived before it could count it.
    const uncounted = jobs.length - run_count;
    if (uncounted !== 0 && !(uncounted === 1 && status === "archived"))
      violated(`${jobs.length} jobs, ${run_count} runs counted`);
  }
}

async function checkFlows(world: World, tenant: Tenant): Promise<void> {
  const answer = await new Client(world, tenant).surely("GET", "/v1/flows?size=100");
  if (!isDone(answer)) return world.ledger.violated("flows are listed", `${tenant.name}: ${answer?.status}`);
  checkQuietFlows(world, tenant, answer.body.data as FlowShown[]);
}

/** Objects of what is over are empty. */
function checkLeftovers(
  { climate, platform, ledger }: World,
  lists: ReadonlyMap<Tenant, ReadonlyMap<string, Shown>>,
): void {
  // An owner that dies before it hears that its end is stored, and loses its alarm, stays as it is: nobody asks for it again.
  if (climate.has("lost-alarms")) return;
  for (const [name, stored] of platform.objects.stored()) {
    const [className = "", path = ""] = name.split(/ (.*)/);
    const [accountId = "", id = ""] = path.split(/\/(.*)/);
    const listed = [...lists].find(([tenant]) => tenant.id === accountId)?.[1];
    if (className === "JobObject" && listed && ENDED.has(listed.get(id)?.status ?? "completed"))
      ledger.violated("objects of what is over are empty", `${name} ${JSON.stringify(stored.get("state"))}`);
  }
}

/** A webhook whose last delivery was taken is not said to fail. */
async function checkWebhooks(world: World): Promise<void> {
  if (world.climate.size > 0) return;
  for (const tenant of world.ledger.tenants) {
    if (tenant.deletedAt !== null || !tenant.lastEvent?.isTaken) continue;
    const answer = await new Client(world, tenant).surely("GET", "/v1/webhooks");
    for (const { failing_since } of isDone(answer) ? answer.body.data : [])
      if (failing_since !== null)
        world.ledger.violated("a webhook that works is not said to fail", `${tenant.name}, since ${failing_since}`);
  }
}

/** In a world without faults the service notices nothing. */
function checkCalm({ climate, complaints, ledger }: World): void {
  if (climate.size > 0) return;
  for (const [event, count] of complaints)
    ledger.violated("a healthy service has nothing to complain of", `${event}, ${count} times`);
}

export type { Ledger };
