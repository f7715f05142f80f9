// A bulk action's object may die at any await of its alarm, and at any of its jobs'. Whatever the point: each job is changed once,
// and the numbers are those of a walk on which nobody died.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BulkActionUnderTest, LATER, newBulkAction, SOON } from "../../workerd/bulk-actions/bulk-action.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { advance, MINUTE, SECOND } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { PlatformAlarm, shortPausesPass } from "./harness/platform.ts";
import { type Moment, Tripwire } from "./harness/tripwire.ts";

/** So few calls that a page has two jobs, and a ring one page. */
const SUBREQUESTS = "15";

let account: Account;
const tripwire = new Tripwire("JOBS");
const bindings = env as { SUBREQUESTS: string };
const { SUBREQUESTS: usual } = bindings;
beforeEach(() => {
  shortPausesPass();
  bindings.SUBREQUESTS = SUBREQUESTS;
});
afterEach(() => {
  tripwire.remove();
  bindings.SUBREQUESTS = usual;
});

const made = {
  far: () => newJob(account, LATER),
  near: () => newJob(account, SOON),
  retrying: async () => {
    receiver.answers(500);
    const job = await newJob(account, { backoff: { type: "list", delays: [86_400] } });
    await job.ring();
    return job;
  },
  failed: async () => {
    receiver.answers(400);
    const job = await newJob(account);
    await job.ring();
    return job;
  },
  cancelled: async () => {
    const job = await newJob(account, SOON);
    await job.cancel();
    return job;
  },
  completed: async () => {
    receiver.answers(200);
    const job = await newJob(account);
    await job.ring();
    return job;
  },
} as const;

type Kind = keyof typeof made;

const SCENARIOS: readonly [action: string, jobs: readonly Kind[], numbers: object][] = [
  ["cancel", ["far", "completed", "near", "retrying", "far"], { matched: 5, done: 4, skipped: 1, failed: 0 }],
  ["run", ["far", "completed", "near", "retrying", "far"], { matched: 5, done: 4, skipped: 1, failed: 0 }],
  ["retry", ["failed", "near", "cancelled", "failed"], { matched: 4, done: 3, skipped: 1, failed: 0 }],
  ["delete", ["failed", "near", "cancelled", "completed"], { matched: 4, done: 3, skipped: 1, failed: 0 }],
];

/** Rings until it is over: at once after a death, as the platform does. */
async function walk(bulk: BulkActionUnderTest, alarm: PlatformAlarm): Promise<void> {
  for (let ring = 0; (await bulk.alarm()) !== null; ring++) {
    if (ring > 30) throw new Error("it comes to no end");
    await alarm.ring();
  }
}

/** What is left of a job: enough to see whether it was changed twice. */
async function traceOf(job: JobUnderTest): Promise<object | null> {
  const { status, body } = await job.call("GET");
  return status === 200 ? { status: body.data.status, revision: body.data.revision } : null;
}

/** @returns what is left of the jobs, the calls that were made, and the numbers */
async function scenario(action: string, kinds: readonly Kind[], moment: Moment | null) {
  account = await newAccount();
  const jobs: JobUnderTest[] = [];
  for (const kind of kinds) {
    jobs.push(await made[kind]());
    advance(SECOND);
  }
  advance(MINUTE);
  const bulk = await newBulkAction(account, { action, filter: { all: true } });
  await tripwire.watch(bulk.owner, moment);
  const sent = receiver.received.length;
  await walk(bulk, new PlatformAlarm(bulk));
  const calls = [...tripwire.passed];
  tripwire.remove();
  const { status, matched, done, skipped, failed } = await bulk.show();
  const traces = await Promise.all(jobs.map(traceOf));
  return { calls, traces, numbers: { matched, done, skipped, failed }, status, sent: receiver.received.length - sent };
}

describe.each(SCENARIOS)("%s", (action, kinds, numbers) => {
  it("changes each job once, and counts truthfully, wherever its object dies", { timeout: 120_000 }, async () => {
    const whole = await scenario(action, kinds, null);
    expect(whole).toMatchObject({ numbers, status: "completed", sent: 0 });
    expect(whole.calls.length).toBeGreaterThan(15);
    for (let call = 1; call <= whole.calls.length; call++)
      for (const side of ["before", "after"] as const) {
        const { traces, numbers: counted, status } = await scenario(action, kinds, { call, side });
        const where = `${side} call ${call} of ${whole.calls.length}`;
        expect(tripwire.hasKilled, where).toBe(true);
        expect({ status, counted, traces }, where).toEqual({
          status: "completed",
          counted: whole.numbers,
          traces: whole.traces,
        });
      }
  });
});
