// D1 on its worst days. Creating answers 201 or 503 and means it; live jobs go on without it; a minute after its return
// everything agrees.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api, type JobJson, must } from "../../workerd/harness/api.ts";
import { HOUR, hurry, iso, MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { answerLost, databaseDown, databaseSlow, type Outage, OVERLOADED } from "../../workerd/harness/database.ts";
import { JobUnderTest, newJob, PUSH } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { receiver, TARGET } from "../../workerd/harness/receiver.ts";
import { newSchedule } from "../../workerd/schedules/schedule.ts";
import { recover } from "./harness/recovery.ts";
import { World } from "./harness/world.ts";

const CANARY = "canary-5c3e";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(200); // the key is known here from now on
});

const LOST = "D1_ERROR: Network connection lost.";

/** How D1 may fail a create, and what is true then. Its words hold what must not get out. */
const DAYS: readonly [string, 201 | 503, () => Outage][] = [
  ["is down", 503, () => databaseDown(`D1_ERROR: internal error ${CANARY}`)],
  ["is overloaded", 503, () => databaseDown(`${OVERLOADED} ${CANARY}`)],
  ["loses the connection", 503, () => databaseDown(`${LOST} ${CANARY}`)],
  ["was reset", 503, () => databaseDown(`D1_ERROR: storage caused object to be reset ${CANARY}`)],
  ["applies the write unheard", 201, () => answerLost("insert", `D1_ERROR: internal error ${CANARY}`)],
  ["applies the write unheard, and takes it again", 201, () => answerLost("insert", `${LOST} ${CANARY}`)],
  ["applies the write unheard, twice", 201, () => answerLost("insert", `${LOST} ${CANARY}`, { times: 2 })],
  [
    "applies the write unheard, and cannot be asked",
    503,
    () => answerLost("insert", `D1_ERROR: internal error ${CANARY}`, { blind: true }),
  ],
];

const body = { name: "a job", delivery: PUSH, idempotency_key: "once", payload: { text: CANARY } };
const post201 = () => api<JobJson>("POST", "/v1/jobs", { key: account.key, body });
const countJobs = () =>
  env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE account_id = ?").bind(account.id).first<number>("n");

describe.each(DAYS)("a job created while D1 %s", (_, status, begins) => {
  it(`is answered ${status}; tried again it is one job, and it runs once`, async () => {
    const outage = begins();
    const first = await post201();
    outage.end();
    expect(first.status).toBe(status);
    if (first.status === 503) expect(Number(first.headers.get("Retry-After"))).toBeGreaterThan(0);
    const again = await post201();
    // A 409 is true only where the first try has made the job.
    expect([201, 409]).toContain(again.status);
    if (again.status === 409) expect(await countJobs()).toBe(1);
    const id = first.status === 201 ? first.body.data.id : again.body.data.id;
    expect(again.body.data.id).toBe(id);
    expect(await countJobs()).toBe(1);
    await recover(new JobUnderTest(account, id));
    expect(receiver.received).toHaveLength(1);
    if (status === 503) expect(first.text).not.toContain(CANARY);
    expect(logs.lines.join()).not.toContain(CANARY);
  });
});

describe("a job created while D1 takes 30 s for everything", () => {
  it("is answered 503 after ten; the insert that comes later is one job, found by the next try, and it runs once", async () => {
    const hurried = hurry();
    const outage = databaseSlow(30 * SECOND);
    expect((await post201()).status).toBe(503);
    outage.end();
    hurried.end();
    expect(await countJobs()).toBe(0);
    await until(async () => (await countJobs()) === 1);
    const again = await post201();
    expect([again.status, again.body.code]).toEqual([409, "idempotency_key_conflict"]);
    await recover(new JobUnderTest(account, again.body.data.id));
    expect(receiver.received).toHaveLength(1);
  });

  it("and tried again before that insert has come is that second job, and the late insert makes none", async () => {
    const hurried = hurry();
    const outage = databaseSlow(30 * SECOND);
    expect((await post201()).status).toBe(503);
    outage.end();
    hurried.end();
    const again = await post201();
    expect(again.status).toBe(201);
    await scheduler.wait(400); // hurried, too: the late insert has come by now
    expect(await countJobs()).toBe(1);
    await recover(new JobUnderTest(account, again.body.data.id));
    expect(receiver.received).toHaveLength(1);
  });

  it("keeps no live job from its work", async () => {
    const [pushed, pulled] = [
      await newJob(account),
      await newJob(account, { handler: "work", delivery: { type: "pull" } }),
    ];
    hurry();
    const outage = databaseSlow(30 * SECOND);
    await Promise.all([pushed.ring(), pulled.ring()]);
    const execution_id = (await pulled.executions())[0]?.id;
    for (const word of ["start", "complete"]) {
      const path = `/v1/worker/jobs/${pulled.id}/${word}`;
      expect((await api("POST", path, { key: account.key, body: { execution_id } })).status).toBe(200);
    }
    expect(await pushed.show()).toMatchObject({ status: "completed" });
    outage.end();
  });
});

it("a schedule whose insert was applied although its answer was lost is created once", async () => {
  const lost = answerLost("insert", `D1_ERROR: internal error ${CANARY}`);
  const schedule = { name: "ticks", interval: { value: 1, unit: "hour" }, delivery: PUSH };
  const answer = await api<{ id: string }>("POST", "/v1/schedules", { key: account.key, body: schedule });
  lost.end();
  expect(answer.status).toBe(201);
  expect((await api<unknown[]>("GET", "/v1/schedules", { key: account.key })).body.data).toHaveLength(1);
});

describe("while D1 is down", () => {
  it("live jobs fire, are retried, claimed, reported and cancelled for an hour; then all agrees within a minute", async () => {
    receiver.answers(500, 200);
    const pull = { handler: "work", delivery: { type: "pull" } };
    const pushed = await newJob(account);
    const pulled = await newJob(account, pull);
    const cancelled = await newJob(account, { delay: { value: 1, unit: "hour" } });
    await pulled.ring();
    const outage = databaseDown();
    await pushed.ring();
    for (const at of [NOON + MINUTE, NOON + 30 * MINUTE, NOON + 55 * MINUTE]) {
      setClock(at);
      expect((await api("GET", `/v1/jobs/${pushed.id}`, { key: account.key })).status).toBe(200);
      await pushed.ring();
    }
    expect(await pushed.show()).toMatchObject({ status: "completed", attempts: 2 });
    const claim = { key: account.key, body: { handlers: ["work"], wait_time_seconds: 0 } };
    await pulled.ring();
    const claimed = await api<{ job_id: string; execution_id: string }>("POST", "/v1/worker/jobs/claim", claim);
    expect(claimed.body.data.job_id).toBe(pulled.id);
    const report = { key: account.key, body: { execution_id: claimed.body.data.execution_id } };
    expect((await api("POST", `/v1/worker/jobs/${pulled.id}/heartbeat`, report)).status).toBe(200);
    expect((await api("POST", `/v1/worker/jobs/${pulled.id}/complete`, report)).status).toBe(200);
    expect((await cancelled.cancel()).status).toBe(200);
    const world = new World(account);
    await world.passUntil(NOON + HOUR);
    outage.end();
    await world.passUntil(NOON + HOUR + MINUTE);
    expect(await pushed.row()).toMatchObject({ status: "completed", attempt: 2, reportDueAt: null });
    expect(await pulled.row()).toMatchObject({ status: "completed", attempt: 1, reportDueAt: null });
    expect(await cancelled.row()).toMatchObject({ status: "cancelled", reportDueAt: null });
  });

  it("for sixteen minutes, every state is in the list within a minute of its return", async () => {
    const to = (path: string) => ({ delivery: { type: "push", http: { ...PUSH.http, url: `${TARGET}/${path}` } } });
    const pull = (handler: string) => ({ handler, delivery: { type: "pull" }, timeout: 3_600 });
    receiver.answersAt(`${TARGET}/refuses`, 400);
    receiver.answersAt(`${TARGET}/fails`, 500);
    const soon = { scheduled_for: iso(NOON + 90 * SECOND) };
    const jobs = {
      completed: await newJob(account, { ...soon, ...to("well") }),
      failed: await newJob(account, { ...soon, ...to("refuses") }),
      retrying: await newJob(account, { ...soon, ...to("fails"), max_retries: 50 }),
      queued: await newJob(account, { ...soon, ...pull("nobody") }),
      running: await newJob(account, { ...soon, ...pull("work") }),
      cancelled: await newJob(account, { delay: { value: 1, unit: "hour" } }),
      pending: await newJob(account, { delay: { value: 1, unit: "hour" } }),
    };
    const schedule = await newSchedule(account, { interval: { value: 5, unit: "minute" }, ...pull("nobody") });
    const world = new World(account);
    await world.add(schedule);
    await world.passUntil(NOON + MINUTE);
    const outage = databaseDown();
    world.at(NOON + 3 * MINUTE, async () => {
      const [execution] = (await jobs.running.stored())?.executions ?? [];
      const leased = await jobs.running.owner.lease(jobs.running.ref, execution?.id ?? "", null);
      expect(leased.ok).toBe(true);
    });
    world.at(NOON + 9 * MINUTE, async () => expect((await jobs.cancelled.cancel()).status).toBe(200));
    await world.passUntil(NOON + 17 * MINUTE);
    expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(503);
    outage.end();
    await world.passUntil(NOON + 18 * MINUTE);
    const listed = await must(api<JobJson[]>("GET", "/v1/jobs?schedule_id=null&size=100", { key: account.key }));
    const statusOf = new Map(listed.map(({ id, status }) => [id, status]));
    const shown = Object.values(jobs).map(({ id }) => statusOf.get(id));
    expect(shown).toEqual(Object.keys(jobs));
    // The tick that fell due first was held; those that fell due behind it were missed.
    expect(await schedule.ticks()).toEqual([NOON + 5 * MINUTE]);
    expect((await schedule.row())?.state).toMatchObject({ runCount: 1, missedRuns: 2, nextRunAt: NOON + 20 * MINUTE });
    expect(logs.of("alarm_fault")).toEqual([]);
  });
});

describe("a batch that fails", () => {
  it("before it was applied, or after: nothing is lost, nothing undone", async () => {
    const jobs = [await newJob(account), await newJob(account), await newJob(account)];
    const batch = env.DB.batch.bind(env.DB);
    let calls = 0;
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      calls += 1;
      if (calls === 1) throw new Error("D1_ERROR: internal error");
      const answer = await batch<never>(statements);
      if (calls === 2) throw new Error("D1_ERROR: internal error"); // applied, and its answer is lost
      return answer;
    });
    for (const job of jobs) await job.ring();
    expect(await jobs[0]?.row()).toMatchObject({ status: "pending", revision: 0 });
    expect(await jobs[1]?.row()).toMatchObject({ status: "completed", revision: 3 });
    expect([await jobs[0]?.isEmpty(), await jobs[1]?.isEmpty(), await jobs[2]?.isEmpty()]).toEqual([
      false,
      false,
      true,
    ]);
    await new World(account).passUntil(NOON + MINUTE);
    for (const job of jobs) {
      expect(await job.row()).toMatchObject({ status: "completed", attempt: 1, revision: 3 });
      expect(await job.isEmpty()).toBe(true);
    }
    expect(receiver.received).toHaveLength(3);
  });
});
