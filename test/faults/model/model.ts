// A random walk over the API with the service killed on the way, beside the reference: after each step the two agree.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../../harness/service.ts";
import { Chance } from "../harness/chance.ts";
import { crash } from "../harness/crash.ts";
import { PatientTenant, type TriedAnswer } from "../harness/patient-tenant.ts";
import type { Part } from "../part.ts";
import type { ReferenceJob } from "./reference.ts";
import * as reference from "./reference.ts";

const STEPS: readonly [string, number][] = [
  ["create", 20],
  ["create again", 5],
  ["claim", 25],
  ["complete", 8],
  ["fail", 14],
  ["heartbeat", 6],
  ["report late", 8],
  ["repeat the report", 4],
  ["cancel", 8],
  ["retry", 8],
  ["wait", 5],
];

/** A due job may take so long to reach the polls; after a kill, what the queue has lost is offered again in a minute. */
const SETTLE_MS = 5_000;
const SETTLE_AFTER_KILL_MS = 75_000;
/** Longer than the walk: no lease ends on its own. */
const LEASE_SECONDS = 3_600;

interface JobJson {
  readonly id: string;
  readonly status: string;
  readonly run_at: string | null;
  readonly attempts: number;
  readonly result: unknown;
}

export async function walkBesideReference(
  service: Service,
  { steps, kills }: { steps: number; kills: number },
  seed: number,
): Promise<Part> {
  const walk = new Walk(service, await PatientTenant.make(service, "model", 5), new Chance(seed));
  const killAt = new Set(Array.from({ length: kills }, (_, i) => Math.floor(((i + 0.5) * steps) / kills)));
  for (let step = 0; step < steps && walk.faults.length === 0; step++) {
    if (killAt.has(step)) await walk.kill();
    else await walk.step();
  }
  await walk.agreeOnAll();
  const jobs = walk.jobs.length;
  const fault = `${steps} random steps, ${kills} kills, beside a reference`;
  const row = {
    fault,
    jobs,
    delivered: walk.claims,
    lost: walk.faults.length,
    duplicated: 0,
    early: 0,
    lateP99Ms: null,
  };
  return { rows: [row], faults: walk.faults, secrets: walk.secrets };
}

class Walk {
  readonly jobs: ReferenceJob[] = [];
  readonly faults: string[] = [];
  claims = 0;
  readonly #service: Service;
  readonly #tenant: PatientTenant;
  readonly #chance: Chance;
  #killedAt = 0;
  readonly #trail: string[] = [];

  constructor(service: Service, tenant: PatientTenant, chance: Chance) {
    this.#service = service;
    this.#tenant = tenant;
    this.#chance = chance;
  }

  get secrets(): string[] {
    return this.#tenant.secrets;
  }

  async kill(): Promise<void> {
    this.#trail.push("kill");
    await crash(this.#service);
    this.#killedAt = Date.now();
  }

  async step(): Promise<void> {
    const what = this.#choose();
    this.#trail.push(what);
    switch (what) {
      case "create":
        return this.#create();
      case "create again":
        return this.#with(
          () => true,
          (job) => this.#createAgain(job),
        );
      case "claim":
        return this.#claim();
      case "complete":
      case "fail":
      case "heartbeat":
        return this.#with(
          ({ holder }) => holder !== null,
          (job) => this.#report(job, what),
        );
      case "report late":
        return this.#with(
          ({ past }) => past.length > 0,
          (job) => this.#reportLate(job),
        );
      case "repeat the report":
        return this.#with(
          ({ lastReport, status }) => lastReport !== null && status !== "running",
          (job) => this.#repeat(job),
        );
      case "cancel":
        return this.#with(
          () => true,
          (job) => this.#cancel(job),
        );
      case "retry":
        return this.#with(
          () => true,
          (job) => this.#retry(job),
        );
      default:
        return sleep(this.#chance.between(50, 500));
    }
  }

  /** Once more, each of them. */
  async agreeOnAll(): Promise<void> {
    for (const job of this.jobs) await this.#agree(job);
  }

  #choose(): string {
    let left = this.#chance.between(0, STEPS.reduce((sum, [, weight]) => sum + weight, 0) - 1);
    for (const [what, weight] of STEPS) {
      if (left < weight) return what;
      left -= weight;
    }
    return "wait";
  }

  async #with(fits: (job: ReferenceJob) => boolean, act: (job: ReferenceJob) => Promise<void>): Promise<void> {
    const fitting = this.jobs.filter(fits);
    if (fitting.length === 0) return;
    const job = this.#chance.pick(fitting);
    await act(job);
    await this.#agree(job);
    await this.#agree(this.#chance.pick(this.jobs));
  }

  async #create(): Promise<void> {
    const key = randomUUID().slice(0, 13);
    const maxRetries = this.#chance.between(0, 2);
    const delayed = this.#chance.happens(30)
      ? { delay: { value: this.#chance.pick([1, 2, 3_600]), unit: "second" } }
      : {};
    const body = {
      name: "model",
      handler: "model",
      timeout: LEASE_SECONDS,
      max_retries: maxRetries,
      idempotency_key: key,
    };
    const made = await this.#call<JobJson>("POST", "/v1/jobs", { ...body, ...delayed });
    // Killed on the way, the service may have made it without an answer.
    if (made.status !== 201 && !(made.status === 409 && made.tries > 1)) return this.#wrong("create", made);
    const { id, run_at } = made.body.data;
    const fresh = { isRetry: false, attempts: 0, tries: 0, holder: null, past: [], lastReport: null, result: null };
    this.jobs.push({ id, key, maxRetries, status: "waiting", runAt: Date.parse(run_at ?? ""), ...fresh });
  }

  async #createAgain({ id, key }: ReferenceJob): Promise<void> {
    const body = { name: "again", handler: "model", idempotency_key: key };
    const answer = await this.#call<JobJson>("POST", "/v1/jobs", body);
    if (answer.status !== 409 || answer.body.data.id !== id) this.#wrong("create again", answer);
  }

  async #claim(): Promise<void> {
    const body = { handlers: ["model"], wait_time_seconds: 0 };
    const answer = await this.#call<{ job_id: string; execution_id: string; attempt: number } | null>(
      "POST",
      "/v1/worker/jobs/claim",
      body,
    );
    const now = Date.now();
    if (answer.status !== 200) return this.#wrong("claim", answer);
    const claim = answer.body.data;
    if (claim === null) return this.#nothingWaitsLongerThanItMay(now);
    const job = this.jobs.find(({ id }) => id === claim.job_id);
    if (!job || !reference.canBeClaimed(job, now)) return this.#wrong(`claim of a job that is ${job?.status}`, answer);
    if (job.past.includes(claim.execution_id)) return this.#wrong("claim of an old execution", answer);
    this.claims += 1;
    reference.claimed(job, claim.execution_id);
    await this.#agree(job);
  }

  #nothingWaitsLongerThanItMay(now: number): void {
    const mayWaitMs = now - this.#killedAt < SETTLE_AFTER_KILL_MS ? SETTLE_AFTER_KILL_MS : SETTLE_MS;
    const forgotten = this.jobs.find((job) => reference.canBeClaimed(job, now) && now - job.runAt > mayWaitMs);
    if (forgotten) this.#fault(`${forgotten.id} is due for ${now - forgotten.runAt} ms, and a claim finds nothing`);
  }

  async #report(job: ReferenceJob, what: "complete" | "fail" | "heartbeat"): Promise<void> {
    const execution_id = job.holder;
    const path = `/v1/worker/jobs/${job.id}/${what}`;
    if (what === "heartbeat") {
      const answer = await this.#call("POST", path, { execution_id });
      return answer.status === 200 ? undefined : this.#wrong(what, answer);
    }
    const retryable = this.#chance.happens(80);
    const result = { number: this.#chance.between(1, 1_000) };
    const body = what === "complete" ? { execution_id, result } : { execution_id, retryable, error: { message: "no" } };
    const answer = await this.#call<JobJson>("POST", path, body);
    if (answer.status !== 200) return this.#wrong(what, answer);
    const { run_at } = answer.body.data;
    if (what === "complete") return reference.completed(job, result);
    for (const fault of reference.failed(job, retryable, Date.now(), run_at === null ? null : Date.parse(run_at)))
      this.#fault(fault);
  }

  /** An execution that lost its lease cannot change anything. */
  async #reportLate(job: ReferenceJob): Promise<void> {
    const execution_id = job.past.slice(0, job.holder === null ? -1 : undefined).at(-1);
    if (execution_id === undefined) return;
    const shown = await this.#call("POST", `/v1/worker/jobs/${job.id}/heartbeat`, { execution_id });
    if (shown.status !== 409 && shown.status !== 200) this.#wrong("a late heartbeat", shown);
    const result = { late: true };
    const answer = await this.#call<JobJson>("POST", `/v1/worker/jobs/${job.id}/complete`, { execution_id, result });
    // 200 repeats what was accepted once: the agreement afterwards shows that it changed nothing.
    if (answer.status !== 409 && answer.status !== 200) this.#wrong("a late report", answer);
  }

  async #repeat(job: ReferenceJob): Promise<void> {
    const execution_id = job.past.at(-1);
    const same = job.lastReport === "complete" ? "complete" : "fail";
    const other = same === "complete" ? "fail" : "complete";
    const body = (what: string) => (what === "fail" ? { execution_id, error: { message: "no" } } : { execution_id });
    const repeated = await this.#call("POST", `/v1/worker/jobs/${job.id}/${same}`, body(same));
    if (repeated.status !== 200) this.#wrong("the same report again", repeated);
    const contrary = await this.#call("POST", `/v1/worker/jobs/${job.id}/${other}`, body(other));
    if (contrary.status !== 409) this.#wrong("the other report after it", contrary);
  }

  async #cancel(job: ReferenceJob): Promise<void> {
    const answer = await this.#call<JobJson>("POST", `/v1/jobs/${job.id}/cancel`);
    if (answer.status !== (reference.isOver(job) ? 409 : 200)) return this.#wrong(`cancel of ${job.status}`, answer);
    if (!reference.isOver(job)) reference.cancelled(job);
  }

  async #retry(job: ReferenceJob): Promise<void> {
    const answer = await this.#call<JobJson>("POST", `/v1/jobs/${job.id}/retry`);
    const may = job.status === "failed" || job.status === "cancelled";
    if (answer.status !== (may ? 200 : 409)) return this.#wrong(`retry of ${job.status}`, answer);
    if (may) reference.retried(job, Date.parse(answer.body.data.run_at ?? ""));
  }

  async #agree(job: ReferenceJob): Promise<void> {
    const answer = await this.#call<JobJson>("GET", `/v1/jobs/${job.id}`);
    const { status, attempts, result } = answer.body.data;
    const allowed = reference.statusesAt(job, Date.now());
    if (!allowed.includes(status)) return this.#fault(`${job.id} is ${status}, not ${allowed.join(" or ")}`);
    if (status === "queued") job.status = "queued";
    if (attempts !== job.attempts) this.#fault(`${job.id} has had ${attempts} attempts, not ${job.attempts}`);
    if (job.status === "completed" && JSON.stringify(result) !== JSON.stringify(job.result))
      this.#fault(`${job.id} has the result ${JSON.stringify(result)}, not ${JSON.stringify(job.result)}`);
  }

  #call<T>(method: string, path: string, body?: unknown): Promise<TriedAnswer<T>> {
    return this.#tenant.call<T>(method, path, body);
  }

  #wrong(what: string, { status, body }: TriedAnswer): void {
    this.#fault(`${what} was answered ${status} ${JSON.stringify(body)}`);
  }

  #fault(fault: string): void {
    this.faults.push(`model: ${fault}, after ${this.#trail.slice(-12).join(", ")}`);
  }
}
