// What the platform and the minute's sweep do for a job, until it has ended: time passes to the next moment somebody
// would ring, and a worker takes what waits.

import { createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Job } from "../../../../src/domain/job.ts";
import worker from "../../../../src/index.ts";
import { api } from "../../../workerd/harness/api.ts";
import { advance, MINUTE, setClock } from "../../../workerd/harness/clock.ts";
import type { JobUnderTest } from "../../../workerd/harness/job.ts";

/** What its owner holds, of this shape or any other. */
export const stateOf = (job: JobUnderTest): Promise<Job | undefined> =>
  runInDurableObject(job.owner, (_, { storage }) => storage.kv.get<Job>("state"));

export const sweepNow = () => worker.scheduled(createScheduledController(), env);

const ENDED = ["completed", "failed", "cancelled"];

/** @returns how long it took, by the clock of the test */
export async function recover(job: JobUnderTest, limitMs = 10 * MINUTE): Promise<number> {
  const startedAt = Date.now();
  while (Date.now() - startedAt < limitMs) {
    const at = await job.alarm();
    const minute = Math.ceil((Date.now() + 1) / MINUTE) * MINUTE;
    if (at !== null && at <= minute) await job.ringAt(Math.max(at, Date.now()));
    else setClock(minute);
    if (at === null || at > minute) await sweepNow();
    await workOnce(job);
    if (ENDED.includes((await job.show()).status)) return Date.now() - startedAt;
  }
  throw new Error(`not at its end after ${limitMs} ms: ${JSON.stringify(await stateOf(job))}`);
}

/** A worker looks in, and completes what it finds. */
async function workOnce({ account }: JobUnderTest): Promise<void> {
  const claimed = await api<{ job_id: string; execution_id: string } | null>("POST", "/v1/worker/jobs/claim", {
    key: account.key,
    body: { handlers: ["work"], wait_time_seconds: 0 },
  });
  if (!claimed.body.data) return;
  const { job_id, execution_id } = claimed.body.data;
  advance(10);
  await api("POST", `/v1/worker/jobs/${job_id}/complete`, { key: account.key, body: { execution_id } });
}
