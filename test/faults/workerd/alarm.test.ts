// The platform's alarm is good, and not perfect: it may ring early, late, twice, or not be set at all, and its handler may
// meet a fault nobody foresaw. The platform keeps it until the handler has returned, and drops it after six failures.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { wakeAt } from "../../../src/domain/timer.ts";
import { type Account, newAccount, suspend } from "../../workerd/harness/account.ts";
import { HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { databaseDown } from "../../workerd/harness/database.ts";
import { type JobUnderTest, newJob, postJob, unarmedJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { PlatformAlarm, shortPausesPass } from "./harness/platform.ts";
import { recover, stateOf } from "./harness/recovery.ts";
import { Tripwire } from "./harness/tripwire.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const IN_AN_HOUR = { scheduled_for: iso(NOON + HOUR) };
const PULL = { handler: "work", delivery: { type: "pull" } };

/** A ring whose push waits at the target. */
async function inFlight() {
  const held = receiver.holds();
  const job = await newJob(account);
  const alarm = new PlatformAlarm(job);
  const ringing = alarm.ring();
  await held.arrived();
  return { job, alarm, held, ringing };
}

const lease = async (job: JobUnderTest) => job.owner.lease(job.ref, (await job.executions()).at(-1)?.id ?? "", null);

describe("an alarm that rings", () => {
  it("a millisecond early does nothing, and is set again", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await job.ringAt(NOON + HOUR - 1);
    expect(receiver.received).toHaveLength(0);
    expect(await job.ringsFrom(NOON + HOUR)).toBe(true);
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

describe("an alarm whose handler does not return", () => {
  const tripwire = new Tripwire();
  afterEach(() => tripwire.remove());

  it("because the process died rings again at once: the push is interrupted, and repeated after its backoff", async () => {
    const { job, alarm, ringing } = await inFlight();
    await job.crash();
    expect(await ringing).toBe(false);
    receiver.answers(200);
    expect(await job.alarm()).toBe(NOON + 1);
    expect(await recover(job, { alarm })).toBeLessThan(3 * SECOND);
    expect(await job.executions()).toMatchObject([{ status: "interrupted" }, { status: "completed" }]);
  });

  it.each(["death", "counted"] as const)("by a %s each time, is not lost with the sixth time", async (failure) => {
    await (await newJob(account)).ring(); // its account is known from now on, so that the first call is a signature
    const job = await newJob(account);
    const alarm = new PlatformAlarm(job, failure);
    shortPausesPass();
    for (let ring = 0; ring < 12; ring++) {
      await tripwire.watch(job.owner, { call: 1, side: "before" });
      expect(await alarm.ring()).toBe(false);
      tripwire.remove();
      expect(await job.alarm()).not.toBeNull();
    }
    await recover(job, { alarm });
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
    expect(receiver.received).toHaveLength(2);
  });

  it("because it throws seven times, and no other can be set, is dropped: the sweeper brings it back", async () => {
    const job = await newJob(account);
    const alarm = new PlatformAlarm(job, "counted");
    const fault = databaseDown("D1_ERROR: no such column: status: SQLITE_ERROR");
    await runInDurableObject(job.owner, (_, { storage }) => {
      vi.spyOn(storage, "setAlarm").mockRejectedValue(new Error("internal error; reference = 1"));
    });
    let rings = 0;
    for (; (await job.alarm()) !== null; rings++) expect(await alarm.ring()).toBe(false);
    expect(rings).toBe(7);
    fault.end();
    await job.evict();
    expect(await recover(job)).toBeLessThanOrEqual(3.5 * MINUTE);
    expect(receiver.received).toHaveLength(1);
  });
});

describe("an alarm whose handler returns", () => {
  const PHASES: Record<string, () => Promise<JobUnderTest>> = {
    "that waits": () => newJob(account, IN_AN_HOUR),
    "that waits for its retry": async () => {
      receiver.answers(500);
      return newJob(account);
    },
    "that is held, because its account is suspended": async () => {
      const job = await newJob(account);
      await suspend(account);
      return job;
    },
    "that is queued": () => newJob(account, PULL),
    "that is queued, and reported": async () => {
      const job = await newJob(account, PULL);
      await job.ring();
      setClock(NOON + 5 * SECOND);
      return job;
    },
    "whose lease lasts": async () => {
      const job = await newJob(account, PULL);
      await job.ring();
      await lease(job);
      return job;
    },
    "whose lease has run out": async () => {
      const job = await newJob(account, { ...PULL, timeout: 1 });
      await job.ring();
      await lease(job);
      setClock(NOON + 2 * SECOND);
      return job;
    },
    "that has ended, and could not report": async () => {
      const job = await newJob(account);
      post.stop();
      return job;
    },
    "that has ended, and could not report again": async () => {
      const job = await newJob(account);
      post.stop("refused");
      await job.ring();
      return job;
    },
    "that has ended, made from its row a moment ago": async () => {
      const job = await unarmedJob(account);
      await job.owner.wake(job.ref);
      return job;
    },
  };

  it.each(Object.entries(PHASES))("is set again for a job %s", async (_, made) => {
    const job = await made();
    await job.ring();
    const state = await stateOf(job);
    if (!state) throw new Error("it has been forgotten");
    // What is stored may say that a report is due although it has been made.
    const moments = [wakeAt(state), wakeAt({ ...state, reportAt: null })];
    const isSet = await Promise.all(moments.map(async (at) => at !== null && (await job.ringsFrom(at))));
    expect(isSet).toContain(true);
  });

  it("is set only then, whatever calls write meanwhile: until then the platform keeps the one that rings", async () => {
    post.stop();
    const { job, ringing } = await inFlight();
    await job.owner.wake(job.ref);
    await until(async () => (await stateOf(job))?.failedReports === 1);
    expect(await job.alarm()).toBeNull();
    expect((await job.cancel()).status).toBe(200);
    expect(await ringing).toBe(true);
    const state = await stateOf(job);
    expect(state).toMatchObject({ phase: { name: "cancelled" } });
    expect(await job.alarm()).toBe(state?.reportAt);
    post.goOn();
    await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(true);
    expect(receiver.received).toHaveLength(1);
  });

  it.each([
    ["was emptied", true],
    ["was not emptied", false],
  ])("although its object %s and said that this failed is empty in the end", async (_, isEmptied) => {
    const job = await newJob(account);
    await runInDurableObject(job.owner, (_, { storage }) => {
      const deleteAll = storage.deleteAll.bind(storage);
      vi.spyOn(storage, "deleteAll").mockImplementationOnce(async () => {
        if (isEmptied) await deleteAll();
        throw new Error("internal error; reference = 1");
      });
    });
    expect(await new PlatformAlarm(job).ring()).toBe(true);
    expect(logs.of("alarm_fault")).toHaveLength(1);
    while ((await job.alarm()) !== null) await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(true);
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 1 });
    expect(receiver.received).toHaveLength(1);
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
    await job.owner.wake(job.ref);
    setClock(NOON + HOUR);
    expect(await recover(job)).toBeLessThanOrEqual(3.5 * MINUTE);
    expect(receiver.received).toHaveLength(1);
  });

  it("for once: whoever comes next sets it", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await job.wipe();
    await failsTwice(job.owner);
    await job.owner.wake(job.ref);
    expect(await job.alarm()).toBeNull();
    await job.owner.wake(job.ref);
    expect(await job.ringsFrom(NOON + HOUR)).toBe(true);
  });
});

it("no alarm is ever set in the past: the platform might drop it", async () => {
  const job = await newJob(account);
  expect(await job.alarm()).toBe(NOON + 1);
  const answer = await postJob(account, { scheduled_for: iso(NOON + 1) });
  expect(answer.status).toBe(201);
});
