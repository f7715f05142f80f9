// A client of the service with nothing between it and the wire.

import type { showExecution, showJob } from "../../src/domain/show-job.ts";
import type { showSchedule } from "../../src/domain/show-schedule.ts";
import { until } from "./until.ts";

export type Job = ReturnType<typeof showJob>;
export type Execution = ReturnType<typeof showExecution>;
export type Schedule = ReturnType<typeof showSchedule>;

/** What a claim answers. */
export interface Claimed {
  readonly job_id: string;
  readonly execution_id: string;
  readonly handler: string;
  readonly attempt: number;
  readonly scheduled_for: string;
  readonly payload: unknown;
  readonly timeout: number;
  readonly lease_expires_at: string;
}

export interface Envelope<T> {
  readonly success: boolean;
  readonly message: string;
  readonly data: T;
  readonly meta: { readonly paging: { readonly page: number; readonly total: number } };
  readonly code: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Envelope<T>;
}

interface Account {
  readonly url: string;
  readonly id: string;
  readonly apiKey: string;
  readonly signingSecret: string;
}

/** On a machine that is busy with other things. */
const SOON_MS = 30_000;
/** A key may ask a hundred times in ten seconds. */
const LOOK_EVERY_MS = 250;

export class Tenant {
  readonly url: string;
  readonly id: string;
  readonly apiKey: string;
  readonly signingSecret: string;

  constructor({ url, id, apiKey, signingSecret }: Account) {
    this.url = url;
    this.id = id;
    this.apiKey = apiKey;
    this.signingSecret = signingSecret;
  }

  /** The same account under a key that is there already, or is not. */
  withKey(apiKey: string): Tenant {
    return new Tenant({ ...this, apiKey });
  }

  /** The same account under another key, with a rate limit of its own. */
  async anotherKey(): Promise<Tenant> {
    return this.withKey((await this.post<{ key: string }>("/v1/api-keys", { name: "another" })).key);
  }

  moreKeys(count: number): Promise<Tenant[]> {
    return Promise.all(Array.from({ length: count }, () => this.anotherKey()));
  }

  call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    headers?: Record<string, string>,
  ): Promise<Answer<T>> {
    return this.send(method, path, body === undefined ? null : JSON.stringify(body), signal, headers);
  }

  /** The body as it stands, be it JSON or not. */
  async send<T = unknown>(
    method: string,
    path: string,
    body: string | null,
    signal = AbortSignal.timeout(60_000),
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        Authorization: `Bearer ${this.apiKey}`,
        ...(body !== null && { "Content-Type": "application/json" }),
        ...headers,
      },
      body,
      signal,
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Envelope<T> };
  }

  /** The data of an answer that must be a success. */
  async get<T>(path: string): Promise<T> {
    return must(`GET ${path}`, await this.call<T>("GET", path));
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    return must(`POST ${path}`, await this.call<T>("POST", path, body));
  }

  create(job: object): Promise<Job> {
    return this.post("/v1/jobs", { name: "a job", ...job });
  }

  /** As any other answer shows it: without what it waits on. */
  async job(id: string): Promise<Job> {
    const { waiting_on: _, ...job } = await this.get<Job & { waiting_on?: unknown }>(`/v1/jobs/${id}`);
    return job;
  }

  executions(id: string): Promise<Execution[]> {
    return this.get(`/v1/jobs/${id}/executions?size=100`);
  }

  /** The job, once it stands like this. */
  async whenIt(is: Job["status"], id: string, limitMs = SOON_MS): Promise<Job> {
    let job = await this.job(id);
    const stands = async () => {
      if (job.status !== is) job = await this.job(id);
      return job.status === is;
    };
    await until(stands, limitMs, () => `Never ${is}: ${JSON.stringify(job)}`, LOOK_EVERY_MS);
    return job;
  }

  /** One poll: the job it was given, or null. */
  claim(handler: string, waitSeconds = 20): Promise<Claimed | null> {
    return this.post("/v1/worker/jobs/claim", { handlers: [handler], wait_time_seconds: waitSeconds });
  }

  /** A poll that must be given a job. */
  async mustClaim(handler: string, waitSeconds = 20): Promise<Claimed> {
    const claimed = await this.claim(handler, waitSeconds);
    if (!claimed) throw new Error(`No job for ${handler} within ${waitSeconds} s`);
    return claimed;
  }

  /** A worker's word on what it has claimed, as it was answered. */
  say<T = unknown>(
    what: "start" | "complete" | "fail" | "heartbeat",
    { job_id, execution_id }: Pick<Claimed, "job_id" | "execution_id">,
    more: object = what === "fail" ? { error: { message: "it failed" } } : {},
  ): Promise<Answer<T>> {
    return this.call("POST", `/v1/worker/jobs/${job_id}/${what}`, { execution_id, ...more });
  }
}

function must<T>(what: string, { status, body }: Answer<T>): T {
  if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
  return body.data;
}
