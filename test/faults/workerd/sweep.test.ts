// The sweeper is the net under everything: whatever breaks, it finds within three and a half minutes of its row being
// overdue (within 90 s a row nobody has armed). While all is well it finds nothing. It shares the cron with the look ahead and with
// retention, and none of them depends on another.

import { createScheduledController, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../../src/index.ts";
import { type Account, newAccount, resume, suspend } from "../../workerd/harness/account.ts";
import { advance, DAY, HOUR, hurry, iso, MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { JobUnderTest, newJob, PUSH, unarmedJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import type { OwnerUnderTest } from "../../workerd/harness/owner.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver, TARGET } from "../../workerd/harness/receiver.ts";
import { insertMany, insertRows } from "../../workerd/harness/rows.ts";
import { newSchedule } from "../../workerd/schedules/schedule.ts";
import { PlatformAlarm } from "./harness/platform.ts";
import { forgetful, pullQueuesAre } from "./harness/pull-queues.ts";
import { recover, sweepNow } from "./harness/recovery.ts";
import { fullMinutes, World } from "./harness/world.ts";

const LIMIT_MS = 3.5 * MINUTE;
const UNARMED_LIMIT_MS = 90 * SECOND;
/** What a Worker may ask for in one invocation, as we set it, and on the Free plan. */
const SUBREQUESTS = 10_000;
const FREE_SUBREQUESTS = 50;

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "executions", "schedules", "look_ahead", "retention_walk", "accounts"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

const losesItsAlarm = ({ owner }: OwnerUnderTest<unknown>) =>
  runInDurableObject(owner, (_, { storage }) => storage.deleteAlarm());

const losesEverything = (job: JobUnderTest) => job.wipe();

const PULL = { handler: "work", delivery: { type: "pull" }, timeout: 60 };

/** What broke, and when the row was overdue by then. */
const BREAKAGES: Record<string, () => Promise<{ job: JobUnderTest; overdueAt: number }>> = {
  "a waiting job that lost its alarm": async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await losesItsAlarm(job);
    return { job, overdueAt: NOON + HOUR };
  },
  "a job that waits for its retry and lost its alarm": async () => {
    receiver.answers(500, 200);
    const job = await newJob(account);
    await job.ring();
    await losesItsAlarm(job);
    return { job, overdueAt: Date.parse((await job.show()).run_at ?? "") };
  },
  "a queued job that lost its alarm and its offer": async () => {
    const job = await newJob(account, PULL);
    const forgets = pullQueuesAre(forgetful);
    await job.ring();
    forgets.end();
    await job.ringWhenSet();
    await losesItsAlarm(job);
    return { job, overdueAt: NOON + MINUTE };
  },
  "a push in flight whose instance died and whose alarm was lost": async () => {
    const held = receiver.holds();
    const job = await newJob(account);
    const ringing = new PlatformAlarm(job).ring();
    await held.arrived();
    await job.crash();
    await ringing;
    receiver.answers(200);
    await losesItsAlarm(job);
    return { job, overdueAt: NOON };
  },
  "a job whose owner lost everything": async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await losesEverything(job);
    return { job, overdueAt: NOON + HOUR };
  },
};

describe("within three and a half minutes the sweeper brings back", () => {
  it.each(Object.entries(BREAKAGES))("%s", async (_, breaks) => {
    const { job, overdueAt } = await breaks();
    setClock(overdueAt);
    const tookMs = await recover(job);
    const backoffMs = 2 * SECOND;
    expect(tookMs).toBeLessThanOrEqual(LIMIT_MS + backoffMs);
    expect(await job.show()).toMatchObject({ status: "completed" });
  });

  it("an end the read model never heard of, whose owner lost its alarm", async () => {
    post.stop();
    const job = await newJob(account);
    await job.ring();
    await losesItsAlarm(job);
    post.goOn();
    await new World(account).passUntil(NOON + LIMIT_MS);
    expect(await job.row()).toMatchObject({ status: "completed", reportDueAt: null });
    expect(await job.isEmpty()).toBe(true);
    expect(receiver.received).toHaveLength(1);
  });

  it.each([
    ["its alarm", losesItsAlarm],
    ["everything", (owner: OwnerUnderTest<unknown>) => owner.wipe()],
  ])("a schedule whose owner lost %s", async (_, breaks) => {
    const schedule = await newSchedule(account, { interval: { value: 1, unit: "hour" }, delivery: PUSH });
    await breaks(schedule);
    setClock(NOON + HOUR);
    const world = new World(account);
    await world.add(schedule);
    await world.passUntil(NOON + HOUR + LIMIT_MS);
    expect(await schedule.ticks()).toEqual([NOON + HOUR]);
    expect(receiver.received).toHaveLength(1);
  });

  it("a row that nobody has armed, within 90 seconds", async () => {
    const job = await unarmedJob(account);
    expect(await recover(job)).toBeLessThanOrEqual(UNARMED_LIMIT_MS);
    expect(receiver.received).toHaveLength(1);
  });
});

describe("a healthy service", () => {
  const WARNINGS = ["sweep", "sweep_failed", "look_ahead_failed", "retention_failed", "cron_fault", "alarm_fault"];
  const isQuiet = () => expect(WARNINGS.flatMap((event) => logs.of(event))).toEqual([]);
  const to = (path: string) => ({ delivery: { type: "push", http: { ...PUSH.http, url: `${TARGET}/${path}` } } });
  const lease = async (job: JobUnderTest) => {
    const [execution] = (await job.stored())?.executions ?? [];
    expect(await job.owner.lease(job.ref, execution?.id ?? "", null)).toMatchObject({ ok: true });
    return execution?.id ?? "";
  };

  it("has nothing swept in an hour of mixed work", { timeout: 120_000 }, async () => {
    receiver.answersAt(`${TARGET}/late`, 500, 500, 500, 200);
    receiver.answersAt(`${TARGET}/never`, 500);
    receiver.answersAt(`${TARGET}/refuses`, 400);
    const held = await newAccount();
    const world = new World(account, held);
    const pull = (handler: string) => ({ handler, delivery: { type: "pull" } });
    // The cron rings on the full minute, when most jobs are due.
    for (const at of fullMinutes(60)) await newJob(account, { scheduled_for: iso(at) });
    for (const second of [1, 44, 45, 46, 59])
      await newJob(account, { scheduled_for: iso(NOON + 5 * MINUTE + second * SECOND) });
    await newJob(account, to("late"));
    await newJob(account, { ...to("never"), max_retries: 50 });
    await newJob(account, to("refuses"));
    await newJob(account, { ...to("far"), scheduled_for: iso(NOON + 66 * MINUTE) });
    const waiting = await newJob(account, { ...pull("nobody"), scheduled_for: iso(NOON + 7 * MINUTE) });
    const cancelled = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    world.at(NOON + 20 * MINUTE, () => cancelled.cancel());
    // Leases: one kept for the whole hour by its heartbeats, one let go, one that runs out.
    const kept = await newJob(account, { ...pull("work"), timeout: 60 });
    const released = await newJob(account, { ...pull("work"), timeout: 600 });
    const lost = await newJob(account, { ...pull("work"), timeout: 90, max_retries: 5 });
    world.at(NOON + 30 * SECOND, async () => {
      const executionId = await lease(kept);
      for (let at = Date.now() + 40 * SECOND; at < NOON + 75 * MINUTE; at += 40 * SECOND)
        world.at(at, async () => expect(await kept.owner.heartbeat(kept.ref, executionId)).toMatchObject({ ok: true }));
      await lease(lost);
      const other = await lease(released);
      world.at(NOON + 4 * MINUTE, () => released.owner.release(other));
    });
    for (const [interval, more] of [
      [5, PUSH],
      [7, { type: "pull" }],
    ] as const)
      await world.add(
        await newSchedule(account, {
          interval: { value: interval, unit: "minute" },
          handler: "nobody",
          delivery: more,
        }),
      );
    await world.add(await newSchedule(account, { cron: "*/10 * * * *", delivery: PUSH }));
    // An account that is suspended for half an hour, its jobs and its schedule due meanwhile.
    await newJob(held, { scheduled_for: iso(NOON + 15 * MINUTE) });
    await newJob(held, { ...pull("work"), scheduled_for: iso(NOON + 18 * MINUTE) });
    await world.add(await newSchedule(held, { interval: { value: 12, unit: "minute" }, delivery: PUSH }));
    world.at(NOON + 10 * MINUTE, () => suspend(held));
    world.at(NOON + 40 * MINUTE, () => resume(held));

    await world.passUntil(NOON + 75 * MINUTE);
    isQuiet();
    expect((await kept.show()).status).toBe("running");
    expect((await waiting.show()).status).toBe("queued");
    // The work was done: 65 jobs, the retried and the far one, the held one, and the ticks.
    const completed = await env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE status = 'completed'").first<number>(
      "n",
    );
    expect(completed).toBeGreaterThanOrEqual(65 + 3 + 15 + 7);
  });

  it("has no push swept that takes ten minutes", async () => {
    const target = receiver.holds();
    const job = await newJob(account, { timeout: 600 });
    const hurried = hurry(); // what lasts is reported after five seconds
    const ringing = job.ring();
    await target.arrived();
    await until(() => post.sent.length > 0);
    hurried.end();
    await until(async () => (await job.row())?.status === "running");
    for (const at of fullMinutes(9)) {
      setClock(at);
      await sweepNow();
    }
    isQuiet();
    target.release(200);
    await ringing;
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 1 });
  });
});

describe("10,000 queued jobs that wait for a worker", () => {
  it("cost a sweep a question for each kind of row, and no object is woken", async () => {
    await insertMany(account, 10_000, { status: "queued", revision: 2, reportDueAt: NOON + 30 * MINUTE });
    const asked = countingEnv();
    await worker.scheduled(createScheduledController(), asked.env);
    expect(asked.woken).toEqual([]);
    expect(logs.of("sweep")).toEqual([]);
    const sweeps = asked.statements.filter((text) => text.includes("report_due_at <="));
    const ahead = asked.statements.filter((text) => /"report_due_at" <= /.test(text));
    expect([sweeps.length, ahead.length]).toEqual([3, 1]);
    for (const text of [...sweeps, ...ahead]) {
      const values = Array(text.match(/\?/g)?.length ?? 0).fill(NOON);
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
        .bind(...values)
        .all<{ detail: string }>();
      expect(results.map(({ detail }) => detail).join()).toMatch(
        /SEARCH \w+ USING (?:COVERING )?INDEX (?:jobs|schedules|bulk_actions)_report_due/,
      );
    }
  });
});

describe("10,000 overdue rows", () => {
  it("are all asked about once before any is asked again, in runs within a Worker's limits", async () => {
    await insertMany(account, 10_000, { revision: 0, reportDueAt: NOON - MINUTE });
    const asked: string[] = [];
    for (let run = 0; asked.length < 10_000 && run < 8; run++) {
      setClock(NOON + run * MINUTE);
      const cron = countingEnv();
      await worker.scheduled(createScheduledController(), cron.env);
      expect(cron.calls()).toBeLessThanOrEqual(SUBREQUESTS);
      asked.push(...cron.woken);
    }
    expect(new Set(asked.slice(0, 10_000)).size).toBe(10_000);
  });
});

describe("a crowd of 10,000 jobs far ahead, due in one minute", () => {
  it("is taken up in runs within a Worker's limits, each job once, long before its time", async () => {
    await insertMany(account, 10_000, { revision: 0, reportDueAt: NOON + HOUR });
    const asked: string[] = [];
    for (let run = 0; run < 10; run++) {
      setClock(NOON + run * MINUTE);
      const cron = countingEnv();
      await worker.scheduled(createScheduledController(), cron.env);
      expect(cron.calls()).toBeLessThanOrEqual(SUBREQUESTS);
      asked.push(...cron.woken);
    }
    expect([asked.length, new Set(asked).size]).toEqual([10_000, 10_000]);
    expect(logs.of("look_ahead_failed")).toEqual([]);
  });
});

describe("with the 50 calls of the Free plan", () => {
  it("look ahead, sweep and retention stop in good order, go on a minute later, and all get done", async () => {
    const old = { createdAt: NOON - 40 * DAY };
    await insertRows(
      account,
      Array.from({ length: 100 }, () => ({ revision: 0, reportDueAt: NOON + HOUR })),
    );
    await insertRows(
      account,
      Array.from({ length: 60 }, () => ({ revision: 1, reportDueAt: NOON - HOUR })),
    );
    await insertMany(await newAccount(), 1_200, { ...old, status: "completed" });
    const woken: string[] = [];
    let minute = 0;
    const oldRows = () =>
      env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE status = 'completed'").first<number>("n");
    for (; minute < 12; minute++) {
      setClock(NOON + minute * MINUTE);
      const cron = countingEnv({ SUBREQUESTS: `${FREE_SUBREQUESTS}` });
      await worker.scheduled(createScheduledController(), cron.env);
      expect(cron.calls()).toBeLessThanOrEqual(FREE_SUBREQUESTS);
      woken.push(...cron.woken);
    }
    expect(new Set(woken).size).toBe(160);
    expect(await oldRows()).toBe(0);
    expect(
      ["cron_fault", "look_ahead_failed", "sweep_failed", "retention_failed"].flatMap((event) => logs.of(event)),
    ).toEqual([]);
  });
});

describe("a task of the cron that fails", () => {
  /** A task, the table it misses, and what it does not do meanwhile. */
  const TASKS = [
    ["look_ahead", "look_ahead", "near"],
    ["retention", "retention_walk", "old"],
    ["sweep", "schedules", null],
  ] as const;

  it.each(TASKS)(
    "%s, because the table %s is missing, is logged, and all others do their work",
    async (task, table, not) => {
      const near = await newJob(account, { scheduled_for: iso(NOON + DAY) });
      const [oldId = ""] = await insertRows(account, [{ createdAt: NOON - 40 * DAY, status: "completed" }]);
      setClock(NOON + DAY - HOUR);
      const lost = await unarmedJob(account);
      advance(MINUTE);
      await env.DB.prepare(`ALTER TABLE ${table} RENAME TO missing`).run();
      await sweepNow();
      await env.DB.prepare(`ALTER TABLE missing RENAME TO ${table}`).run();
      expect(logs.of("cron_fault")).toMatchObject([{ level: "error", task }]);
      const done = {
        near: !(await near.isEmpty()),
        old: (await new JobUnderTest(account, oldId).row()) === undefined,
        lost: !(await lost.isEmpty()),
      };
      expect(done).toEqual({ near: not !== "near", old: not !== "old", lost: true });
    },
  );
});

/** The environment with everything an invocation asks for counted; its job objects answer and do nothing. */
function countingEnv(more: object = {}) {
  const woken: string[] = [];
  const statements: string[] = [];
  let queries = 0;
  const owners = { getByName: (name: string) => ({ wake: async () => woken.push(name) > 0 }) };
  const counted = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name: keyof D1PreparedStatement) {
        if (name === "bind") return (...values: unknown[]) => counted(target.bind(...values));
        const asked: unknown = target[name]; // a batch reads what the statement holds
        if (typeof asked !== "function") return asked;
        return (...values: never[]) => {
          queries += 1;
          return asked.apply(target, values);
        };
      },
    });
  const DB = {
    prepare: (text: string) => {
      statements.push(text);
      return counted(env.DB.prepare(text));
    },
    batch: (all: D1PreparedStatement[]) => {
      queries += 1;
      return env.DB.batch(all);
    },
  };
  const around = { ...env, ...more, DB, JOBS: owners } as unknown as Cloudflare.Env;
  return { env: around, woken, statements, calls: () => queries + woken.length };
}
