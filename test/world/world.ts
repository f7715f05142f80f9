// One world: a platform with its weather, people who use the service, and a judge. All of it follows from the seed.

import { nameOfDatabase } from "../../src/domain/databases.ts";
import { planDeployments } from "./deployments.ts";
import { History, type Line } from "./history.ts";
import { watchBounds } from "./judge/bounds.ts";
import { Crowds } from "./judge/crowds.ts";
import { usesNoBadDatabase } from "./judge/databases.ts";
import { checkEnd } from "./judge/end.ts";
import { watchFlows } from "./judge/flow-books.ts";
import { flowStarted } from "./judge/flows.ts";
import {
  bodyOf,
  type EventSeen,
  type JobFacts,
  Ledger,
  type Start,
  type Tenant,
  tellOf,
  type Violation,
} from "./judge/ledger.ts";
import { checkLateness, checkRun, checkSignature, checkStart, checkTick, mostLateMsOf } from "./judge/starts.ts";
import { natureOf, type Without } from "./nature.ts";
import { Client } from "./people/client.ts";
import { consume } from "./people/consumers.ts";
import type { Trade } from "./people/people.ts";
import { foundTenants } from "./people/tenants.ts";
import type { Bundle } from "./platform/bundle.ts";
import { Chance } from "./platform/chance.ts";
import { type Arrival, Platform, type TargetAnswer } from "./platform/platform.ts";
import { type Climate, type Fault, Weather } from "./weather.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Between the sending of a push and its arrival. */
const ON_ITS_WAY_MS = 50;
/** The longest of those that are confirmed late. */
const SLOW_COMMIT_MS = 20_000;

/** When all is quiet, how long whatever was held up may take to come to its end. */
const QUIET_MS = 4 * HOUR;

export interface Plan extends Without {
  readonly seed: number;
  readonly bundles: readonly Bundle[];
  readonly isTraced?: boolean;
  /** Stops at the first violation. */
  readonly stopsAtViolation?: boolean;
}

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly hash: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly lives: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly startsAt: number;
  readonly lines: readonly Line[];
  readonly faults: readonly Fault[];
  readonly people: readonly string[];
}

export class World {
  readonly seed: number;
  readonly chance: Chance;
  readonly platform: Platform;
  readonly ledger: Ledger;
  readonly history: History;
  readonly climate: Climate;
  readonly startsAt: number;
  /** People stop, and nothing goes wrong any more. */
  readonly closesAt: number;
  readonly weather: Weather;
  /** Some jobs are due about when an owner takes them up, which makes a history long. */
  readonly hasFarJobs: boolean;
  readonly databases: number;
  /** Everything has ended: workers go home. */
  isOver = false;
  /** Log lines of level warn and error, by event. */
  readonly complaints = new Map<string, number>();
  readonly people: readonly Trade[];
  /** What the judge looks at more closely. */
  readonly judge: Chance;
  /** Of the Workers that consume the named queue. */
  readonly consumers: Chance;
  readonly #targets: Chance;
  readonly #crowds = new Crowds();
  /** How likely a target is to misbehave, by host. */
  readonly #temper = new Map<string, number>();

  constructor(plan: Plan) {
    const { seed, bundles, isTraced = false } = plan;
    const nature = natureOf(seed, plan);
    this.seed = seed;
    this.chance = new Chance(seed);
    this.startsAt = nature.startsAt;
    this.closesAt = this.startsAt + nature.openMs;
    this.hasFarJobs = nature.hasFarJobs;
    this.databases = nature.databases;
    this.climate = nature.climate;
    this.people = nature.people;
    const now = () => this.platform?.timeline.now ?? this.startsAt;
    this.history = new History(now, isTraced);
    this.ledger = new Ledger(now, this.skewMs);
    this.judge = this.chance.stream("judge");
    this.consumers = this.chance.stream("consumers");
    this.#targets = this.chance.stream("targets");
    let weather: Weather | undefined;
    this.platform = new Platform({
      seed,
      startsAt: this.startsAt,
      bundles,
      databases: this.databases,
      fates: (timeline) => {
        weather = new Weather(timeline, this.climate, this.chance.stream("weather"), this.closesAt, this.databases);
        return weather;
      },
      arrives: (push) => this.#arrives(push),
      consumes: (batch) => consume(this, batch),
      note: (kind, about, more) => this.#noted(kind, about, more),
      log: (line) => this.#logged(line),
    });
    if (!weather) throw new Error("a world has weather");
    this.weather = weather;
    this.#planIsolateDeath();
    watchBounds(this);
    watchFlows(this);
    planDeployments(this.platform, this.climate, this.chance.stream("deployments"), this.closesAt);
  }

  /** Whether accounts are moved from one database to another. */
  get hasMoves(): boolean {
    return this.databases > 1 && this.people.some(({ name }) => name === "mover");
  }

  get now(): number {
    return this.platform.timeline.now;
  }

  get isOpen(): boolean {
    return this.now < this.closesAt;
  }

  /** By how much two clocks may differ. */
  get skewMs(): number {
    const strength = this.climate.get("clocks-differ");
    return strength === undefined ? 0 : Math.ceil(4 * SECOND * strength);
  }

  /** An account's standing is served from memory while D1 cannot answer. */
  get knowsSuspensions(): boolean {
    return ![...this.climate.keys()].some((fault) => fault.startsWith("d1-"));
  }

  /**
   * How late a push may be: a crowd in a healthy service is spread over four seconds; while D1 is away an owner waits
   * for its account for ten, twice if the first answer is an error, behind eleven for somebody else's read; what lost its alarm is found
   * by the sweeper. If D1 and others fail together, nothing is said.
   */
  get mostLateMs(): number {
    const faults = [...this.climate.keys()].filter((fault) => fault !== "clocks-differ" && fault !== "requests-lost");
    if (faults.length === 0) return 5 * SECOND + this.skewMs;
    if (faults.every((fault) => fault.startsWith("d1-"))) return 45 * SECOND + this.skewMs;
    return this.knowsSuspensions && !this.climate.has("silent-objects") ? 15 * MINUTE : Number.POSITIVE_INFINITY;
  }

  #mostLateMsOf(job: JobFacts): number {
    const { tenant } = job;
    if (usesNoBadDatabase(this, tenant)) return 5 * SECOND + this.skewMs;
    const mostMs = this.mostLateMs;
    const homes = tenant.moves ? [...Array(this.databases).keys()] : [0, tenant.database];
    const wellSince = this.weather.wellSince(homes.map(nameOfDatabase));
    const isFickle = this.climate.has("d1-late") || this.climate.has("d1-answers-lost");
    return this.knowsSuspensions ? mostMs : mostLateMsOf(job, mostMs, wellSince, isFickle);
  }

  sleep(ms: number): Promise<void> {
    return this.platform.timeline.sleep(ms);
  }

  note(kind: string, about: string, more = ""): void {
    this.history.note(kind, about, more);
  }

  async live(stopsAtViolation: boolean): Promise<void> {
    const { timeline } = this.platform;
    const failed = (thrown: unknown) => {
      this.ledger.violated("the world holds together", String((thrown as Error)?.stack ?? thrown));
      timeline.stop();
    };
    const whole = async () => {
      const tenants = await foundTenants(this, this.chance.stream("tenants"));
      const lives = tenants.flatMap((tenant) =>
        this.people.map((trade) =>
          trade.live(new Client(this, tenant), this.chance.stream(`${tenant.name} ${trade.name}`)),
        ),
      );
      await Promise.all(lives);
      await this.sleep(Math.max(0, this.closesAt - this.now));
      this.note("quiet", "");
      await checkEnd(this, QUIET_MS);
    };
    whole().then(() => timeline.stop(), failed);
    const isOver = () => stopsAtViolation && this.ledger.violations.length > 0;
    await timeline.run(this.closesAt + 2 * QUIET_MS, isOver).catch(failed);
    if (timeline.now >= this.closesAt + 2 * QUIET_MS)
      this.ledger.violated("everything is answered", "the world does not come to rest");
  }

  #planIsolateDeath(): void {
    const at = this.weather.nextIsolateDeath();
    if (!Number.isFinite(at)) return;
    this.platform.timeline.at(at, () => {
      this.platform.killIsolate();
      this.#planIsolateDeath();
    });
  }

  #noted(kind: string, about: string, more?: string): void {
    if (kind === "died") this.ledger.died(about, this.now);
    if (kind === "alarm-lost") this.ledger.lostAlarms.add(about);
    if (THROWN.has(kind)) this.ledger.violated("handlers do not throw", `${about} ${more ?? ""}`);
    if (kind !== "evicted") this.note(kind, about, more);
  }

  #logged(line: string): void {
    if (line.startsWith('{"level":"info"')) return;
    const { level, event, ...fields } = JSON.parse(line);
    // What is left of a deleted account may report for a minute, to a row that retention has taken.
    const isOfDeleted = this.ledger.tenants.some(({ id, deletedAt }) => id === fields.account_id && deletedAt !== null);
    if (!isOfDeleted && !this.#isFrozen(event, fields))
      this.complaints.set(event, (this.complaints.get(event) ?? 0) + 1);
    this.note(level, event, JSON.stringify(fields));
    const isOld = event === "alarm_fault" && fields.error === "NewerShapeError" && this.isOpen; // left to the newer code
    if (isOld) this.note("newer-shape", fields.object);
    else if (FAULTS_OF_OURS.has(event))
      this.ledger.violated("nothing unforeseen happens", `${event} ${JSON.stringify(fields)}`);
  }

  /** While an account is frozen, who creates is answered 503; so are a tick, and an end that has events to make. */
  #isFrozen(
    event: string,
    { account_id, status }: { readonly account_id?: string; readonly status?: number },
  ): boolean {
    const mayBe = event === "request" ? status === 503 : event === "report_failed" || event === "tick_held";
    return mayBe && this.ledger.tenants.some(({ id, moves }) => moves && id === account_id);
  }

  #arrives(push: Arrival): TargetAnswer {
    const { host, pathname } = new URL(push.url);
    const tenant = this.ledger.tenants.find((one) => one.host === host);
    const jobId = push.headers["X-Chronos-Job-Id"] ?? "";
    const answer = this.#answerOf(host, pathname);
    this.note(
      "arrives",
      jobId,
      `${host}${pathname} ${push.headers["X-Chronos-Delivery-Id"]} → ${answer.status} in ${answer.afterMs}`,
    );
    if (!tenant) {
      this.ledger.violated("a push goes to its target", push.url);
      return answer;
    }
    checkSignature(this.ledger, tenant, push);
    if (pathname === "/events") this.#eventArrives(tenant, push, jobId, answer);
    else if (pathname === "/called") this.#callArrives(tenant, push, jobId);
    else this.#attemptArrives(tenant, push, answer);
    return answer;
  }

  #eventArrives(tenant: Tenant, push: Arrival, jobId: string, answer: TargetAnswer): void {
    const { type, data, timestamp } = bodyOf(push);
    if (type.startsWith("flow."))
      this.ledger.flowEvents.push({ jobId, tenant, key: data.key, type, at: Date.parse(timestamp) });
    const seen: EventSeen = { jobId, type, about: data.id, status: data.status };
    this.ledger.events.set(jobId, seen);
    const until = push.at + answer.afterMs;
    if (until >= (tenant.lastEvent?.at ?? 0)) tenant.lastEvent = { at: until, isTaken: answer.status === 200 };
    const about = this.ledger.jobs.get(data.id);
    if (about && about.tenant !== tenant)
      this.ledger.violated("no account sees another", `${tenant.name} is told of ${data.id}`);
  }

  #callArrives(tenant: Tenant, push: Arrival, jobId: string): void {
    const { type, data } = bodyOf(push);
    this.note("called", data.id, type);
    this.ledger.calls.set(jobId, { jobId, type, about: data.id, status: data.status });
    const about = this.ledger.jobs.get(data.id);
    if (about && about.tenant !== tenant)
      this.ledger.violated("no account sees another", `${tenant.name} is called for ${data.id}`);
  }

  #attemptArrives(tenant: Tenant, push: Arrival, answer: TargetAnswer): void {
    const { job_id, execution_id, attempt, scheduled_for, payload } = bodyOf(push);
    if (payload?.schedule !== undefined) checkTick(this.ledger, push, payload.schedule, job_id);
    const wish = payload?.n === undefined ? undefined : this.ledger.wishes[payload.n];
    if (wish?.outcome === "refused")
      this.ledger.violated("what was refused does not exist", `job ${job_id} of wish ${payload.n}`);
    const known = this.ledger.jobs.get(job_id);
    if ((known ?? wish)?.tenant !== undefined && (known ?? wish)?.tenant !== tenant)
      this.ledger.violated("no account sees another", `${tenant.name} is sent ${job_id}`);
    const kind = payload?.schedule === undefined ? "push" : "schedule";
    const job = known ?? this.ledger.met(job_id, tenant, kind, Date.parse(scheduled_for), 50);
    if (!known && wish) tellOf(job, wish);
    const schedule = this.ledger.schedules.find(({ n }) => n === payload?.schedule);
    if (!known && schedule) job.flow = schedule.flow;
    const runsMs = answer.status === "never" ? job.timeoutMs : Math.min(answer.afterMs, job.timeoutMs);
    this.#started(job, {
      at: push.at,
      executionId: execution_id,
      attempt,
      heldUntil: push.at + answer.afterMs,
      outcome: runsMs < answer.afterMs ? "silent" : outcomeOf(answer.status),
      acceptedAt: null,
      // Its time runs from when it was sent.
      endedAt: push.at + (runsMs < answer.afterMs || answer.status === "never" ? runsMs - this.#onItsWayMs : runsMs),
    });
  }

  /** A request leaves when what was written before it is confirmed; its time runs meanwhile. */
  get #onItsWayMs(): number {
    return this.climate.has("slow-commits") ? SLOW_COMMIT_MS : ON_ITS_WAY_MS;
  }

  #started(job: JobFacts, start: Start): void {
    checkStart(this.ledger, job, start, start.at, this);
    checkLateness(this.ledger, job, start, this.#mostLateMsOf(job));
    if (this.climate.size === 0) {
      this.#crowds.check(this.ledger, job, start);
      checkRun(this.ledger, job, start);
    }
    job.starts.push(start);
    flowStarted(this, job, start);
  }

  /** Well-behaved hosts and others; all are well once it is quiet. */
  #answerOf(host: string, pathname: string): TargetAnswer {
    const chance = this.#targets;
    const isOfFlow = pathname.startsWith("/flow-");
    // What has limits is slow: so its line grows.
    const usual: TargetAnswer = {
      afterMs: isOfFlow ? chance.around(3 * SECOND) : chance.latency(40),
      status: 200,
      body: "ok",
    };
    const isEvent = pathname === "/events" || pathname === "/called";
    const known = this.#temper.get(host + pathname);
    const temper = known ?? (chance.happens(0.5) ? chance.next() ** 2 * (isEvent ? 0.3 : 0.6) : 0);
    if (known === undefined) this.#temper.set(host + pathname, temper);
    // It is down for a while, and well again: so breakers open and close. It fails at once, so whoever tries is soon followed by the next.
    const isDown = isOfFlow && temper > 0 && this.now % MINUTE < 35 * SECOND;
    if (this.isOpen && isDown) return { ...usual, afterMs: chance.around(2 * SECOND), status: chance.pick([500, 503]) };
    if (!this.isOpen || !chance.happens(temper)) return usual;
    const status = chance.pick([
      500,
      503,
      502,
      "refused",
      "never",
      200,
      ...(isEvent ? [] : [400, 429, 302, 408]),
    ] as const);
    const afterMs = chance.happens(0.4) ? chance.around(15 * SECOND) : chance.latency(40);
    const headers = status === 429 ? { "Retry-After": String(chance.int(1, 20)) } : {};
    return { afterMs, status, headers, body: status === 204 ? "" : "as it is" };
  }
}

function outcomeOf(status: TargetAnswer["status"]): Start["outcome"] {
  if (status === "never") return "silent";
  if (status === "refused" || status >= 500 || status === 429 || status === 408) return "failed";
  return status < 300 ? "completed" : "final";
}

/** Nothing that the platform calls throws, whatever happens. */
const THROWN = new Set(["worker-threw", "cron-threw", "queue-threw", "alarm-threw", "alarm-dropped"]);

/** What the service only says when it has a mistake of its own. */
const FAULTS_OF_OURS = new Set([
  "request_fault",
  "alarm_fault",
  "report_refused",
  "projector_fault",
  "announce_fault",
  "handler_not_registered",
  "cron_fault",
]);

export async function live(plan: Plan): Promise<Outcome> {
  const world = new World(plan);
  await world.live(plan.stopsAtViolation ?? false);
  const { history, ledger, platform, climate, people, startsAt } = world;
  return {
    seed: plan.seed,
    violations: ledger.violations,
    hash: history.hash(),
    counts: history.counts,
    lives: ledger.jobs.size + ledger.events.size,
    events: platform.timeline.happened,
    virtualMs: platform.timeline.now - startsAt,
    startsAt,
    lines: history.lines,
    faults: [...climate.keys()],
    people: people.map(({ name }) => name),
  };
}
