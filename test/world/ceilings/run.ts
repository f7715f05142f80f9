// One run: jobs at a pace, or due in one instant, through the service's own code on the model. What became of them, and how busy
// each station was.

import { bodyOf } from "../judge/ledger.ts";
import type { Bundle } from "../platform/bundle.ts";
import { Chance } from "../platform/chance.ts";
import { ADMIN_TOKEN, Platform } from "../platform/platform.ts";
import { Model } from "./model.ts";
import type { Figures } from "./parameters.ts";
import { PATIENCE_MS } from "./sizes.ts";
import type { Load } from "./stations.ts";

const SECOND = 1_000;
const STARTS_AT = Date.UTC(2030, 0, 15, 12, 0, 10);

/** A job of a steady pace is due so long after its creation is sent. */
const AHEAD_MS = SECOND;

/** How often it is looked whether the lists show all ends. */
const LOOK_MS = 50;

/** A burst's jobs are made in batches, over so long or at a pace that each database bears, and due a little later. */
const MADE_OVER_MS = 15 * SECOND;
const MADE_PER_SECOND = 400;
const PER_BATCH = 100;

/** Workers claim and report up to so many jobs at once. */
const CLAIMED = 25;

export interface Plan {
  readonly seed: number;
  readonly bundle: Bundle;
  readonly figures: Figures;
  readonly databases: number;
  /** Jobs a second, evenly; or so many due in one instant. */
  readonly jobs: { readonly perSecond: number; readonly seconds: number } | { readonly burst: number };
  /** Jobs of one request; null: one by one, by the route for one. */
  readonly perRequest: number | null;
  readonly delivery: "push" | "pull";
  /** Accounts of each database, with one handler each; for pull, the workers of each. */
  readonly accounts: number;
  readonly workers: number;
  readonly flow?: { readonly concurrency: number };
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Outcome {
  readonly asked: number;
  readonly created: number;
  readonly refused: number;
  readonly createdPerSecond: number;
  /** From the request to its answer. */
  readonly createMs: Percentiles;
  /** From due to the request at the target, or the claim in a worker's hands. */
  readonly lateMs: Percentiles;
  readonly missing: number;
  /** From the last moment that a job was due to the moment when all that were made had ended in the lists; null: they had not. */
  readonly listedAfterMs: number | null;
  /** Of the middle four fifths. */
  readonly startsPerSecond: number;
  readonly objectsMade: number;
  /** How long stations were watched. */
  readonly watchedMs: number;
  readonly database: Load;
  readonly projector: Load;
  readonly pullQueue: Load;
  readonly flow: Load;
  readonly queue: Load;
}

export async function run(plan: Plan): Promise<Outcome> {
  const live = new Run(plan);
  return live.outcome();
}

class Run {
  readonly #plan: Plan;
  readonly #platform: Platform;
  readonly #chance: Chance;
  readonly #keys: string[] = [];
  readonly #due: number[] = [];
  readonly #late: number[] = [];
  readonly #startedAt: number[] = [];
  readonly #createMs: number[] = [];
  #created = 0;
  #refused = 0;
  #isOver = false;
  #model: Model | undefined;

  constructor(plan: Plan) {
    const { seed, bundle, figures, databases } = plan;
    this.#plan = plan;
    this.#chance = new Chance(seed).stream("people");
    this.#platform = new Platform({
      seed,
      startsAt: STARTS_AT,
      bundles: [bundle],
      databases,
      isolates: figures.isolates,
      connections: figures.connections,
      rateLimit: Number.POSITIVE_INFINITY,
      fates: (timeline) => {
        this.#model = new Model(figures, timeline, new Chance(seed).stream("model"));
        return this.#model;
      },
      arrives: (push) => {
        this.#started(bodyOf(push).payload.n, push.at);
        return { afterMs: this.#chance.latency(figures.targetMs), status: 200, body: "ok" };
      },
      note: () => {},
      log: () => {},
    });
  }

  async outcome(): Promise<Outcome> {
    const { timeline } = this.#platform;
    let outcome: Outcome | undefined;
    let fault: unknown;
    const done = () => timeline.stop();
    this.#live().then(
      (given) => {
        outcome = given;
        done();
      },
      (thrown) => {
        fault = thrown;
        done();
      },
    );
    await timeline.run(STARTS_AT + 3_600 * SECOND);
    if (!outcome) throw fault ?? new Error("a run does not come to its end");
    return outcome;
  }

  async #live(): Promise<Outcome> {
    const { jobs, flow } = this.#plan;
    const { timeline } = this.#platform;
    await this.#found();
    this.#work();
    const from = timeline.now;
    const closesAt = "burst" in jobs ? await this.#burst(jobs.burst) : await this.#pace(jobs);
    if (flow) await this.#ask("POST", "/v1/flows/one/resume");
    const listedAt = await this.#settle();
    this.#isOver = true;
    const lastDue = this.#due.reduce((last, due) => Math.max(last, due ?? 0), 0);
    const model = this.#model;
    if (!model) throw new Error("there is no model");
    const busiest = (kind: string): Load => model.stations.loads(kind)[0] ?? { ...IDLE, name: kind };
    const starts = this.#startedAt.sort((a, b) => a - b);
    // What a flow starts at once when it is resumed says nothing of its pace.
    const first = Math.max(Math.floor(starts.length * 0.1), flow?.concurrency ?? 0);
    const last = Math.floor(starts.length * 0.9);
    return {
      asked: this.#created + this.#refused,
      created: this.#created,
      refused: this.#refused,
      createdPerSecond: (SECOND * this.#created) / (closesAt - from),
      createMs: percentiles(this.#createMs),
      lateMs: percentiles(this.#late),
      missing: this.#created - this.#late.length,
      listedAfterMs: listedAt === null ? null : Math.max(0, listedAt - lastDue),
      startsPerSecond: (SECOND * (last - first)) / ((starts[last] ?? 0) - (starts[first] ?? 0)),
      objectsMade: model.made,
      watchedMs: model.stations.watchedMs,
      database: busiest("database"),
      projector: busiest("Projector"),
      pullQueue: busiest("PullQueue"),
      flow: busiest("FlowObject"),
      queue: busiest("queue"),
    };
  }

  async #found(): Promise<void> {
    const { databases, accounts, flow } = this.#plan;
    for (let i = 0; i < accounts * databases; i++) {
      const where = databases > 1 ? { database: i % databases } : {};
      const body = { name: `a${i}`, ...where };
      const made = await this.#platform.call("POST", "/v1/admin/accounts", { key: ADMIN_TOKEN, body });
      if (made?.status !== 201) throw new Error(`an account is answered ${made?.status} ${JSON.stringify(made?.body)}`);
      this.#keys.push(made.body.data.api_key);
    }
    if (flow) await this.#ask("PUT", "/v1/flows/one", { concurrency: flow.concurrency, paused: true });
    // Every isolate has met every key.
    const { isolates } = this.#plan.figures;
    for (const key of this.#keys)
      await Promise.all(
        Array.from({ length: 2 * isolates }, () => this.#platform.call("GET", "/v1/jobs?size=1", { key })),
      );
  }

  async #pace({ perSecond, seconds }: { readonly perSecond: number; readonly seconds: number }) {
    const { timeline } = this.#platform;
    const { perRequest } = this.#plan;
    const most = Math.round(perSecond * seconds);
    const size = perRequest ?? 1;
    const from = timeline.now;
    const closesAt = from + seconds * SECOND;
    this.#model?.stations.watch(from + AHEAD_MS, closesAt);
    const answers: Promise<void>[] = [];
    for (let n = 0; n < most; n += size) {
      const at = from + (SECOND * (n + this.#chance.next() * size)) / perSecond;
      const request = n / size;
      answers.push(
        timeline.sleep(at - timeline.now).then(() => this.#create(n, Math.min(size, most - n), request, null)),
      );
    }
    await Promise.all(answers);
    await timeline.sleep(Math.max(0, closesAt + AHEAD_MS - timeline.now));
    return closesAt;
  }

  async #burst(jobs: number) {
    const { timeline } = this.#platform;
    const from = timeline.now;
    const madeOverMs = Math.max(MADE_OVER_MS, (SECOND * jobs) / (MADE_PER_SECOND * this.#plan.databases));
    const due = Math.ceil((from + madeOverMs + 10 * SECOND) / (60 * SECOND)) * 60 * SECOND;
    const answers: Promise<void>[] = [];
    for (let n = 0; n < jobs; n += PER_BATCH) {
      const at = from + (madeOverMs * n) / jobs;
      answers.push(
        timeline
          .sleep(at - timeline.now)
          .then(() => this.#create(n, Math.min(PER_BATCH, jobs - n), n / PER_BATCH, due)),
      );
    }
    this.#model?.stations.watch(due, due + 10 * SECOND);
    await Promise.all(answers);
    const closesAt = timeline.now;
    await timeline.sleep(due + (this.#plan.flow ? 15 * SECOND : 0) - timeline.now);
    return closesAt;
  }

  async #create(first: number, count: number, request: number, due: number | null): Promise<void> {
    const { timeline } = this.#platform;
    const asked = timeline.now;
    const dueAt = due ?? Math.floor(asked + AHEAD_MS);
    for (let n = first; n < first + count; n++) this.#due[n] = dueAt;
    const account = request % this.#keys.length;
    const jobs = Array.from({ length: count }, (_, i) => this.#job(first + i, account, dueAt));
    const isOne = this.#plan.perRequest === null && due === null;
    const key = this.#keys[account] ?? "";
    const answer = isOne
      ? await this.#platform.call("POST", "/v1/jobs", { key, body: jobs[0] })
      : await this.#platform.call("POST", "/v1/jobs/batch", { key, body: { jobs } });
    this.#createMs.push(timeline.now - asked);
    if (answer?.status === 201) this.#created += count;
    else this.#refused += count;
  }

  #job(n: number, account: number, dueAt: number): object {
    const { delivery, flow } = this.#plan;
    const how =
      delivery === "pull"
        ? { handler: `work ${account}` }
        : { delivery: { type: "push", http: { url: "https://example.com/one", method: "POST" } } };
    return {
      name: "one of many",
      payload: { n },
      scheduled_for: new Date(dueAt).toISOString(),
      ...how,
      ...(flow && { flow: "one" }),
    };
  }

  #work(): void {
    if (this.#plan.delivery !== "pull") return;
    for (const [account, key] of this.#keys.entries())
      for (let i = 0; i < this.#plan.workers; i++) void this.#workAlone(key, `work ${account}`, `${account} ${i}`);
  }

  async #workAlone(key: string, handler: string, name: string): Promise<void> {
    const claim = { handlers: [handler], wait_time_seconds: 20, max_jobs: CLAIMED, worker_id: name };
    while (!this.#isOver) {
      const answer = await this.#platform.call("POST", "/v1/worker/jobs/claim", {
        key,
        body: claim,
        leavesAfterMs: 30 * SECOND,
      });
      // As the SDK's worker does.
      if (answer?.status !== 200) {
        await this.#platform.timeline.sleep(Number(answer?.headers.get("Retry-After") ?? 1) * SECOND);
        continue;
      }
      const leased: { job_id: string; execution_id: string; payload: { n: number } }[] = answer.body?.data ?? [];
      for (const { payload } of leased) this.#started(payload.n, this.#platform.timeline.now);
      if (leased.length === 0) continue;
      const reports = leased.map(({ job_id, execution_id }) => ({ job_id, execution_id, status: "completed" }));
      await this.#platform.call("POST", "/v1/worker/jobs/report", { key, body: { reports } });
    }
  }

  #started(n: number, at: number): void {
    this.#late.push(at - (this.#due[n] ?? 0));
    this.#startedAt.push(at);
  }

  /** @returns when all that were made had ended in the lists */
  async #settle(): Promise<number | null> {
    const { timeline } = this.#platform;
    const until = timeline.now + PATIENCE_MS;
    while (timeline.now < until) {
      if (this.#late.length >= this.#created && this.#listed() >= this.#created) return timeline.now;
      await timeline.sleep(LOOK_MS);
    }
    return null;
  }

  #listed(): number {
    const count = "SELECT count(*) AS n FROM jobs WHERE status = 'completed'";
    return this.#platform.databases.reduce((sum, { db }) => sum + Number(db.prepare(count).get()?.n), 0);
  }

  async #ask(method: string, path: string, body?: object): Promise<void> {
    const answer = await this.#platform.call(method, path, { key: this.#keys[0] ?? "", ...(body && { body }) });
    if (!answer || answer.status >= 300) throw new Error(`${method} ${path} is answered ${answer?.status}`);
  }
}

const IDLE = { name: "", utilisation: 0, calls: 0, perSecond: 0, behindMs: 0, refused: 0 };

function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
