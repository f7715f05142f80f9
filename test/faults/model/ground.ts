// What all acts of a walk share: the account, the jobs as the reference has them, and the look whether the service agrees.

import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../../harness/service.ts";
import { holdsWithin } from "../../harness/until.ts";
import type { Chance } from "../harness/chance.ts";
import { crash } from "../harness/crash.ts";
import type { PatientTenant, TriedAnswer } from "../harness/patient-tenant.ts";
import type { ReferenceJob } from "./reference.ts";
import * as reference from "./reference.ts";

/** A due job may take so long to reach the polls; after a kill, what the queue has lost is offered again in a minute. */
const SETTLE_MS = 5_000;
const SETTLE_AFTER_KILL_MS = 75_000;

/** A job as the API shows it. */
export interface JobJson {
  readonly id: string;
  readonly status: string;
  readonly idempotency_key: string | null;
  readonly scheduled_for: string;
  readonly run_at: string | null;
  readonly expires_at: string | null;
  readonly completed_at: string | null;
  readonly last_error: { readonly code: string } | null;
  readonly attempts: number;
  readonly result: unknown;
  readonly revision: number;
}

/** What can be done at a step, the more often the higher its weight. */
export type Act =
  | { readonly weight: number; readonly run: () => Promise<void> }
  | {
      readonly weight: number;
      readonly fits: (job: ReferenceJob) => boolean;
      readonly to: (job: ReferenceJob) => Promise<void>;
    };

export type Acts = Readonly<Record<string, Act>>;

export class Ground {
  readonly jobs: ReferenceJob[] = [];
  /** Jobs that were deleted. */
  readonly gone: ReferenceJob[] = [];
  claims = 0;
  readonly faults: string[] = [];
  readonly trail: string[] = [];
  readonly chance: Chance;
  readonly #service: Service;
  readonly #tenant: PatientTenant;
  #killedAt = 0;

  constructor(service: Service, tenant: PatientTenant, chance: Chance) {
    this.#service = service;
    this.#tenant = tenant;
    this.chance = chance;
  }

  get secrets(): string[] {
    return this.#tenant.secrets;
  }

  /** How long what is due may take to be seen. */
  get settleMs(): number {
    return Date.now() - this.#killedAt < SETTLE_AFTER_KILL_MS ? SETTLE_AFTER_KILL_MS : SETTLE_MS;
  }

  call<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TriedAnswer<T>> {
    return this.#tenant.call<T>(method, path, body, headers);
  }

  async kill(): Promise<void> {
    this.trail.push("kill");
    this.#killedAt = Date.now();
    await crash(this.#service);
    this.#killedAt = Date.now();
  }

  wrong(what: string, { status, body }: TriedAnswer): void {
    this.fault(`${what} was answered ${status} ${JSON.stringify(body)}`);
  }

  fault(fault: string): void {
    this.faults.push(`model: ${fault}, after ${this.trail.slice(-12).join(", ")}`);
  }

  /** Waits for the end of a job that has no time left: until the service has said so, nobody knows on which side of it we are. */
  async letExpire(job: ReferenceJob): Promise<void> {
    if (!reference.expiresBy(job, Date.now() + reference.SLACK_MS)) return;
    const expiresAt = job.expiresAt ?? 0;
    await sleep(Math.max(0, expiresAt - Date.now()));
    let shown: JobJson | undefined;
    const hasExpired = async () => {
      shown = (await this.call<JobJson>("GET", `/v1/jobs/${job.id}`)).body.data;
      return shown.status === "failed";
    };
    const isTold = await holdsWithin(this.settleMs, hasExpired, 200);
    const endedAt = Date.parse(shown?.completed_at ?? "");
    if (!isTold || shown?.last_error?.code !== "expired" || endedAt < expiresAt)
      this.fault(`${job.id} has not expired at ${expiresAt}: ${JSON.stringify(shown)}`);
    reference.expired(job);
  }

  async agree(job: ReferenceJob): Promise<void> {
    await this.letExpire(job);
    const answer = await this.call<JobJson>("GET", `/v1/jobs/${job.id}`);
    if (answer.status !== 200) return this.wrong(`reading ${job.status} ${job.id}`, answer);
    this.#agreesWith(job, answer.body.data);
    if (answer.body.data.status === "queued") job.status = "queued";
  }

  #agreesWith(job: ReferenceJob, shown: JobJson): void {
    const wrong = (what: string, is: unknown, wanted: unknown) =>
      this.fault(`${job.id} has the ${what} ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`);
    const allowed = reference.statusesAt(job, Date.now());
    if (!allowed.includes(shown.status)) wrong("status", shown.status, allowed);
    const moment = (at: number | null) => (at === null ? null : new Date(at).toISOString());
    const wanted: Record<string, unknown> = {
      ...job.asked,
      idempotency_key: job.key,
      scheduled_for: moment(job.scheduledFor),
      expires_at: moment(job.expiresAt),
      attempts: job.attempts,
      ...(job.status === "completed" && { result: job.result }),
      ...(job.status === "waiting" && { run_at: moment(job.runAt) }),
      ...(reference.isOver(job) && { run_at: null }),
    };
    for (const [field, value] of Object.entries(wanted)) {
      const is = shown[field as keyof JobJson];
      if (JSON.stringify(is) !== JSON.stringify(value)) wrong(field, is, value);
    }
  }

  /** Whom a list shows with its key is the job as it was answered a moment ago. */
  async isListed(job: ReferenceJob, shown: JobJson): Promise<void> {
    if (job.key === null) return;
    const listed = await this.call<JobJson[]>("GET", `/v1/jobs?idempotency_key=${job.key}`);
    const [found] = listed.body.data;
    // What has become due since moves on without a report.
    if (found?.id !== job.id || found.revision < shown.revision)
      this.fault(`the list shows ${JSON.stringify(found)} where ${JSON.stringify(shown)} was answered`);
    else if (found.revision === shown.revision && JSON.stringify(found) !== JSON.stringify(shown))
      this.fault(`the list and the answer differ: ${JSON.stringify([found, shown])}`);
  }

  /** Once more, each of them: their owners, and in the end their rows. */
  async agreeOnAll(): Promise<void> {
    for (const job of this.jobs) await this.agree(job);
    for (const { id } of this.gone) {
      const answer = await this.call("GET", `/v1/jobs/${id}`);
      if (answer.status !== 404) this.wrong("reading a deleted job", answer);
    }
    const differing = async () => {
      const rows = await this.#rows();
      const all: string[] = [];
      for (const { id } of this.jobs) {
        const shown = (await this.call<JobJson>("GET", `/v1/jobs/${id}`)).body.data;
        const row = rows.get(id);
        if (row === undefined || lasting(row) !== lasting(shown)) all.push(JSON.stringify([row, shown]));
      }
      if (rows.size !== this.jobs.length) all.push(`${rows.size} rows of ${this.jobs.length} jobs`);
      return all;
    };
    let left: string[] = [];
    const doAgree = async () => {
      left = await differing();
      return left.length === 0;
    };
    await holdsWithin(2 * SETTLE_AFTER_KILL_MS, doAgree, 5_000);
    for (const one of left) this.fault(`a row and its owner differ in the end: ${one}`);
  }

  /** A webhook that asks for all events of jobs; called before the first of them. */
  async listenTo(url: string): Promise<void> {
    const events = ["job.completed", "job.failed", "job.cancelled", "job.recovered"];
    const made = await this.call("POST", "/v1/webhooks", { url, events });
    if (made.status !== 201) this.wrong("webhook", made);
  }

  /** Each end that the reference knows of has its events, of jobs that were deleted too, and there are no others. */
  async agreeOnEvents(): Promise<void> {
    let left: string[] = [];
    const doAgree = async () => {
      for (const job of this.jobs) await this.letExpire(job);
      const made = await this.#events();
      const wanted = new Map([...this.jobs, ...this.gone].map(({ id, events }) => [id, events.toSorted().join()]));
      left = [...new Set([...made.keys(), ...wanted.keys()])].flatMap((id) => {
        const is = (made.get(id) ?? []).toSorted().join();
        return is === (wanted.get(id) ?? "") ? [] : [`${id} has the events ${is}, not ${wanted.get(id)}`];
      });
      return left.length === 0;
    };
    await holdsWithin(2 * SETTLE_AFTER_KILL_MS, doAgree, 2_000);
    for (const one of left) this.fault(one);
  }

  /** The types of the events there are, by the job they speak of. */
  async #events(): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    for (let page = 1; ; page++) {
      type EventJob = { readonly name: string; readonly tags: readonly string[] };
      const { data, meta } = (await this.call<EventJob[]>("GET", `/v1/jobs?origin=event&size=100&page=${page}`)).body;
      for (const { name, tags } of data) {
        const id = tags.find((tag) => tag.startsWith("job:"))?.slice("job:".length) ?? "";
        found.set(id, [...(found.get(id) ?? []), name]);
      }
      if (page * 100 >= meta.paging.total) return found;
    }
  }

  async #rows(): Promise<Map<string, JobJson>> {
    const rows = new Map<string, JobJson>();
    for (let page = 1; ; page++) {
      const { data, meta } = (await this.call<JobJson[]>("GET", `/v1/jobs?size=100&page=${page}`)).body;
      for (const row of data) rows.set(row.id, row);
      if (page * 100 >= meta.paging.total) return rows;
    }
  }
}

/** A heartbeat, and being taken up by an owner, count the revision up and are no news. */
const lasting = ({ revision, waiting_on, ...job }: JobJson & { waiting_on?: unknown }): string =>
  JSON.stringify({ ...job, updated_at: null });
