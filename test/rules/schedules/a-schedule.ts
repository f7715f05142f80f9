// A schedule for tests, and the instants they speak of.

import { plan, type Schedule, type ScheduleSpec } from "../../../src/domain/schedule.ts";
import type { Unit } from "../../../src/domain/schedule-time.ts";
import type { Timing } from "../../../src/domain/timing.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const NOON = Date.UTC(2030, 0, 1, 12);

export const at = (iso: string): number => Date.parse(iso);
export const iso = (moment: number): string => new Date(moment).toISOString();

export const every = (value: number, unit: Unit): Timing => ({
  type: "interval",
  every: { value, unit },
  timeZone: "UTC",
});

export const cron = (expression: string, timeZone = "UTC"): Timing => ({ type: "cron", expression, timeZone });

export const specOf = (timing: Timing, more: Partial<ScheduleSpec> = {}): ScheduleSpec => ({
  name: "a schedule",
  description: null,
  handler: "h",
  timing,
  overlap: "allow",
  runs: null,
  stopAt: null,
  delivery: { type: "pull", queue: null },
  payload: null,
  timeoutSeconds: 30,
  maxRetries: 3,
  backoff: null,
  expiresAfterMs: null,
  tags: [],
  flow: null,
  callbacks: null,
  ...more,
});

/** A schedule made at noon. */
export const scheduleOf = (timing: Timing, more: Partial<ScheduleSpec> = {}): Schedule =>
  plan(specOf(timing, more), { accountId: "a", id: "s", idempotencyKey: null, now: NOON });
