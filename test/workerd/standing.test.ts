// What becomes of the jobs of an account that is suspended or deleted (contract §7).

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount, remove, resume, suspend } from "./harness/account.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND } from "./harness/clock.ts";
import { type JobUnderTest, newJob } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const phaseOf = async (job: JobUnderTest) => (await job.stored())?.phase;

describe("a due job of a suspended account", () => {
  it("waits, and looks again after a minute, then less and less often up to every 15 minutes", async () => {
    const job = await newJob(account);
    await suspend(account);
    const pauses: number[] = [];
    for (let before = NOON, n = 0; n < 9; n++) {
      await job.ring();
      const at = (await job.alarm()) ?? 0;
      pauses.push(Math.round((at - before) / SECOND));
      before = at;
      await job.ringAt(at - 1);
      advance(1);
    }
    expect(receiver.received).toEqual([]);
    expect(pauses.slice(0, 3)).toEqual([60, 90, 135]);
    expect(pauses.at(-1)).toBe(900);
    expect(pauses.every((pause, n) => n === 0 || pause >= (pauses[n - 1] ?? 0))).toBe(true);
  });

  it("is still pending with the time it was due, and burns no retry", async () => {
    const job = await newJob(account);
    await suspend(account);
    await job.ringAt(NOON + HOUR);
    expect(await job.stored()).toMatchObject({ attempt: 0, tries: 0, phase: { name: "waiting", runAt: NOON } });
    expect(await job.row()).toMatchObject({ status: "pending", runAt: NOON, reportDueAt: NOON + HOUR + 15 * MINUTE });
  });

  it("goes on after the account is resumed, and tells its lateness truly", async () => {
    const job = await newJob(account);
    await suspend(account);
    await job.ring();
    await resume(account);
    await job.ringWhenSet();
    expect(receiver.received).toHaveLength(1);
    advance(MINUTE);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
    expect(await job.executions()).toMatchObject([{ due_at: iso(NOON), lateness_ms: MINUTE }]);
  });

  it("waits between retries as well", async () => {
    receiver.answers(500, 200);
    const job = await newJob(account);
    await job.ring();
    await suspend(account);
    await job.ringWhenSet();
    expect(receiver.received).toHaveLength(1);
    expect(await phaseOf(job)).toMatchObject({ name: "waiting", trigger: "system_retry" });
  });

  it("a push in flight at that moment is not touched", async () => {
    const job = await newJob(account);
    const held = receiver.holds();
    const ringing = job.ring();
    await held.arrived();
    await suspend(account);
    held.release(200);
    await ringing;
    expect((await job.row())?.status).toBe("completed");
  });
});

describe("a job of a deleted account", () => {
  it("never runs, and its owner vanishes when it would have", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await remove(account);
    await job.ringAt(NOON + HOUR);
    expect(receiver.received).toEqual([]);
    expect(await job.isEmpty()).toBe(true);
  });

  it("does not run when the account's rows are gone too", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await remove(account);
    await env.DB.prepare("DELETE FROM accounts WHERE id = ?").bind(account.id).run();
    await job.ringAt(NOON + HOUR);
    expect(receiver.received).toEqual([]);
    expect(await job.isEmpty()).toBe(true);
  });

  it("in flight at that moment is the last of it: no retry follows, and no row comes back", async () => {
    const job = await newJob(account);
    const held = receiver.holds();
    const ringing = job.ring();
    await held.arrived();
    await remove(account);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM jobs WHERE account_id = ?").bind(account.id),
      env.DB.prepare("DELETE FROM accounts WHERE id = ?").bind(account.id),
    ]);
    held.release(500);
    await ringing;
    expect([await job.row(), await job.isEmpty()]).toEqual([undefined, true]);
    expect(receiver.received).toHaveLength(1);
  });

  it("waits for no worker any more; two days later its handler's queue has no entry of it, and after nine nothing at all is left", async () => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
    const queue = () => env.PULL_QUEUES.getByName(`${account.id}/h`);
    await job.ring();
    await remove(account);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM jobs WHERE account_id = ?").bind(account.id),
      env.DB.prepare("DELETE FROM accounts WHERE id = ?").bind(account.id),
    ]);
    await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(true);
    const look = async () => {
      advance(DAY);
      await runDurableObjectAlarm(queue());
    };
    for (let day = 0; day < 2; day++) await look();
    expect((await queue().view()).waiting).toBe(0);
    for (let day = 2; day < 9; day++) await look();
    const left = await runInDurableObject(queue(), async (_, { storage }) => [
      await storage.getAlarm(),
      ...storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'waiting'").toArray(),
    ]);
    expect(left).toEqual([null]);
  });
});
