// Clocks and calendars at their edges: the nearest and the farthest moment, leap days, offsets, and a clock that jumps
// while jobs wait.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { newJob, postJob } from "../../workerd/harness/job.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { recover } from "./harness/recovery.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** As it was written, and the instant it means. */
const MOMENTS: [string, string][] = [
  ["a millisecond ahead", iso(NOON + 1)],
  ["five years ahead, to the day", "2035-01-01T12:00:00.000Z"],
  ["a leap day", "2032-02-29T23:59:59.999Z"],
];

describe("a job scheduled for", () => {
  it.each(MOMENTS)("%s rings then, and delivers", async (_, written) => {
    const at = Date.parse(written);
    const job = await newJob(account, { scheduled_for: written });
    setClock(Math.max(NOON, at - HOUR));
    await job.owner.wake(job.ref);
    expect(await job.alarm()).toBe(at);
    await job.ringAt(at - 1);
    expect(receiver.received).toHaveLength(0);
    await job.ringAt(at);
    expect(await job.executions()).toMatchObject([{ status: "completed", lateness_ms: 0 }]);
  });

  it.each([
    ["2030-06-01T12:00:00+14:00", "2030-05-31T22:00:00.000Z"],
    ["2030-06-01T12:00:00-12:00", "2030-06-02T00:00:00.000Z"],
    ["2030-06-01T12:00:00.5+05:45", "2030-06-01T06:15:00.500Z"],
    // Berlin's clocks go forward at 01:00 UTC and back at 01:00 UTC: the offset says which 02:30 is meant.
    ["2030-03-31T03:30:00+02:00", "2030-03-31T01:30:00.000Z"],
    ["2030-10-27T02:30:00+02:00", "2030-10-27T00:30:00.000Z"],
    ["2030-10-27T02:30:00+01:00", "2030-10-27T01:30:00.000Z"],
  ])("%s means %s", async (written, meant) => {
    const job = await newJob(account, { scheduled_for: written });
    expect(await job.show()).toMatchObject({ scheduled_for: meant, run_at: meant });
    setClock(Date.parse(meant) - 30 * MINUTE);
    await job.owner.wake(job.ref);
    expect(await job.alarm()).toBe(Date.parse(meant));
  });

  it.each([
    ["now", iso(NOON)],
    ["a millisecond ago", iso(NOON - 1)],
    ["a day more than five years ahead", "2035-01-02T12:00:00.000Z"],
    ["a day no calendar has", "2031-02-29T00:00:00Z"],
    ["no offset at all", "2031-01-01T00:00:00"],
  ])("%s is refused", async (_, written) => {
    const answer = await postJob(account, { scheduled_for: written });
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([422, "scheduled_for"]);
  });
});

describe("a clock that jumps an hour back and forth", () => {
  const JUMPS = [-HOUR, HOUR, 0, -HOUR, 0];

  it("lets no waiting job run early, and none late once it is right", async () => {
    const at = NOON + 30 * MINUTE;
    const job = await newJob(account, { scheduled_for: iso(at) });
    for (const jump of [-HOUR, 0, -HOUR, 0]) {
      await job.ringAt(NOON + jump);
      await job.owner.wake(job.ref);
    }
    expect(receiver.received).toHaveLength(0);
    expect(await job.ringsFrom(at)).toBe(true);
    await job.ringAt(at);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("delivers once what a jump makes due", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + 30 * MINUTE) });
    for (const jump of JUMPS.slice(1)) await job.ringAt(NOON + jump);
    expect(receiver.received).toHaveLength(1);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("loses no queued job and no retry", async () => {
    receiver.answers(500, 200);
    const pushed = await newJob(account);
    const pulled = await newJob(account, { handler: "work", delivery: { type: "pull" } });
    await pushed.ring();
    await pulled.ring();
    for (const jump of JUMPS) {
      setClock(NOON + jump + SECOND);
      for (const job of [pushed, pulled]) {
        await job.ring();
        await job.owner.wake(job.ref);
      }
    }
    await recover(pushed, { limitMs: 3 * HOUR });
    await recover(pulled, { limitMs: 3 * HOUR });
    expect(await pushed.show()).toMatchObject({ status: "completed", attempts: 2 });
    expect(await pulled.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("refuses no key that is in force", async () => {
    for (const jump of [DAY, -DAY, 0]) {
      setClock(NOON + jump);
      expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(200);
    }
  });
});
