// The platform's alarm is good, and not perfect: it may ring early, late, twice, or not be set at all, and its handler may
// meet a fault nobody foresaw.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { databaseDown } from "../../workerd/harness/database.ts";
import { newJob, postJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { recover } from "./harness/recovery.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const IN_AN_HOUR = { scheduled_for: iso(NOON + HOUR) };

describe("an alarm that rings", () => {
  it("a millisecond early does nothing, and is set again", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await job.ringAt(NOON + HOUR - 1);
    expect(receiver.received).toHaveLength(0);
    expect(await job.alarm()).toBe(NOON + HOUR);
  });

  it("an hour late delivers once, and tells how late it is", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await job.ringAt(NOON + 2 * HOUR);
    expect(await job.executions()).toMatchObject([{ attempt: 1, status: "completed", lateness_ms: HOUR }]);
    expect(receiver.received).toHaveLength(1);
  });

  it("twice, at once or one after the other, delivers once", async () => {
    const job = await newJob(account);
    await Promise.all([job.ring(), job.ring()]);
    await job.ring();
    expect(receiver.received).toHaveLength(1);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("again while the answer is awaited changes nothing", async () => {
    const held = receiver.holds();
    const job = await newJob(account);
    const ringing = job.ring();
    await held.arrived();
    await job.ringAt(NOON + 35 * SECOND);
    held.release(200);
    await ringing;
    expect(await job.executions()).toMatchObject([{ status: "completed" }]);
    expect(receiver.received).toHaveLength(1);
  });

  it("into a fault nobody foresaw logs it, and rings again in 30 seconds", async () => {
    const job = await newJob(account);
    const fault = databaseDown("D1_ERROR: no such column: canary: SQLITE_ERROR");
    await job.ring();
    expect(logs.of("alarm_fault")).toHaveLength(1);
    expect(logs.lines.join()).not.toContain("canary");
    expect(await job.alarm()).toBe(NOON + 30 * SECOND);
    fault.end();
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });
});

describe("an alarm that cannot be set", () => {
  /** With the write, and when it is looked after. */
  const failsTwice = (owner: DurableObjectStub<undefined>) =>
    runInDurableObject(owner, (_, { storage }) => {
      const fault = new Error("internal error; reference = 1");
      vi.spyOn(storage, "setAlarm").mockRejectedValueOnce(fault).mockRejectedValueOnce(fault);
    });

  it("when the job is armed: it was accepted, and the sweeper brings it back", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await job.wipe();
    await failsTwice(job.owner);
    await job.owner.poke(job.ref);
    setClock(NOON + HOUR);
    expect(await recover(job)).toBeLessThanOrEqual(3.5 * MINUTE);
    expect(receiver.received).toHaveLength(1);
  });

  it("for once: whoever comes next sets it", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await job.wipe();
    await failsTwice(job.owner);
    await job.owner.poke(job.ref);
    expect(await job.alarm()).toBeNull();
    await job.owner.poke(job.ref);
    expect(await job.alarm()).toBe(NOON + HOUR);
  });
});

it("no alarm is ever set in the past: the platform might drop it", async () => {
  const job = await newJob(account);
  expect(await job.alarm()).toBe(NOON + 1);
  const answer = await postJob(account, { scheduled_for: iso(NOON + 1) });
  expect(answer.status).toBe(201);
});
