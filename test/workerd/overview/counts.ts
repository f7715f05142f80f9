// The overview as a test sees it, and what it must say: the executions one by one, as the API shows them.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../../src/index.ts";
import type { Account } from "../harness/account.ts";
import { advance, MINUTE } from "../harness/clock.ts";
import { type JobUnderTest, newJob } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";

/** Past the post. */
export const projector = () => env.PROJECTORS.get(env.PROJECTORS.idFromName("DB"));

export const flush = () => projector().flush();

/** The cron, with owners that are not woken. */
export const cron = (around: object = {}) =>
  worker.scheduled(createScheduledController(), {
    ...env,
    JOBS: { getByName: () => ({ wake: async () => true }) } as never,
    ...around,
  });

/** Everything that was left uncounted has been counted after this: what owners wrote themselves, too. */
export async function recounted(): Promise<void> {
  await flush();
  await cron(); // a walk that is under way ends
  advance(11 * MINUTE);
  await cron();
  await cron();
}

export interface Sums {
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
}

export interface MinuteRow extends Sums {
  readonly minute: number;
  readonly late_sum: number;
  readonly late_max: number;
}

/** The rows of the minutes, and the total. */
export async function rowsOf({ id }: Account): Promise<MinuteRow[]> {
  const rows = await env.DB.prepare("SELECT * FROM overview WHERE account_id = ? ORDER BY minute")
    .bind(id)
    .all<MinuteRow>();
  return rows.results;
}

const NONE: Sums = { started: 0, completed: 0, failed: 0, retried: 0 };

/** The total, which the minutes must add up to. */
export async function sumsOf(account: Account): Promise<Sums> {
  const rows = await rowsOf(account);
  const of = (some: readonly Sums[]) =>
    some.reduce(
      (sum, { started, completed, failed, retried }) => ({
        started: sum.started + started,
        completed: sum.completed + completed,
        failed: sum.failed + failed,
        retried: sum.retried + retried,
      }),
      NONE,
    );
  const total = of(rows.filter(({ minute }) => minute === 0));
  const minutes = of(rows.filter(({ minute }) => minute > 0));
  if (JSON.stringify(total) !== JSON.stringify(minutes))
    throw new Error(`the minutes ${JSON.stringify(minutes)} are not the total ${JSON.stringify(total)}`);
  return total;
}

/** What the executions say. A job that is over says how its last one was meant. */
export async function truthOf(...jobs: readonly JobUnderTest[]): Promise<Sums> {
  const sum = { ...NONE } as { -readonly [K in keyof Sums]: number };
  for (const job of jobs) {
    const { status } = await job.show();
    const all = await job.executions();
    for (const [i, one] of all.entries()) {
      if (one.started_at === null || one.completed_at === null) continue;
      sum.started += 1;
      if (one.status === "completed") sum.completed += 1;
      else if (one.status !== "cancelled") {
        const next = all[i + 1]?.trigger;
        const isEnd = next === undefined ? status === "failed" : next === "manual_retry";
        sum[isEnd ? "failed" : "retried"] += 1;
      }
    }
  }
  return sum;
}

export interface GroupRow {
  readonly slot: number;
  readonly error_code: string;
  readonly handler: string;
  readonly host: string;
  readonly count: number;
  readonly last_at: number;
  readonly job_id: string;
}

export async function groupsOf({ id }: Account): Promise<GroupRow[]> {
  const rows = await env.DB.prepare(
    "SELECT * FROM failures WHERE account_id = ? ORDER BY slot, error_code, handler, host",
  )
    .bind(id)
    .all<GroupRow>();
  return rows.results;
}

/** Epochs that nobody has flushed and nobody has claimed. */
export async function openEpochs(): Promise<number> {
  const row = await env.DB.prepare("SELECT count(*) AS n FROM tally_epochs WHERE claimed_at IS NULL").first<{
    n: number;
  }>();
  return row?.n ?? 0;
}

/** A job whose attempts are answered like this, until it has ended. */
export async function jobThatMeets(account: Account, ...answers: number[]): Promise<JobUnderTest> {
  receiver.answers(...answers);
  const job = await newJob(account);
  await job.ring();
  for (let left = answers.length - 1; left > 0; left--) await job.ringWhenSet();
  return job;
}
