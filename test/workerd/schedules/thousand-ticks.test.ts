// A thousand ticks with fifty faults among them: exactly one job for each. The seed in the test's name says which
// faults: written in place of the chance below, it brings them back (workerd sees no environment variable).

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { MAX_STAGGER_MS } from "../../../src/domain/stagger.ts";
import type { ScheduleObject } from "../../../src/objects/schedule/schedule-object.ts";
import { newAccount } from "../harness/account.ts";
import { NOON, SECOND, setClock } from "../harness/clock.ts";
import { answerLost, databaseDown, OVERLOADED } from "../harness/database.ts";
import { failAt, gapAt, JOB_INSERT } from "./faults.ts";
import { newSchedule, type ScheduleUnderTest, sweep } from "./schedule.ts";

const TICKS = 1_000;
const FAULTS = 50;
const STEP = 10 * SECOND;
const seed = Math.trunc(Math.random() * 2 ** 31);

/** A small generator of chance that can be repeated (mulberry32). */
function chanceOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What goes wrong at a tick. What is due a moment later is rung for by the test, as the platform would. */
const FAULT: Record<string, (schedule: ScheduleUnderTest) => Promise<unknown>> = {
  "D1 is down": async (schedule) => {
    const outage = databaseDown();
    await schedule.ring();
    outage.end();
  },
  "the insert fails": async (schedule) => {
    failAt("before", JOB_INSERT);
    await schedule.ring();
  },
  "the insert's answer is lost": async (schedule) => {
    const lost = answerLost(JOB_INSERT, OVERLOADED, { blind: true });
    await schedule.ring();
    lost.end();
  },
  "the owner dies before the insert": (schedule) => dies(schedule, "before"),
  "the owner dies after the insert": (schedule) => dies(schedule, "after"),
  "the alarm rings into itself": async (schedule) => {
    const gap = gapAt("before", JOB_INSERT);
    const rung = schedule.ring();
    await gap.reached();
    await schedule.wake();
    await schedule.ring();
    gap.leave();
    await rung;
  },
  "the sweeper comes first": async (schedule) => {
    await schedule.loseAlarm();
    await Promise.all([schedule.wake(), sweep()]);
  },
  "the owner is let go": (schedule) => schedule.evict(),
  "it is changed midway": async (schedule) => {
    const gap = gapAt("after", JOB_INSERT);
    const rung = schedule.ring();
    await gap.reached();
    await schedule.patch({ name: `changed at ${Date.now()}` });
    gap.leave();
    await rung;
  },
};

async function dies(schedule: ScheduleUnderTest, moment: "before" | "after"): Promise<void> {
  const gap = gapAt(moment, JOB_INSERT);
  const rung = schedule.ring().catch(() => {});
  await gap.reached();
  await schedule.crash();
  gap.leave();
  await rung;
  await schedule.wake();
}

/** Ticks that nothing happens to, rung from inside: from outside each would cost ten times as much. */
const inPeace = (schedule: ScheduleUnderTest, from: number, to: number): Promise<void> =>
  runInDurableObject(schedule.owner, async (owner: ScheduleObject, { storage }) => {
    for (let tick = from; tick <= to; tick++) {
      setClock(NOON + tick * STEP);
      expect((await storage.getAlarm()) ?? 0).toBeLessThan(Date.now() + MAX_STAGGER_MS);
      await storage.deleteAlarm();
      await owner.alarm();
    }
  });

it(`each tick has exactly one job (FAULT_SEED=${seed})`, { timeout: 120_000 }, async () => {
  const deaf = { arm: async () => {}, wake: async () => true };
  vi.spyOn(env.JOBS, "getByName").mockReturnValue(deaf as never);
  const schedule = await newSchedule(await newAccount(), { interval: { value: 10, unit: "second" } });
  const chance = chanceOf(seed);
  const names = Object.keys(FAULT);
  const at = new Map<number, string>();
  while (at.size < FAULTS) at.set(1 + Math.floor(chance() * TICKS), names[at.size % names.length] ?? "");

  for (let tick = 1; tick <= TICKS; tick++) {
    const fault = FAULT[at.get(tick) ?? ""];
    if (!fault) {
      const from = tick;
      while (tick < TICKS && !at.has(tick + 1)) tick++;
      await inPeace(schedule, from, tick);
      continue;
    }
    setClock(NOON + tick * STEP);
    await fault(schedule);
    setClock(NOON + tick * STEP + 5 * SECOND);
    await schedule.ring();
  }

  const expected = Array.from({ length: TICKS }, (_, i) => NOON + (i + 1) * STEP);
  expect(await schedule.ticks()).toEqual(expected);
  expect(await schedule.show()).toMatchObject({ run_count: TICKS, missed_runs: 0, status: "active" });
  expect((await schedule.stored())?.nextRunAt).toBe(NOON + (TICKS + 1) * STEP);
});
