// One schedule as a test sees it: over the API, in its owner's storage, in the read model, and in the jobs it makes.

import { createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { and, asc, eq } from "drizzle-orm";
import type { Schedule } from "../../../src/domain/schedule.ts";
import type { showSchedule } from "../../../src/domain/show-schedule.ts";
import worker from "../../../src/index.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import { jobs, schedules } from "../../../src/store/schema.ts";
import type { Account } from "../harness/account.ts";
import { api, type JobJson, must } from "../harness/api.ts";
import { OwnerUnderTest } from "../harness/owner.ts";

export type ScheduleJson = ReturnType<typeof showSchedule>;
export interface TickJson {
  readonly utc: string;
  readonly local: string;
}

export class ScheduleUnderTest extends OwnerUnderTest<Schedule> {
  readonly account: Account;
  readonly id: string;

  constructor(account: Account, id: string) {
    super();
    this.account = account;
    this.id = id;
  }

  get ref() {
    return { accountId: this.account.id, scheduleId: this.id };
  }

  get owner() {
    return env.SCHEDULES.getByName(`${this.account.id}/${this.id}`);
  }

  call<T = ScheduleJson>(
    method: "GET" | "PATCH" | "POST",
    action = "",
    body?: unknown,
    headers: Record<string, string> = {},
  ) {
    return api<T>(method, `/v1/schedules/${this.id}${action}`, { key: this.account.key, body, headers });
  }

  show = (): Promise<ScheduleJson> => must(this.call("GET"));
  patch = (body: unknown, headers: Record<string, string> = {}) => this.call("PATCH", "", body, headers);
  pause = () => this.call("POST", "/pause");
  resume = () => this.call("POST", "/resume");
  trigger = () => this.call<JobJson>("POST", "/trigger");
  archive = () => this.call("POST", "/archive");
  preview = (query = "") => this.call<TickJson[]>("GET", `/preview${query}`);

  wake = (): Promise<boolean> => this.owner.wake(this.ref);

  /** The platform loses the alarm. */
  loseAlarm = (): Promise<void> => runInDurableObject(this.owner, (_, { storage }) => storage.deleteAlarm());

  async ringWhenSet(): Promise<void> {
    await this.ringAt((await this.alarm()) ?? 0);
  }

  row = () =>
    directoryOf(env)
      .select()
      .from(schedules)
      .where(and(eq(schedules.accountId, this.account.id), eq(schedules.id, this.id)))
      .get();

  deleteRow = () =>
    directoryOf(env)
      .delete(schedules)
      .where(and(eq(schedules.accountId, this.account.id), eq(schedules.id, this.id)));

  /** The rows of the jobs it has made, by their tick. */
  jobs = () =>
    directoryOf(env)
      .select()
      .from(jobs)
      .where(and(eq(jobs.accountId, this.account.id), eq(jobs.scheduleId, this.id)))
      .orderBy(asc(jobs.scheduledFor))
      .all();

  /** The ticks that have a job. One that had two would be here twice. */
  ticks = async (): Promise<number[]> => (await this.jobs()).map(({ scheduledFor }) => scheduledFor);
}

export const HOURLY = { interval: { value: 1, unit: "hour" } } as const;

export const postSchedule = (account: Account, body: Record<string, unknown> = HOURLY) =>
  api<ScheduleJson>("POST", "/v1/schedules", {
    key: account.key,
    body: { name: "a schedule", handler: "h", ...body },
  });

export async function newSchedule(account: Account, body: Record<string, unknown> = HOURLY) {
  return new ScheduleUnderTest(account, (await must(postSchedule(account, body))).id);
}

/** A schedule whose owner has not heard of it: the wake was lost. */
export async function unheardSchedule(account: Account, body: Record<string, unknown> = HOURLY) {
  const deaf = { getByName: () => ({ wake: () => Promise.reject(new Error("lost")) }) };
  const made = await must(
    api<ScheduleJson>("POST", "/v1/schedules", {
      key: account.key,
      body: { name: "a schedule", handler: "h", ...body },
      env: { SCHEDULES: deaf },
    }),
  );
  return new ScheduleUnderTest(account, made.id);
}

/** Rings the cron: the sweeper goes round. */
export const sweep = () => worker.scheduled(createScheduledController(), env);
