// The end of a schedule: its jobs are cancelled, the read model knows, its owner forgets (contract §6; design, rule 9).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount, remove } from "../harness/account.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { JobUnderTest } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { post } from "../harness/post.ts";
import { insertRows } from "../harness/rows.ts";
import { HOURLY, newSchedule, type ScheduleUnderTest, sweep, unheardSchedule } from "./schedule.ts";

const FIRST = NOON + HOUR;
const FAR = { cron: "0 0 1 1 *" };

let account: Account;
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM schedules")]);
  account = await newAccount();
});

/** A schedule whose one run has completed it. */
async function completed(): Promise<ScheduleUnderTest> {
  const schedule = await newSchedule(account, { ...HOURLY, runs: 1 });
  await schedule.ringAt(FIRST);
  return schedule;
}

/** All are made before the clock moves on. */
async function completedTogether(count: number): Promise<ScheduleUnderTest[]> {
  const all = await Promise.all(Array.from({ length: count }, () => newSchedule(account, { ...HOURLY, runs: 1 })));
  for (const schedule of all) await schedule.ringAt(FIRST);
  return all;
}

describe("a completed schedule", () => {
  it("is forgotten by its owner once the read model knows; then its row is the whole truth", async () => {
    const schedule = await completed();
    const shown = await schedule.show();
    expect(shown).toMatchObject({ status: "completed", run_count: 1, next_run_at: null });
    await post.deliver();
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.show()).toEqual(shown);
    expect(await schedule.row()).toMatchObject({ status: "completed", attentionAt: null });
    expect(await schedule.isEmpty(), "and reading it does not bring it back").toBe(true);
  });

  it("is kept until this very state has been confirmed", async () => {
    const schedule = await completed();
    await schedule.owner.confirm(0);
    expect(await schedule.isEmpty()).toBe(false);
    await schedule.owner.confirm(1);
    expect(await schedule.isEmpty()).toBe(true);
  });

  it("is reported again after 30 s, then a minute, while nobody confirms it", async () => {
    const schedule = await completed();
    post.take();
    expect(await schedule.alarm()).toBe(FIRST + 30 * SECOND);
    await schedule.ringAt(FIRST + 30 * SECOND);
    expect(post.take()).toMatchObject([{ kind: "schedule", schedule: { status: "completed", revision: 1 } }]);
    expect(await schedule.alarm()).toBe(FIRST + 90 * SECOND);
    await schedule.ringAt(FIRST + 90 * SECOND);
    await post.deliver();
    expect(await schedule.isEmpty()).toBe(true);
  });

  it("is confirmed although D1 knew it before", async () => {
    const schedule = await completed();
    const reports = post.take();
    await post.deliver(reports);
    await post.deliver(reports);
    expect(await schedule.isEmpty()).toBe(true);
  });

  it("whose row is gone follows it", async () => {
    const schedule = await completed();
    await schedule.deleteRow();
    await post.deliver();
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.row()).toBeUndefined();
  });

  it.each(["held by its owner", "known to the read model only"])("can no longer be changed: %s", async (where) => {
    const schedule = await completed();
    if (where !== "held by its owner") await post.deliver();
    for (const answer of [await schedule.patch({ name: "x" }), await schedule.archive()])
      expect([answer.status, answer.body.code]).toEqual([409, "schedule_completed"]);
  });
});

describe("an archived schedule", () => {
  const waiting = (schedule: ScheduleUnderTest, count: number) =>
    insertRows(
      account,
      Array.from({ length: count }, (_, i) => ({ scheduleId: schedule.id, scheduledFor: NOON + i, runAt: NOON + DAY })),
    );

  it("makes no job any more", async () => {
    const schedule = await newSchedule(account);
    expect((await schedule.archive()).body.data).toMatchObject({ status: "archived", next_run_at: null });
    for (const at of [FIRST, FIRST + HOUR]) await schedule.ringAt(at);
    expect(await schedule.ticks()).toEqual([]);
  });

  it("has its pending jobs cancelled when the answer is there, and no one else's", async () => {
    const schedule = await newSchedule(account, FAR);
    const other = await newSchedule(account, FAR);
    const ids = await waiting(schedule, 3);
    const [theirs, single] = await insertRows(account, [{ scheduleId: other.id }, {}]);
    await schedule.archive();
    for (const id of ids) expect(await new JobUnderTest(account, id).show()).toMatchObject({ status: "cancelled" });
    for (const id of [theirs, single])
      expect(await new JobUnderTest(account, id ?? "").show()).toMatchObject({ status: "pending" });
  });

  it("has those in every waiting state cancelled, and those that ended left as they are", async () => {
    const schedule = await newSchedule(account, FAR);
    const states = ["pending", "queued", "retrying", "completed", "failed", "cancelled"] as const;
    const ids = await insertRows(
      account,
      states.map((status) => ({
        scheduleId: schedule.id,
        status,
        handler: "h",
        delivery: { type: "pull", queue: null },
      })),
    );
    await schedule.archive();
    const after = await Promise.all(ids.map(async (id) => (await new JobUnderTest(account, id).show()).status));
    expect(after).toEqual(["cancelled", "cancelled", "cancelled", "completed", "failed", "cancelled"]);
  });

  it("with more of them than one page is cleared page by page", { timeout: 30_000 }, async () => {
    const schedule = await newSchedule(account, FAR);
    await waiting(schedule, 101);
    await schedule.archive();
    await post.deliver();
    expect((await schedule.jobs()).filter(({ status }) => status !== "cancelled")).toEqual([]);
  });

  it("is not forgotten before its jobs are cancelled, and D1 is not asked without a pause while it is down", async () => {
    const schedule = await newSchedule(account, FAR);
    const outage = databaseDown();
    await schedule.owner.archive(schedule.ref);
    for (let tries = 0; tries < 3; tries++) {
      await schedule.ring();
      expect(await schedule.alarm()).toBe(Date.now() + 5 * SECOND);
      setClock(Date.now() + 5 * SECOND);
    }
    outage.end();
    await post.deliver();
    expect(await schedule.isEmpty()).toBe(false);
    const [id] = await waiting(schedule, 1);
    await schedule.ring();
    expect(await new JobUnderTest(account, id ?? "").show()).toMatchObject({ status: "cancelled" });
    await schedule.ringAt(Date.now() + 30 * SECOND);
    await post.deliver();
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.show()).toMatchObject({ status: "archived" });
  });

  it("whose row is gone is not forgotten before its jobs are cancelled either", async () => {
    const schedule = await newSchedule(account, FAR);
    await schedule.owner.archive(schedule.ref);
    await schedule.deleteRow();
    const [id] = await waiting(schedule, 1);
    await post.deliver();
    expect(await schedule.isEmpty()).toBe(false);
    await schedule.ring();
    expect(await new JobUnderTest(account, id ?? "").show()).toMatchObject({ status: "cancelled" });
    await schedule.ringAt(NOON + MINUTE);
    await post.deliver();
    expect(await schedule.isEmpty()).toBe(true);
  });

  it.each(["held by its owner", "known to the read model only"])("can no longer be changed: %s", async (where) => {
    const schedule = await newSchedule(account, FAR);
    await schedule.archive();
    if (where !== "held by its owner") {
      await schedule.ring();
      await schedule.ringAt(NOON + MINUTE);
      await post.deliver();
      expect(await schedule.isEmpty()).toBe(true);
    }
    for (const answer of [await schedule.patch({ name: "x" }), await schedule.archive()])
      expect([answer.status, answer.body.code]).toEqual([409, "schedule_archived"]);
  });
});

describe("a row that is missing", () => {
  it("of an active schedule is written again, as its owner has it", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await schedule.deleteRow();
    await post.deliver(post.take().slice(-1));
    expect(await schedule.row()).toMatchObject({ status: "active", revision: 1, attentionAt: FIRST + HOUR });
    expect(logs.of("row_restored")).toMatchObject([{ schedule_id: schedule.id, done: true }]);
  });

  it("is not written again for an account that is gone", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await remove(account);
    await schedule.deleteRow();
    await post.deliver();
    expect([await schedule.row(), await schedule.isEmpty()]).toEqual([undefined, true]);
  });
});

describe("reports", () => {
  it("may come late or twice: the newest state stays", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await schedule.ringAt(FIRST + HOUR);
    const [first, second] = post.take().slice(-2);
    for (const report of [second, second, first]) if (report) await post.deliver([report]);
    expect(await schedule.row()).toMatchObject({ revision: 2, state: { runCount: 2 } });
  });

  it("come many in one batch, one gone row among them", async () => {
    const all = await completedTogether(3);
    await all[1]?.deleteRow();
    await post.deliver();
    expect(await Promise.all(all.map((schedule) => schedule.isEmpty()))).toEqual([true, true, true]);
  });

  it("of one schedule that come together are one row written, the newest", async () => {
    const schedule = await newSchedule(account);
    for (const hours of [1, 2, 3]) await schedule.ringAt(NOON + hours * HOUR);
    const written = vi.spyOn(env.DB, "batch");
    await post.deliver(post.take().toReversed());
    expect(written.mock.calls.map(([statements]) => statements.length)).toEqual([2]);
    expect(await schedule.row()).toMatchObject({ revision: 3, state: { runCount: 3 } });
  });

  it("do not hold up each other: one that D1 refuses leaves the rest to be written", async () => {
    const [good, bad] = (await completedTogether(2)) as [ScheduleUnderTest, ScheduleUnderTest];
    const reports = post.take() as unknown as { schedule: { id: string; status: unknown } }[];
    const spoilt = reports.map((report) =>
      report.schedule.id === bad.id ? { ...report, schedule: { ...report.schedule, status: null } } : report,
    );
    await post.deliver(spoilt as never);
    expect([await good.isEmpty(), await bad.isEmpty()]).toEqual([true, false]);
    expect(await bad.row()).toMatchObject({ revision: 0 });
  });

  it("that D1 cannot take are no receipt: the owner keeps its end", async () => {
    const schedule = await completed();
    const outage = databaseDown();
    await post.deliver();
    outage.end();
    expect(await schedule.isEmpty()).toBe(false);
    expect(await schedule.row()).toMatchObject({ status: "active" });
  });

  it("that are none ask nothing of D1", async () => {
    await newSchedule(account);
    expect(post.take(), "its row says it all").toEqual([]);
    const asked = vi.spyOn(env.DB, "prepare");
    await post.deliver([]);
    expect(asked.mock.calls.filter(([query]) => query.includes("schedules"))).toEqual([]);
  });

  it("that a newer deployment wrote wait for that one", async () => {
    const schedule = await completed();
    const [report] = post.take() as unknown as { schedule: object }[];
    const newer = { ...report, schedule: { ...report?.schedule, v: 2 } };
    const { retryMessages } = await post.deliver([newer as never]);
    expect(retryMessages).toMatchObject([{ msgId: "m0" }]);
    expect(await schedule.isEmpty()).toBe(false);
  });

  it("are asked for by the sweeper, two minutes after a tick nobody has heard of", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await post.deliver();
    await schedule.ringAt(FIRST + HOUR);
    post.take(); // lost
    setClock(FIRST + HOUR + 2 * MINUTE);
    await sweep();
    await post.deliver();
    expect(await schedule.row()).toMatchObject({ revision: 2, attentionAt: FIRST + 2 * HOUR });
  });
});

it("a schedule whose owner never heard of it is taken up by the sweeper 15 s after it was due, and not a millisecond earlier", async () => {
  const schedule = await unheardSchedule(account);
  setClock(FIRST + 15 * SECOND - 1);
  await sweep();
  expect(await schedule.isEmpty()).toBe(true);
  setClock(FIRST + 15 * SECOND);
  await sweep();
  await schedule.ring();
  expect(await schedule.show()).toMatchObject({ run_count: 1, last_run_at: iso(FIRST) });
});

it("a state that a newer deployment wrote is left untouched and looked at again later", async () => {
  const schedule = await newSchedule(account);
  const newer = { v: 2, something: "else" };
  await schedule.store(newer);
  await schedule.ringAt(FIRST);
  expect(await schedule.stored()).toEqual(newer);
  expect(await schedule.alarm()).toBe(FIRST + 30 * SECOND);
  await schedule.deleteRow(); // so that no sweep of another test asks for it
});
