// One job as a test sees it: over the API, in its owner's storage, and in the read model.

import { env } from "cloudflare:workers";
import { and, asc, eq } from "drizzle-orm";
import type { Job } from "../../../src/domain/job.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import { executions, jobs } from "../../../src/store/schema.ts";
import type { Account } from "./account.ts";
import { api, type Call, type ExecutionJson, type JobJson, must } from "./api.ts";
import { OwnerUnderTest } from "./owner.ts";
import { TARGET } from "./receiver.ts";

export const PUSH = { type: "push", http: { url: TARGET, method: "POST" } } as const;

export class JobUnderTest extends OwnerUnderTest<Job> {
  readonly account: Account;
  readonly id: string;

  constructor(account: Account, id: string) {
    super();
    this.account = account;
    this.id = id;
  }

  get ref() {
    return { accountId: this.account.id, jobId: this.id };
  }

  get owner() {
    return env.JOBS.getByName(`${this.account.id}/${this.id}`);
  }

  call<T = JobJson>(method: "GET" | "POST" | "PATCH" | "DELETE", action = "", body?: unknown, more: Call = {}) {
    return api<T>(method, `/v1/jobs/${this.id}${action}`, { key: this.account.key, body, ...more });
  }

  /** The job as any other answer shows it: without what it waits on. */
  async show(): Promise<JobJson> {
    const { waiting_on: _, ...job } = await must(this.call<JobJson & { waiting_on?: unknown }>("GET"));
    return job;
  }
  executions = (): Promise<ExecutionJson[]> => must(this.call<ExecutionJson[]>("GET", "/executions"));
  cancel = () => this.call("POST", "/cancel");
  retry = () => this.call("POST", "/retry");
  run = () => this.call("POST", "/run");
  edit = (body: Record<string, unknown>, more: Call = {}) => this.call("PATCH", "", body, more);
  remove = (more: Call = {}) => this.call<null>("DELETE", "", undefined, more);

  /** Rings the alarm at the moment it is set for. */
  async ringWhenSet(): Promise<void> {
    const at = await this.alarm();
    if (at === null) throw new Error("no alarm is set");
    await this.ringAt(at);
  }

  /** Rings the alarm, each time it is set, until the owner has let go. */
  async ringUntilEmpty(): Promise<void> {
    for (let ring = 0; ring < 5 && !(await this.isEmpty()); ring++) await this.ringWhenSet();
    if (!(await this.isEmpty())) throw new Error("its owner still holds the job");
  }

  row = () =>
    directoryOf(env)
      .select()
      .from(jobs)
      .where(and(eq(jobs.accountId, this.account.id), eq(jobs.id, this.id)))
      .get();

  executionRows = () =>
    directoryOf(env)
      .select()
      .from(executions)
      .where(and(eq(executions.accountId, this.account.id), eq(executions.jobId, this.id)))
      .orderBy(asc(executions.attempt))
      .all();

  /** Takes the row out of the read model. */
  deleteRow = () =>
    directoryOf(env)
      .delete(jobs)
      .where(and(eq(jobs.accountId, this.account.id), eq(jobs.id, this.id)));
}

export const postJob = (account: Account, body: Record<string, unknown> = {}) =>
  api<JobJson>("POST", "/v1/jobs", { key: account.key, body: { name: "a job", delivery: PUSH, ...body } });

/** A push job that is due at once unless told otherwise. */
export async function newJob(account: Account, body: Record<string, unknown> = {}): Promise<JobUnderTest> {
  return new JobUnderTest(account, (await must(postJob(account, body))).id);
}

/** A job inserted without its owner having heard of it: the `arm` was lost. */
export async function unarmedJob(account: Account, body: Record<string, unknown> = {}): Promise<JobUnderTest> {
  const deaf = { getByName: () => ({ arm: () => Promise.reject(new Error("lost")) }) };
  const made = await must(
    api<JobJson>("POST", "/v1/jobs", {
      key: account.key,
      body: { name: "a job", delivery: PUSH, ...body },
      env: { JOBS: deaf },
    }),
  );
  return new JobUnderTest(account, made.id);
}
