// What a tick has come to, as everybody agrees on it.

import { expect } from "vitest";
import { iso } from "../harness/clock.ts";
import { JobUnderTest } from "../harness/job.ts";
import type { ScheduleUnderTest } from "./schedule.ts";

/** These ticks have one job each, counted once. */
export async function hasRun(schedule: ScheduleUnderTest, ticks: readonly number[], missed = 0): Promise<void> {
  expect(await schedule.ticks()).toEqual(ticks);
  expect(await schedule.show()).toMatchObject({
    run_count: ticks.length,
    missed_runs: missed,
    last_run_at: ticks.length === 0 ? null : iso(ticks.at(-1) ?? 0),
  });
}

/** The job is in the hands of its owner. */
export async function isArmed(schedule: ScheduleUnderTest, which = 0): Promise<void> {
  const job = (await schedule.jobs())[which];
  expect(await new JobUnderTest(schedule.account, job?.id ?? "").stored()).toMatchObject({ id: job?.id });
}
