// One flow as a test sees it: over the API, in its object's storage, and in what its jobs do.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Flow } from "../../../src/domain/flow.ts";
import type { showFlow } from "../../../src/domain/show-flow.ts";
import type { Account } from "../harness/account.ts";
import { api, type Call, must } from "../harness/api.ts";
import { advance, until } from "../harness/clock.ts";
import { type JobUnderTest, newJob } from "../harness/job.ts";
import { OwnerUnderTest } from "../harness/owner.ts";
import { receiver } from "../harness/receiver.ts";

export type FlowJson = ReturnType<typeof showFlow>;

export class FlowUnderTest extends OwnerUnderTest<Flow> {
  readonly account: Account;
  readonly key: string;

  constructor(account: Account, key = "calls") {
    super();
    this.account = account;
    this.key = key;
  }

  get ref() {
    return { accountId: this.account.id, key: this.key };
  }

  get owner() {
    return env.FLOWS.getByName(`${this.account.id}/${this.key}`);
  }

  call = <T = FlowJson>(method: "GET" | "PUT" | "POST" | "DELETE", action = "", body?: unknown, more: Call = {}) =>
    api<T>(method, `/v1/flows/${encodeURIComponent(this.key)}${action}`, { key: this.account.key, body, ...more });

  put = (body: Record<string, unknown>) => must(this.call("PUT", "", body));
  get = (): Promise<FlowJson> => must(this.call("GET"));
  pause = () => must(this.call("POST", "/pause"));
  resume = () => must(this.call("POST", "/resume"));
  remove = () => must(this.call<null>("DELETE"));

  /** The attempts that hold a slot, and those in line: what is stored. */
  tables = (): Promise<{ slots: string[]; line: string[] }> =>
    runInDurableObject(this.owner, (_, { storage }) => {
      const idsOf = (table: string, order: string) =>
        storage.sql
          .exec(`SELECT job_id FROM ${table} ORDER BY ${order}`)
          .toArray()
          .map(({ job_id }) => String(job_id));
      return { slots: idsOf("slots", "job_id"), line: idsOf("line", "due_at, job_id") };
    });

  /** Whether nothing at all is stored, in its tables neither. */
  isGone = (): Promise<boolean> =>
    runInDurableObject(this.owner, async (_, { storage }) => {
      const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE name IN ('line', 'slots')").toArray();
      return tables.length === 0 && [...storage.kv.list()].length === 0 && (await storage.getAlarm()) === null;
    });
}

/** A job of the flow that is due at once. */
export const jobIn = (flow: FlowUnderTest, body: Record<string, unknown> = {}): Promise<JobUnderTest> =>
  newJob(flow.account, { flow: flow.key, ...body });

/** Jobs of the flow that have asked it, one after the other. Each is due a millisecond after the one before. */
export async function jobsIn(flow: FlowUnderTest, count: number, body: Record<string, unknown> = {}) {
  const jobs: JobUnderTest[] = [];
  for (let n = 0; n < count; n++) {
    advance(1);
    const job = await jobIn(flow, body);
    await job.ring();
    jobs.push(job);
  }
  return jobs;
}

/** A job that is at the target until it is let go. */
export async function runningIn(flow: FlowUnderTest, body: Record<string, unknown> = {}) {
  const held = receiver.holds();
  const job = await jobIn(flow, body);
  const rung = job.ring();
  await held.arrived();
  receiver.answers(200);
  const end = async (status: number) => {
    held.release(status);
    await rung;
  };
  return { job, end };
}

/** Waits until the flow has called the job: its alarm is due now. */
export async function isCalled(job: JobUnderTest): Promise<void> {
  await until(async () => ((await job.stored())?.claim?.turnAt ?? null) !== null);
}

export const pathsOf = () => receiver.received.map(({ body }) => JSON.parse(body).job_id as string);
