import { describe, expect, it } from "vitest";
import { nominalTime, type Unit } from "../../src/domain/schedule-time.ts";
import { NOON, SECOND } from "./a-job.ts";

const FIVE_YEARS_ON = Date.UTC(2035, 0, 1, 12);
const LEAP_DAY = Date.UTC(2028, 1, 29, 12);

const at = (value: number) => ({ ok: true, value });
const refused = (field: string, message: RegExp) => ({
  ok: false,
  error: { field, message: expect.stringMatching(message) },
});

describe("a job's nominal time", () => {
  it("is now when nothing is said", () => {
    expect(nominalTime({}, NOON)).toEqual(at(NOON));
    expect(nominalTime({ delay: undefined, scheduledFor: undefined }, NOON)).toEqual(at(NOON));
  });

  it.each<[Unit, number]>([
    ["second", 1_000],
    ["minute", 60_000],
    ["hour", 3_600_000],
    ["day", 86_400_000],
    ["week", 604_800_000],
  ])("is so many %ss ahead", (unit, ms) => {
    expect(nominalTime({ delay: { value: 1, unit } }, NOON)).toEqual(at(NOON + ms));
    expect(nominalTime({ delay: { value: 7, unit } }, NOON)).toEqual(at(NOON + 7 * ms));
  });

  it("lies in the future, by a millisecond at least", () => {
    expect(nominalTime({ scheduledFor: NOON + 1 }, NOON)).toEqual(at(NOON + 1));
    expect(nominalTime({ scheduledFor: NOON }, NOON)).toEqual(refused("scheduled_for", /future/));
    expect(nominalTime({ scheduledFor: NOON - 1 }, NOON)).toEqual(refused("scheduled_for", /future/));
  });

  it("lies at most five years of the calendar ahead, to the millisecond", () => {
    expect(nominalTime({ scheduledFor: FIVE_YEARS_ON }, NOON)).toEqual(at(FIVE_YEARS_ON));
    expect(nominalTime({ scheduledFor: FIVE_YEARS_ON + 1 }, NOON)).toEqual(refused("scheduled_for", /5 years/));
  });

  it("is no delay beyond them either", () => {
    const most = (FIVE_YEARS_ON - NOON) / SECOND;
    expect(nominalTime({ delay: { value: most, unit: "second" } }, NOON)).toEqual(at(FIVE_YEARS_ON));
    expect(nominalTime({ delay: { value: most + 1, unit: "second" } }, NOON)).toEqual(refused("delay", /5 years/));
    expect(nominalTime({ delay: { value: Number.MAX_SAFE_INTEGER, unit: "week" } }, NOON)).toEqual(
      refused("delay", /5 years/),
    );
  });

  it("may lie on 1 March when five years on have no 29 February", () => {
    const march = Date.UTC(2033, 2, 1, 12);
    expect(nominalTime({ scheduledFor: march }, LEAP_DAY)).toEqual(at(march));
    expect(nominalTime({ scheduledFor: march + 1 }, LEAP_DAY)).toEqual(refused("scheduled_for", /5 years/));
  });

  it("is said once: not as a delay and as a moment", () => {
    const both = { delay: { value: 1, unit: "day" }, scheduledFor: NOON + 1 } as const;
    expect(nominalTime(both, NOON)).toEqual(refused("scheduled_for", /not both/));
  });
});
