// POST /v1/schedules/:id/pause and /resume (contract §6): no tick falls due in a pause, none is counted as missed, and one that
// was due before keeps its turn, whoever dies when.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { logs } from "../harness/logs.ts";
import { post } from "../harness/post.ts";
import { failAt, gapAt, JOB_INSERT, type Moment } from "./faults.ts";
import { HOURLY, newSchedule, postSchedule, ScheduleUnderTest, sweep, unheardSchedule } from "./schedule.ts";
import { hasRun, isArmed } from "./ticks.ts";

const NOW = NOON + 10 * MINUTE;
const FIRST = NOON + HOUR;
const SECOND_TICK = NOON + 2 * HOUR;
const MOMENTS: Moment[] = ["before", "after"];

let account: Account;
beforeEach(async () => {
  await env.DB.batch(["jobs", "schedules", "bulk_actions"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

async function pausedSchedule(body: Record<string, unknown> = HOURLY): Promise<ScheduleUnderTest> {
  const schedule = await newSchedule(account, body);
  setClock(NOW);
  expect((await schedule.pause()).status).toBe(200);
  return schedule;
}

/** Rings whatever is set until nothing is. */
async function settle(schedule: ScheduleUnderTest): Promise<void> {
  for (let ring = 0; ring < 5 && (await schedule.alarm()) !== null; ring++) await schedule.ringWhenSet();
  expect(await schedule.alarm()).toBeNull();
}

describe("a paused schedule", () => {
  it("is shown as such, everywhere", async () => {
    const schedule = await newSchedule(account);
    const before = await schedule.show();
    setClock(NOW);
    const { status, body } = await schedule.pause();
    expect(status).toBe(200);
    const shown = { ...before, status: "paused", next_run_at: null, updated_at: iso(NOW), revision: 1 };
    expect(body.data).toEqual(shown);
    expect(await schedule.show()).toEqual(shown);
    const list = await api("GET", "/v1/schedules?status=paused", { key: account.key });
    expect(list.body.data).toEqual([shown]);
  });

  it("makes no job and misses none, and nobody wakes for it", async () => {
    const schedule = await pausedSchedule();
    await settle(schedule);
    setClock(NOON + 5.5 * HOUR);
    expect(await schedule.row()).toMatchObject({ status: "paused", reportDueAt: null });
    await sweep();
    expect(logs.of("sweep")).toEqual([]);
    await schedule.wake();
    expect(await schedule.alarm()).toBeNull();
    await hasRun(schedule, []);
    expect(await schedule.show()).toMatchObject({ status: "paused", missed_runs: 0, revision: 1 });
  });

  it("is known to its owner while D1 is down, and can be resumed", async () => {
    const schedule = await pausedSchedule();
    await schedule.evict();
    const outage = databaseDown();
    expect(await schedule.show()).toMatchObject({ status: "paused" });
    expect((await schedule.resume()).body.data).toMatchObject({ status: "active", next_run_at: iso(FIRST) });
    outage.end();
  });

  it("is paused again with 200, and nothing is changed", async () => {
    const schedule = await pausedSchedule();
    const before = await schedule.show();
    setClock(NOW + 1);
    post.take();
    const { status, body } = await schedule.pause();
    expect([status, body.data, post.take()]).toEqual([200, before, []]);
  });

  it("can be changed: it takes effect when it is resumed", async () => {
    const schedule = await pausedSchedule();
    const change = { name: "new", payload: { v: 2 }, interval: { value: 5, unit: "minute" } };
    expect((await schedule.patch(change)).body.data).toMatchObject({ ...change, status: "paused", next_run_at: null });
    await schedule.resume();
    await schedule.ringAt(NOW + 5 * MINUTE);
    expect(await schedule.jobs()).toMatchObject([{ name: "new", payload: '{"v":2}', scheduledFor: NOW + 5 * MINUTE }]);
  });

  it("can be archived, and then no more be resumed", async () => {
    const schedule = await pausedSchedule();
    expect((await schedule.archive()).body.data).toMatchObject({ status: "archived" });
    await settle(schedule);
    expect(await schedule.isEmpty()).toBe(true);
    expect((await schedule.resume()).body.code).toBe("schedule_archived");
  });

  it("previews what it would do if it were resumed now", async () => {
    const schedule = await pausedSchedule({ ...HOURLY, runs: 2 });
    const shown = async () => (await schedule.preview()).body.data.map(({ utc }) => utc);
    expect(await shown()).toEqual([iso(FIRST), iso(SECOND_TICK)]);
    setClock(NOON + 5 * HOUR);
    expect(await shown()).toEqual([iso(NOON + 6 * HOUR), iso(NOON + 7 * HOUR)]);
    expect(await schedule.show()).toMatchObject({ status: "paused", revision: 1 });
  });
});

describe("a schedule that is resumed", () => {
  it.each([
    ["a millisecond before a tick: it runs", NOON + 5 * HOUR - 1, NOON + 5 * HOUR],
    ["at a tick: the next one runs", NOON + 5 * HOUR, NOON + 6 * HOUR],
  ])("goes on in the grid of its interval, %s", async (_, now, next) => {
    const schedule = await pausedSchedule();
    setClock(now);
    const { status, body } = await schedule.resume();
    expect([status, body.data.status, body.data.next_run_at]).toEqual([200, "active", iso(next)]);
    expect(await schedule.row()).toMatchObject({ status: "active", reportDueAt: next });
    await schedule.ringWhenSet();
    await schedule.ringAt(next);
    await hasRun(schedule, [next]);
    await isArmed(schedule);
  });

  it("goes on with the first time its cron names from now on", async () => {
    const schedule = await pausedSchedule({ cron: "30 9 * * *", timezone: "Europe/London" });
    setClock(NOON + 3 * DAY);
    expect((await schedule.resume()).body.data.next_run_at).toBe("2030-01-05T09:30:00.000Z");
  });

  it("is resumed again with 200, and nothing is changed", async () => {
    const schedule = await newSchedule(account);
    const before = await schedule.show();
    setClock(NOW);
    const { status, body } = await schedule.resume();
    expect([status, body.data]).toEqual([200, before]);
  });

  it("is completed if its stop_at passed meanwhile; until then it stays paused", async () => {
    const schedule = await pausedSchedule({ ...HOURLY, stop_at: iso(SECOND_TICK + 1) });
    setClock(SECOND_TICK + 1);
    expect(await schedule.show()).toMatchObject({ status: "paused" });
    const { status, body } = await schedule.resume();
    expect([status, body.data.status, body.data.next_run_at]).toEqual([200, "completed", null]);
    expect((await schedule.resume()).body.code).toBe("schedule_completed");
    await settle(schedule);
    expect(await schedule.isEmpty()).toBe(true);
    await hasRun(schedule, []);
  });

  it("has one more run a millisecond earlier", async () => {
    const schedule = await pausedSchedule({ ...HOURLY, stop_at: iso(SECOND_TICK + 1) });
    setClock(SECOND_TICK - 1);
    expect((await schedule.resume()).body.data).toMatchObject({ status: "active", next_run_at: iso(SECOND_TICK) });
  });
});

describe.each(["pause", "resume", "trigger"] as const)("%s is refused", (action) => {
  it.each(["held by its owner", "known to the read model only"])("for an archived schedule: %s", async (where) => {
    const schedule = await newSchedule(account);
    if (where === "held by its owner") post.stop();
    await schedule.archive();
    if (where !== "held by its owner") await settle(schedule);
    const { status, body } = await schedule[action]();
    expect([status, body.code, body.errors]).toEqual([409, "schedule_archived", []]);
  });

  it.each(["held by its owner", "known to the read model only"])("for a completed schedule: %s", async (where) => {
    const schedule = await newSchedule(account, { ...HOURLY, runs: 1 });
    if (where === "held by its owner") post.stop();
    await schedule.ringAt(FIRST);
    const { status, body } = await schedule[action]();
    expect([status, body.code]).toEqual([409, "schedule_completed"]);
    expect(await schedule.ticks()).toEqual([FIRST]);
  });

  it("for one that is not there, and for another account's", async () => {
    const theirs = await newSchedule(await newAccount());
    for (const id of [theirs.id, theirs.id.replace(/.$/, (last) => (last === "0" ? "1" : "0"))]) {
      const { status, body } = await new ScheduleUnderTest(account, id)[action]();
      expect([status, body.code]).toEqual([404, "schedule_not_found"]);
    }
    expect(await theirs.show()).toMatchObject({ status: "active", revision: 0 });
    expect(await theirs.ticks()).toEqual([]);
  });

  it("for an id that is none", async () => {
    const { status, body } = await api("POST", `/v1/schedules/x/${action}`, { key: account.key });
    expect([status, body.errors[0]?.field]).toEqual([422, "id"]);
  });
});

describe("a tick that was due before the pause", () => {
  it("and held up by D1 is made once D1 is back, and counted; then nobody wakes", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    await schedule.show(); // the key is known from now on
    const outage = databaseDown();
    await schedule.ring();
    expect((await schedule.pause()).body.data).toMatchObject({ status: "paused", next_run_at: null });
    await schedule.ringAt(FIRST + 5 * SECOND);
    expect(await schedule.stored()).toMatchObject({ status: "paused", held: FIRST, runCount: 0 });
    expect(await schedule.alarm()).toBe(FIRST + 10 * SECOND);
    outage.end();
    await schedule.ringAt(NOON + 3.5 * HOUR);
    await hasRun(schedule, [FIRST]);
    await isArmed(schedule);
    await settle(schedule);
    expect(await schedule.row()).toMatchObject({ status: "paused", reportDueAt: null });
    setClock(NOON + 4.5 * HOUR);
    await schedule.resume();
    await schedule.ringAt(NOON + 5 * HOUR);
    await hasRun(schedule, [FIRST, NOON + 5 * HOUR]);
  });

  it.each(["loseAlarm", "wipe"] as const)("is seen to by the sweeper if its owner loses it: %s", async (loses) => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    failAt("before", JOB_INSERT);
    await schedule.ring();
    await schedule.pause();
    expect(await schedule.row()).toMatchObject({ status: "paused", reportDueAt: FIRST + 5 * SECOND });
    await schedule[loses]();
    setClock(FIRST + 5 * MINUTE);
    await sweep();
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
  });

  it.each([
    ["before the resume", FIRST + 5 * SECOND, NOON + 3.5 * HOUR],
    ["after it", NOON + 3.5 * HOUR + 1, NOON + 3.5 * HOUR],
  ])("has its job once, made %s", async (_, madeAt, resumedAt) => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    failAt("before", JOB_INSERT);
    await schedule.ring();
    await schedule.pause();
    if (madeAt < resumedAt) await schedule.ringAt(madeAt);
    setClock(resumedAt);
    await schedule.resume();
    if (madeAt > resumedAt) await schedule.ringAt(madeAt);
    await schedule.ringAt(NOON + 4 * HOUR);
    await hasRun(schedule, [FIRST, NOON + 4 * HOUR]);
  });

  it.each(MOMENTS)("and is being made, %s its insert: one job, counted", async (moment) => {
    const schedule = await newSchedule(account);
    setClock(FIRST + 2);
    const gap = gapAt(moment, JOB_INSERT);
    const rung = schedule.ring();
    await gap.reached();
    expect((await schedule.pause()).status).toBe(200);
    gap.leave();
    await rung;
    await hasRun(schedule, [FIRST]);
    await isArmed(schedule);
    expect(await schedule.show()).toMatchObject({ status: "paused" });
    await settle(schedule);
  });

  it.each(MOMENTS)("and whose owner dies %s its insert: one job, counted once", async (moment) => {
    const schedule = await newSchedule(account);
    setClock(FIRST + 2);
    const gap = gapAt(moment, JOB_INSERT);
    const rung = schedule.ring().catch(() => {});
    await gap.reached();
    await schedule.pause();
    await schedule.crash();
    gap.leave();
    await rung;
    await schedule.ringAfterDeath();
    await hasRun(schedule, [FIRST]);
    await isArmed(schedule);
    expect(await schedule.show()).toMatchObject({ status: "paused" });
  });

  it.each(MOMENTS)("and is being made, %s its insert, when the schedule is paused and resumed", async (moment) => {
    const schedule = await newSchedule(account);
    setClock(FIRST + 2);
    const gap = gapAt(moment, JOB_INSERT);
    const rung = schedule.ring();
    await gap.reached();
    await schedule.pause();
    await schedule.resume();
    gap.leave();
    await rung;
    await schedule.ringAt(SECOND_TICK);
    await hasRun(schedule, [FIRST, SECOND_TICK]);
  });

  it("is the newest of several, unless the oldest has its job already: that one is counted, too", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    const gap = gapAt("after", JOB_INSERT);
    const rung = schedule.ring().catch(() => {});
    await gap.reached();
    await schedule.crash();
    gap.leave();
    await rung;
    setClock(NOON + 4.5 * HOUR);
    const down = databaseDown();
    expect((await schedule.pause()).status).toBe(503);
    down.end();
    await schedule.pause();
    expect(await schedule.show()).toMatchObject({ status: "paused", run_count: 1, missed_runs: 2 });
    await schedule.ring();
    await hasRun(schedule, [FIRST, NOON + 4 * HOUR], 2);
    expect(await schedule.show()).toMatchObject({ status: "paused" });
  });

  it("is given up when the paused schedule is archived", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    failAt("before", JOB_INSERT);
    await schedule.ring();
    await schedule.pause();
    await schedule.archive();
    await schedule.ringAt(FIRST + 5 * SECOND);
    expect(await schedule.ticks()).toEqual([]);
  });
});

describe("when its owner dies", () => {
  it.each(["pause", "resume"] as const)("between %s and its report, the row follows 5 s later", async (action) => {
    const schedule = action === "pause" ? await newSchedule(account) : await pausedSchedule();
    setClock(NOW);
    const status = action === "pause" ? "paused" : "active";
    const before = await schedule.row();
    let isReporting = false;
    const report = () => {
      isReporting = true;
      return scheduler.wait(60_000);
    };
    vi.spyOn(env.PROJECTORS, "getByName").mockImplementationOnce(() => ({ report }) as never);
    const asked = schedule.owner[action](schedule.ref).catch(() => {});
    await until(() => isReporting);
    await schedule.crash();
    await asked;
    expect(await schedule.row()).toEqual(before);
    expect(await schedule.ringAt(NOW + 5 * SECOND)).toBe(true);
    expect((await schedule.row())?.status).toBe(status);
    expect(await schedule.show()).toMatchObject({ status });
  });

  it("in a pause, it is still paused", async () => {
    const schedule = await pausedSchedule();
    await schedule.crash();
    expect(await schedule.show()).toMatchObject({ status: "paused" });
    await settle(schedule);
    setClock(FIRST);
    await schedule.wake();
    await hasRun(schedule, []);
  });

  it("and has lost everything, the row says that it is paused", async () => {
    const schedule = await pausedSchedule();
    await schedule.wipe();
    setClock(NOON + 3.5 * HOUR);
    expect(await schedule.show()).toMatchObject({ status: "paused" });
    await settle(schedule);
    expect((await schedule.resume()).body.data).toMatchObject({ status: "active", next_run_at: iso(NOON + 4 * HOUR) });
  });
});

it("a paused schedule whose row is gone has it written again", async () => {
  const schedule = await pausedSchedule();
  await schedule.deleteRow();
  await schedule.wake();
  await until(async () => (await schedule.row()) !== undefined);
  expect(await schedule.row()).toMatchObject({ status: "paused", revision: 1, reportDueAt: null });
});

it("a schedule whose owner has not heard of it can be paused: the sweeper leaves it alone", async () => {
  const schedule = await unheardSchedule(account);
  setClock(NOW);
  await schedule.pause();
  setClock(FIRST + 5 * MINUTE);
  await sweep();
  await settle(schedule);
  await hasRun(schedule, []);
});

it("a change that meets a pause, or a resume, is laid over it", async () => {
  const schedule = await newSchedule(account);
  const { getByName } = env.SCHEDULES;
  const owner = getByName.call(env.SCHEDULES, `${account.id}/${schedule.id}`);
  for (const action of ["pause", "resume"] as const) {
    let isFirst = true;
    const get = async () => {
      const seen = await owner.get(schedule.ref);
      if (isFirst) await owner[action](schedule.ref);
      isFirst = false;
      return seen;
    };
    const amend = vi.fn((...asked: Parameters<typeof owner.amend>) => owner.amend(...asked));
    const { status, body } = await api("PATCH", `/v1/schedules/${schedule.id}`, {
      key: account.key,
      body: { name: action },
      env: { SCHEDULES: { getByName: () => ({ get, amend }) } },
    });
    expect([status, amend.mock.calls.length]).toEqual([200, 2]);
    expect(body.data).toMatchObject({ name: action, status: action === "pause" ? "paused" : "active" });
  }
});

it("many pauses and resumes together leave one of the two, and the row agrees", async () => {
  const schedule = await newSchedule(account);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? schedule.pause() : schedule.resume())),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  const { status, revision } = await schedule.show();
  expect(await schedule.row()).toMatchObject({ status, revision });
});

it("an unknown query parameter is refused", async () => {
  const made = await postSchedule(account);
  for (const action of ["pause", "resume", "trigger"])
    expect((await api("POST", `/v1/schedules/${made.body.data.id}/${action}?now=1`, { key: account.key })).status).toBe(
      422,
    );
});
