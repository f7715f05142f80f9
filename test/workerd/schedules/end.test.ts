// The end of a schedule: its jobs are cancelled, the read model knows, its owner forgets (contract §6; design, rule 9).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount, remove } from "../harness/account.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { JobUnderTest } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { expectPause } from "../harness/pause.ts";
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
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.show()).toEqual(shown);
    expect(await schedule.row()).toMatchObject({ status: "completed", reportDueAt: null });
    expect(await schedule.isEmpty(), "and reading it does not bring it back").toBe(true);
  });

  it("is reported again after 10 s, 20 s and so on to a minute, while nobody confirms it", async () => {
    post.stop();
    const schedule = await completed();
    for (const seconds of [10, 20, 40, 60, 60]) {
      expectPause(await schedule.alarm(), seconds * SECOND);
      await schedule.ringWhenSet();
    }
    expect(post.take()).toMatchObject(
      Array(6).fill({ kind: "schedule", revision: 1, schedule: { status: "completed" } }),
    );
    post.goOn();
    await schedule.ringWhenSet();
    expect(await schedule.isEmpty()).toBe(true);
  });

  it("is confirmed although D1 knew it before", async () => {
    post.stop();
    const schedule = await completed();
    expect(await post.deliver(post.take())).toEqual(["stored"]);
    post.goOn();
    await schedule.ringWhenSet();
    expect(await schedule.isEmpty()).toBe(true);
  });

  it("whose row is gone follows it", async () => {
    post.stop();
    const schedule = await completed();
    await schedule.deleteRow();
    post.goOn();
    await schedule.ringWhenSet();
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.row()).toBeUndefined();
  });

  it.each(["held by its owner", "known to the read model only"])("can no longer be changed: %s", async (where) => {
    if (where === "held by its owner") post.stop();
    const schedule = await completed();
    expect(await schedule.isEmpty()).toBe(where !== "held by its owner");
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
    expect((await schedule.jobs()).filter(({ status }) => status !== "cancelled")).toEqual([]);
  });

  it("is not forgotten before its jobs are cancelled, and D1 is not asked without a pause while it is down", async () => {
    const schedule = await newSchedule(account, FAR);
    const outage = databaseDown();
    vi.spyOn(Math, "random").mockReturnValue(0); // no report is repeated sooner than the jobs are looked for
    await schedule.owner.archive(schedule.ref);
    for (let tries = 0; tries < 3; tries++) {
      await schedule.ring();
      expect(await schedule.alarm()).toBe(Date.now() + 5 * SECOND);
      setClock(Date.now() + 5 * SECOND);
    }
    outage.end();
    expect(await schedule.isEmpty()).toBe(false);
    const [id] = await waiting(schedule, 1);
    await schedule.ring();
    expect(await new JobUnderTest(account, id ?? "").show()).toMatchObject({ status: "cancelled" });
    for (let ring = 0; ring < 3 && !(await schedule.isEmpty()); ring++) await schedule.ringWhenSet();
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.show()).toMatchObject({ status: "archived" });
  });

  it("whose row is gone is not forgotten before its jobs are cancelled either", async () => {
    const schedule = await newSchedule(account, FAR);
    await schedule.owner.archive(schedule.ref);
    await schedule.deleteRow();
    const [id] = await waiting(schedule, 1);
    expect(await schedule.isEmpty()).toBe(false);
    await schedule.ring();
    expect(await schedule.isEmpty()).toBe(true);
    expect(await new JobUnderTest(account, id ?? "").show()).toMatchObject({ status: "cancelled" });
  });

  it.each(["held by its owner", "known to the read model only"])("can no longer be changed: %s", async (where) => {
    const schedule = await newSchedule(account, FAR);
    await schedule.archive();
    if (where !== "held by its owner") {
      await schedule.ring();
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
    await schedule.wake();
    await until(async () => (await schedule.row()) !== undefined);
    expect(await schedule.row()).toMatchObject({ status: "active", revision: 1, reportDueAt: FIRST + HOUR });
    expect(logs.of("row_restored")).toMatchObject([{ schedule_id: schedule.id, done: true }]);
  });

  it("is not written again for an account that is gone", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await remove(account);
    await schedule.deleteRow();
    await schedule.wake();
    await until(() => schedule.isEmpty());
    expect(await schedule.row()).toBeUndefined();
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
    post.stop();
    const all = await completedTogether(3);
    await all[1]?.deleteRow();
    expect((await post.deliver(post.take())).toSorted()).toEqual(["missing", "stored", "stored"]);
  });

  it("of one schedule that come together are one row written, the newest", async () => {
    post.stop();
    const schedule = await newSchedule(account);
    for (const hours of [1, 2, 3]) await schedule.ringAt(NOON + hours * HOUR);
    const written = vi.spyOn(env.DB, "batch");
    await post.deliver(post.take().toReversed());
    expect(written.mock.calls.map(([statements]) => statements.length)).toEqual([2]);
    expect(await schedule.row()).toMatchObject({ revision: 3, state: { runCount: 3 } });
  });

  it("do not hold up each other: one that D1 refuses leaves the rest to be written", async () => {
    post.stop();
    const [good, bad] = (await completedTogether(2)) as [ScheduleUnderTest, ScheduleUnderTest];
    const spoilt = post.take().map((report) => {
      if (report.kind !== "schedule" || report.id !== bad.id) return report;
      return { ...report, schedule: { ...report.schedule, status: null as never } };
    });
    expect((await post.deliver(spoilt)).toSorted()).toEqual(["refused", "stored"]);
    expect([(await good.row())?.status, (await bad.row())?.revision]).toEqual(["completed", 0]);
    expect(logs.of("report_refused")).toMatchObject([{ level: "error", schedule_id: bad.id }]);
  });

  it("that D1 cannot take are no receipt: the owner keeps its end", async () => {
    post.stop();
    const schedule = await completed();
    const outage = databaseDown();
    expect(await post.deliver(post.take())).toEqual(["unavailable"]);
    outage.end();
    expect(await schedule.isEmpty()).toBe(false);
    expect(await schedule.row()).toMatchObject({ status: "active" });
  });

  it("of a tick that could not be made are repeated within a minute of the database's return", async () => {
    const schedule = await newSchedule(account);
    post.stop();
    await schedule.ringAt(FIRST);
    while (Date.now() - FIRST < 10 * MINUTE) await schedule.ringWhenSet();
    const back = Date.now();
    post.goOn();
    await schedule.ringWhenSet();
    expect(Date.now() - back).toBeLessThanOrEqual(MINUTE);
    expect(await schedule.row()).toMatchObject({ revision: 1, state: { runCount: 1 } });
  });

  it("of a new schedule are not needed: its row says it all", async () => {
    await newSchedule(account);
    expect(post.take()).toEqual([]);
  });

  it("are asked for by the sweeper, two minutes after a tick nobody has heard of", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    post.stop();
    await schedule.ringAt(FIRST + HOUR);
    post.goOn();
    setClock(FIRST + HOUR + 2 * MINUTE);
    await sweep();
    await until(async () => (await schedule.row())?.revision === 2);
    expect(await schedule.row()).toMatchObject({ revision: 2, reportDueAt: FIRST + 2 * HOUR });
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
