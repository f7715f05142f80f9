// An account moves to another database while it is used: whoever asks, whenever, is answered by one of the two, and nothing is lost.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { newBulkAction } from "../../workerd/bulk-actions/bulk-action.ts";
import { type Account, newAccount, remove, suspend } from "../../workerd/harness/account.ts";
import { ADMIN, api, type JobJson, must } from "../../workerd/harness/api.ts";
import { advance, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { databaseDown } from "../../workerd/harness/database.ts";
import { JobUnderTest, newJob, postJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { reportAt } from "../../workerd/harness/reports.ts";
import { insertRows } from "../../workerd/harness/rows.ts";
import { newSchedule } from "../../workerd/schedules/schedule.ts";
import { MoveUnderTest } from "./move.ts";
import { countIn, DATABASES, forgetMoves, rowsIn } from "./two-databases.ts";

let account: Account;
let moving: MoveUnderTest;
beforeEach(async () => {
  account = await newAccount("a tenant", 0);
  moving = new MoveUnderTest(account);
});

afterEach(forgetMoves);

const cron = () => worker.scheduled(createScheduledController(), env);
const list = async () => (await api<JobJson[]>("GET", "/v1/jobs", { key: account.key })).body.data.map(({ id }) => id);
const rowOf = ({ id }: JobUnderTest, database: number) =>
  (DATABASES[database as 0] as D1Database)
    .prepare("SELECT status, revision FROM jobs WHERE account_id = ? AND id = ?")
    .bind(account.id, id)
    .first<{ status: string; revision: number }>();

describe("the operator", () => {
  it("asks for it, sees where the account goes, and then that it is there", async () => {
    const asked = await moving.ask(1);
    expect(asked.status).toBe(202);
    expect(asked.body.data).toMatchObject({ id: account.id, database: 0, moving_to: 1 });
    await moving.runToItsEnd();
    const { body } = await api<{ id: string }[]>("GET", "/v1/admin/accounts?size=100", { key: ADMIN });
    expect(body.data.find(({ id }) => id === account.id)).toMatchObject({ database: 1, moving_to: null });
  });

  it("may ask again, and for where it lives, but not for another one meanwhile", async () => {
    expect((await moving.ask(0)).body.data).toMatchObject({ database: 0, moving_to: null });
    await moving.ask(1);
    expect(await moving.ask(1)).toMatchObject({ status: 202, body: { data: { moving_to: 1 } } });
    expect(await moving.ask(2)).toMatchObject({ status: 409, body: { code: "conflict" } });
    await moving.runToItsEnd();
    expect(await moving.residence()).toEqual({ database: 1, moving_to: null });
  });

  it("is told which databases there are", async () => {
    const refused = await moving.ask(7);
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toEqual([{ field: "database", message: expect.stringContaining("0, 1, 2, 3") }]);
  });

  it("moves none within ten minutes after a database was bound: instances from before may not know it", async () => {
    const ask = (since: number) =>
      api("POST", `/v1/admin/accounts/${account.id}/move`, {
        key: ADMIN,
        body: { database: 1 },
        env: { DATABASES_SINCE: iso(since) },
      });
    const refused = await ask(NOON - 10 * MINUTE + 1);
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([503, "1"]);
    expect(refused.body.message).toContain("Move the account in 1 s.");
    expect((await moving.residence()).moving_to).toBe(null);
    expect((await ask(NOON - 10 * MINUTE)).status).toBe(202);
  });

  it("cannot move an account that is not there, or is deleted", async () => {
    await remove(account);
    expect((await moving.ask(1)).status).toBe(404);
    expect((await new MoveUnderTest({ ...account, id: crypto.randomUUID() }).ask(1)).status).toBe(404);
  });
});

describe("an account that moves", () => {
  it("is wholly there afterwards, and nothing is left behind", async () => {
    const before = await newJob(account, { idempotency_key: "k", payload: { a: [1, "\u{1F600}"] } });
    await before.ring();
    const far = await newJob(account, { scheduled_for: iso(NOON + 5 * HOUR) });
    const shown = [await before.show(), await far.show()];
    await moving.ask(1);
    await moving.runToItsEnd();
    expect((await list()).sort()).toEqual([far.id, before.id].sort());
    expect([await before.show(), await far.show()]).toEqual(shown);
    const after = await newJob(account);
    expect([await rowOf(after, 0), await rowOf(after, 1)]).toEqual([null, expect.anything()]);
    expect(await countIn(DATABASES[0], account.id)).toBeGreaterThan(0);
    await cron();
    expect(await countIn(DATABASES[0], account.id)).toBe(0);
    expect(await moving.stages()).toEqual(["gone", "here", undefined]);
    expect(await list()).toHaveLength(3);
  });

  it("goes there and back, and on, and each time it is all there", async () => {
    const jobs = [await newJob(account, { scheduled_for: iso(NOON + 5 * HOUR) })];
    for (const to of [1, 0, 2, 1, 0]) {
      await moving.ask(to);
      await moving.runToItsEnd();
      jobs.push(await newJob(account, { scheduled_for: iso(NOON + 5 * HOUR) }));
      await jobs[0]?.edit({ name: `in ${to}` });
      expect(await moving.residence()).toEqual({ database: to, moving_to: null });
      expect((await list()).sort()).toEqual(jobs.map(({ id }) => id).sort());
      expect((await jobs[0]?.show())?.name).toBe(`in ${to}`);
      if (to === 2) await cron();
    }
  });

  it("is answered 503 when it creates or changes something, for as long as it is frozen, and reads meanwhile", async () => {
    const far = await newJob(account, { scheduled_for: iso(NOON + 5 * HOUR) });
    await moving.ask(1);
    await moving.stepToStage("frozen");
    for (const refused of [
      await postJob(account, { idempotency_key: "k" }),
      await api("POST", "/v1/jobs/batch", { key: account.key, body: { jobs: [] } }).then(() => postJob(account)),
      await far.edit({ name: "new" }),
      await api("POST", "/v1/schedules", {
        key: account.key,
        body: { name: "s", cron: "* * * * *", timezone: "UTC", delivery: { type: "pull" }, handler: "h" },
      }),
    ]) {
      expect(refused).toMatchObject({ status: 503, body: { code: "unavailable" } });
      expect(Number(refused.headers.get("Retry-After"))).toBeLessThanOrEqual(5);
    }
    expect((await far.show()).name).toBe("a job");
    expect(await list()).toEqual([far.id]);
    await moving.runToItsEnd();
    const first = await must(postJob(account, { idempotency_key: "k" }));
    const second = await postJob(account, { idempotency_key: "k" });
    expect(second).toMatchObject({ status: 409, body: { data: { id: first.id } } });
    expect((await far.edit({ name: "new" })).status).toBe(200);
  });

  it("is read where it lives for as long as the directory does not answer, and arrives afterwards", async () => {
    const resident = await newAccount("a tenant of DB_1", 1);
    const job = await newJob(resident, { scheduled_for: iso(NOON + 5 * HOUR) });
    const leaving = new MoveUnderTest(resident);
    await leaving.ask(2);
    await leaving.stepToStage("frozen");
    const outage = databaseDown();
    for (let ring = 0; ring < 4; ring++) {
      advance(SECOND);
      await leaving.ring();
    }
    expect(await leaving.stageIn(1)).toBe("frozen");
    expect((await api<{ id: string }[]>("GET", "/v1/jobs", { key: resident.key })).body.data).toMatchObject([
      { id: job.id },
    ]);
    outage.end();
    await leaving.runToItsEnd();
    expect(await leaving.residence()).toEqual({ database: 2, moving_to: null });
  });

  it("is read again while a move that has died after its closing copies once more", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + 5 * HOUR) });
    await moving.ask(1);
    await moving.stepToStage("closed");
    expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(503);
    await moving.evict();
    await moving.stepToStage("frozen");
    expect(await list()).toEqual([job.id]);
    await moving.runToItsEnd();
    expect(await moving.residence()).toEqual({ database: 1, moving_to: null });
  });

  it("has one job under a key whose creation was answered before it moved", async () => {
    const first = await must(postJob(account, { idempotency_key: "k" }));
    await moving.ask(1);
    await moving.runToItsEnd();
    expect(await postJob(account, { idempotency_key: "k" })).toMatchObject({
      status: 409,
      body: { data: { id: first.id } },
    });
    expect(await list()).toHaveLength(1);
  });

  it.each(["frozen", "closed"] as const)(
    "fires what is due while it is %s, and its end is in the list a minute later",
    async (stage) => {
      const job = await newJob(account, { scheduled_for: iso(NOON + MINUTE) });
      await moving.ask(1);
      await moving.stepToStage(stage);
      receiver.answers(200);
      await job.ringAt(NOON + MINUTE);
      expect(receiver.received).toHaveLength(1);
      expect(await rowOf(job, 0)).toMatchObject({ status: "pending" });
      await moving.runToItsEnd();
      await job.ringUntilEmpty();
      expect(Date.now()).toBeLessThan(NOON + 3 * MINUTE);
      expect(await rowOf(job, 1)).toMatchObject({ status: "completed" });
      expect(await rowOf(job, 0)).toMatchObject({ status: "pending" });
      expect(receiver.received).toHaveLength(1);
    },
  );

  it("holds up no other account's reports", async () => {
    const other = await newAccount("another", 0);
    const [mine, others] = [await newJob(account), await newJob(other)];
    await moving.ask(1);
    await moving.stepToStage("frozen");
    const projector = env.PROJECTORS.get(env.PROJECTORS.idFromName("DB"));
    const answers = await Promise.all(
      [mine, others, mine].map((job, i) => projector.report(reportAt(job, 5 + i), 100)),
    );
    expect(answers).toEqual(["moving", "stored", "moving"]);
    expect((await others.row())?.revision).toBe(6);
    expect((await mine.row())?.revision).toBeLessThan(5);
  });

  it("does not take a row that is elsewhere for one that was deleted", async () => {
    await newJob(account); // this isolate knows where the account lives
    await moving.ask(1);
    await moving.runToItsEnd();
    const projector = env.PROJECTORS.get(env.PROJECTORS.idFromName("DB"));
    const id = crypto.randomUUID();
    expect(await projector.report(reportAt(new JobUnderTest(account, id), 5), 100)).toBe("moving");
    const made = await newJob(account, { scheduled_for: iso(NOON + 10 * MINUTE) });
    expect((await made.call("GET")).status).toBe(200);
    await made.wipe();
    expect(await made.owner.wake(made.ref)).toBe(true);
    expect(await made.alarm()).not.toBeNull();
  });

  it("takes its overview with it, what was not yet counted included", async () => {
    receiver.answers(200, 404, 200);
    for (let i = 0; i < 3; i++) await (await newJob(account)).ring();
    const overview = async () => (await api<object>("GET", "/v1/overview", { key: account.key })).body.data;
    await moving.ask(1);
    await moving.stepTo("frozen");
    const before = await overview();
    receiver.answers(200);
    const late = await newJob(account); // counted in the memory of the projector alone
    await late.ring();
    await moving.runToItsEnd();
    advance(-(Date.now() - NOON));
    const sums = async () => (await rowsIn(DATABASES[1], account.id)).overview?.find(({ minute }) => minute === 0);
    expect(await sums()).toMatchObject({ started: 4, completed: 3, failed: 1 });
    expect(before).toBeDefined();
    for (const name of ["DB", "DB_1"]) await env.PROJECTORS.get(env.PROJECTORS.idFromName(name)).flush();
    await cron();
    setClock(NOON + 12 * MINUTE);
    await cron();
    await cron();
    expect(await sums()).toMatchObject({ started: 4, completed: 3, failed: 1 });
  });

  it("is counted once, should it come back while the projector still holds what it had counted", async () => {
    receiver.answers(200, 500);
    await (await newJob(account)).ring();
    await (await newJob(account)).ring();
    const sums = async () => (await rowsIn(DATABASES[0], account.id)).overview?.find(({ minute }) => minute === 0);
    for (const to of [1, 0]) {
      await moving.ask(to);
      await moving.stepTo("frozen");
      await moving.runToItsEnd();
    }
    expect(await sums()).toMatchObject({ started: 2, completed: 1, retried: 1 });
    for (const name of ["DB", "DB_1"]) await env.PROJECTORS.get(env.PROJECTORS.idFromName(name)).flush();
    setClock(NOON + 12 * MINUTE);
    for (let minute = 0; minute < 3; minute++) await cron();
    expect(await sums()).toMatchObject({ started: 2, completed: 1, retried: 1 });
  });

  it("has each tick of its schedules once", async () => {
    const schedule = await newSchedule(account, { interval: { value: 1, unit: "minute" } });
    await schedule.ringAt(NOON + MINUTE);
    await moving.ask(1);
    await moving.stepToStage("frozen");
    await schedule.ringAt(NOON + 2 * MINUTE);
    expect(await list()).toHaveLength(1);
    await moving.runToItsEnd();
    while (Date.now() < NOON + 3 * MINUTE) {
      setClock(Math.max((await schedule.alarm()) ?? 0, Date.now()));
      await schedule.ring();
    }
    const ticks = (await api<JobJson[]>("GET", "/v1/jobs", { key: account.key })).body.data;
    expect(ticks.map(({ scheduled_for }) => scheduled_for).sort()).toEqual(
      [1, 2, 3].map((minute) => iso(NOON + minute * MINUTE)),
    );
  });

  it("fails no job of a bulk action that meets it frozen", async () => {
    const jobs = [0, 1].map(() => newJob(account, { scheduled_for: iso(NOON + 5 * HOUR) }));
    await Promise.all(jobs);
    await moving.ask(1);
    const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    await moving.stepToStage("frozen");
    for (let ring = 0; ring < 8; ring++) {
      setClock(Math.max((await bulk.alarm()) ?? 0, Date.now()));
      await bulk.ring();
    }
    await moving.runToItsEnd();
    expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", done: 2, failed: 0 });
  });

  it("is deleted with all it has, whenever that happens", async () => {
    const accounts: Account[] = [];
    for (const step of ["copying", "frozen", "closed", "switching", "waking", "leaving"] as const) {
      account = await newAccount("a tenant", 0);
      accounts.push(account);
      moving = new MoveUnderTest(account);
      await insertRows(account, [{ status: "completed" }, {}]);
      await moving.ask(1);
      await moving.stepTo(step);
      expect((await remove(account)).status, step).toBe(200);
      await moving.runToItsEnd();
    }
    for (let hour = 0; hour < 3; hour++) {
      advance(HOUR + SECOND);
      await cron();
    }
    for (const { id } of accounts)
      for (const database of DATABASES) {
        expect(await countIn(database, id)).toBe(0);
        expect(await database.prepare("SELECT id FROM accounts WHERE id = ?").bind(id).first()).toBeNull();
      }
  });

  it("stays suspended", async () => {
    await moving.ask(1);
    await moving.stepTo("frozen");
    await suspend(account);
    await moving.runToItsEnd();
    expect(await moving.residence()).toEqual({ database: 1, moving_to: null });
    expect(await postJob(account)).toMatchObject({ status: 403 });
  });

  it("gets an owner for a job that comes near while neither look ahead sees it", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + 2 * HOUR) });
    const other = await newJob(account, { scheduled_for: iso(NOON + 5 * HOUR) });
    await DATABASES[0].prepare("DELETE FROM look_ahead").run();
    await cron();
    await moving.ask(1);
    await moving.stepTo("frozen");
    await moving.stepTo("closed");
    await DATABASES[1]
      .prepare("INSERT OR REPLACE INTO look_ahead VALUES (1, ?, '~', '')")
      .bind(NOON + 2 * HOUR)
      .run();
    setClock(NOON + HOUR + SECOND);
    await moving.runToItsEnd();
    await until(async () => (await job.alarm()) !== null);
    expect(await other.isEmpty()).toBe(true);
  });
});

describe("a move", () => {
  it("that has lost its object is taken up by the cron", async () => {
    await newJob(account);
    await moving.announce(1);
    await cron();
    expect(await moving.stored()).toMatchObject({ to: 1 });
    await moving.stepTo("closed");
    await moving.wipe();
    expect(await postJob(account)).toMatchObject({ status: 503 });
    await cron();
    await moving.runToItsEnd();
    expect(await moving.residence()).toEqual({ database: 1, moving_to: null });
    expect(await list()).toHaveLength(1);
  });

  it("refuses creation for seconds only, if the target is down in the midst of it, and goes on once it is back", async () => {
    await newJob(account);
    await moving.ask(1);
    await moving.stepToStage("frozen");
    const down = vi.spyOn(DATABASES[1], "prepare").mockImplementation(() => {
      throw new Error("D1_ERROR: D1 DB is overloaded. Too many requests queued.");
    });
    const frozenAt = Date.now();
    while ((await moving.stageIn(0)) !== "here") {
      const at = await moving.alarm();
      setClock(Math.max(at ?? 0, Date.now()));
      await moving.ring();
      expect(Date.now()).toBeLessThan(frozenAt + 20 * SECOND);
    }
    await must(postJob(account));
    for (let ring = 0; ring < 10; ring++) {
      setClock(Math.max((await moving.alarm()) ?? 0, Date.now()));
      await moving.ring();
      await must(postJob(account));
    }
    down.mockRestore();
    await moving.runToItsEnd();
    expect(await moving.residence()).toEqual({ database: 1, moving_to: null });
    expect(await list()).toHaveLength(12);
    expect(logs.of("account_move_again")).not.toEqual([]);
  });

  it("does not switch to a target that an earlier try was about to switch to", async () => {
    await newJob(account);
    await moving.ask(1);
    await moving.stepTo("switching");
    const late = env.DB.prepare(
      "UPDATE accounts SET database = 1, moving_to = NULL WHERE id = ? AND moving_to = 1 AND move_attempt = 1",
    ).bind(account.id);
    await moving.wipe();
    await moving.wake();
    await moving.stepTo("copying");
    await must(postJob(account)); // the account works again
    await late.run();
    expect(await moving.residence()).toEqual({ database: 0, moving_to: 1 });
    await moving.runToItsEnd();
    expect(await list()).toHaveLength(2);
  });
});
