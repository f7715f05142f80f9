// What the platform and the minute's sweep do for a job, until it has ended: time passes to the next moment somebody
// would ring, and a worker takes what waits.

import { createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Job } from "../../../../src/domain/job.ts";
import worker from "../../../../src/index.ts";
import { api } from "../../../workerd/harness/api.ts";
import { advance, MINUTE, setClock } from "../../../workerd/harness/clock.ts";
import type { JobUnderTest } from "../../../workerd/harness/job.ts";
import { claim } from "../../../workerd/pull/worker.ts";
import { PlatformAlarm } from "./platform.ts";

/** What its owner holds, of this shape or any other. */
export const stateOf = (job: JobUnderTest): Promise<Job | undefined> =>
  runInDurableObject(job.owner, (_, { storage }) => storage.kv.get<Job>("state"));

export const sweepNow = () => worker.scheduled(createScheduledController(), env);

/** The next full minute, when the cron rings. */
export const nextMinute = () => Math.ceil((Date.now() + 1) / MINUTE) * MINUTE;

const ENDED = ["completed", "failed", "cancelled"];

/** @returns how long it took, by the clock of the test */
export async function recover(
  job: JobUnderTest,
  { limitMs = 10 * MINUTE, alarm = new PlatformAlarm(job) } = {},
): Promise<number> {
  const startedAt = Date.now();
  while (Date.now() - startedAt < limitMs) {
    if (await hasEnded(job)) return Date.now() - startedAt;
    const at = await job.alarm();
    const minute = nextMinute();
    if (at !== null && at <= minute) await alarm.ring();
    else {
      setClock(minute);
      await sweepNow();
    }
    await workOnce(job);
  }
  throw new Error(`not at its end after ${limitMs} ms: ${JSON.stringify(await stateOf(job))}`);
}

/** A job whose row is gone has not: its owner restores it. */
async function hasEnded(job: JobUnderTest): Promise<boolean> {
  const { status, body } = await job.call("GET");
  return status === 200 && ENDED.includes(body.data.status);
}

/** A worker looks in, and completes what it finds. */
async function workOnce({ account }: JobUnderTest): Promise<void> {
  const claimed = await claim<{ job_id: string; execution_id: string } | null>(account, {});
  if (!claimed.body.data) return;
  const { job_id, execution_id } = claimed.body.data;
  advance(10);
  await api("POST", `/v1/worker/jobs/${job_id}/complete`, { key: account.key, body: { execution_id } });
}
