// A schedule's instance may die at any await of its tick. Whatever the point: the tick has exactly one job, is counted
// once, and the next tick follows.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api, must } from "../../workerd/harness/api.ts";
import { iso, MINUTE, NOON, setClock } from "../../workerd/harness/clock.ts";
import { PUSH } from "../../workerd/harness/job.ts";
import { sweepNow } from "./harness/recovery.ts";
import { type Moment, Tripwire } from "./harness/tripwire.ts";

interface ScheduleJson {
  readonly id: string;
  readonly run_count: number;
  readonly missed_runs: number;
  readonly next_run_at: string | null;
}

/** Is the account served; insert the job; arm it; report the tick. */
const POINTS = ["D1", "D1", "job", "snapshot"] as const;
const FIRST_TICK = NOON + 10 * MINUTE;

let account: Account;
let id: string;
const tripwire = new Tripwire({ namespace: env.JOBS, point: "job" });
beforeEach(async () => {
  account = await newAccount();
  const body = { name: "ticks", interval: { value: 10, unit: "minute" }, delivery: PUSH };
  id = (await must(api<ScheduleJson>("POST", "/v1/schedules", { key: account.key, body }))).id;
  setClock(FIRST_TICK);
});
afterEach(() => tripwire.remove());

const owner = () => env.SCHEDULES.getByName(`${account.id}/${id}`);
const ring = () => runDurableObjectAlarm(owner());
const show = () => must(api<ScheduleJson>("GET", `/v1/schedules/${id}`, { key: account.key }));

describe("a tick", () => {
  it("waits for the calls of the table, and for nothing else", async () => {
    await tripwire.watch(owner(), null);
    await ring();
    expect(tripwire.passed).toEqual(POINTS);
  });

  const moments = POINTS.flatMap((point, i) =>
    (["before", "after"] as const).map((side): Moment & { point: string } => ({ point, call: i + 1, side })),
  );

  it.each(moments)("dies $side call $call ($point), and has one job all the same", async (moment) => {
    await tripwire.watch(owner(), moment);
    await ring().catch(() => {});
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    for (let minute = 1; minute <= 5; minute++) {
      const at = await runInDurableObject(owner(), (_, { storage }) => storage.getAlarm());
      if (at !== null && at <= Date.now()) await ring();
      setClock(FIRST_TICK + minute * MINUTE);
      await sweepNow();
    }
    expect(await show()).toMatchObject({ run_count: 1, missed_runs: 0, next_run_at: iso(FIRST_TICK + 10 * MINUTE) });
    const jobs = await must(api<object[]>("GET", `/v1/jobs?schedule_id=${id}`, { key: account.key }));
    expect(jobs).toHaveLength(1);
  });
});
