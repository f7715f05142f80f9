// How a job gets its owner (design, rules 1 and 2): once, whoever says it how often, and never back from the dead.

import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { createdAtOf } from "../../src/domain/ids.ts";
import { type JobSpec, specOf as jobSpecOf } from "../../src/domain/job.ts";
import { STORE_TIMEOUT_MS } from "../../src/store/store.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { api, app, requestOf } from "./harness/api.ts";
import { HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { JobUnderTest, newJob, PUSH, postJob, unarmedJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

const IN_AN_HOUR = { scheduled_for: iso(NOON + HOUR) };
const SIGNING = { signingVersion: 1, overlapEndsAt: null, masterKeyId: "a1b2", previousMasterKeyId: null };

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** What the route said when it armed the job. */
async function specOf(job: JobUnderTest): Promise<JobSpec> {
  const row = await job.row();
  if (!row) throw new Error("the job has no row");
  return jobSpecOf({ ...row, tags: row.tags ?? [], createdAt: createdAtOf(row.id) });
}

const arm = async (job: JobUnderTest) => job.owner.arm(await specOf(job), SIGNING);

describe("a new job", () => {
  it("waits with its alarm at its time", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    expect(await job.alarm()).toBe(NOON + HOUR);
    expect(await job.stored()).toMatchObject({ v: 1, revision: 1, phase: { name: "waiting", runAt: NOON + HOUR } });
  });

  it("that is due has its alarm a millisecond ahead, never in the past", async () => {
    expect(await (await newJob(account)).alarm()).toBe(NOON + 1);
  });

  it.each([
    ["within five minutes waits for its owner", 5 * MINUTE - 1, false],
    ["later than that is answered before its owner has it", 5 * MINUTE, true],
  ])("that is due %s", async (_, aheadMs, isAnswered) => {
    let armed = () => {};
    const owner = new Promise<void>((resolve) => {
      armed = resolve;
    });
    const around = { ...env, JOBS: { getByName: () => ({ arm: () => owner }) } } as unknown as Cloudflare.Env;
    const body = { name: "a job", delivery: PUSH, scheduled_for: iso(NOON + aheadMs) };
    let answered = false;
    const asked = requestOf("POST", "/v1/jobs", { key: account.key, body });
    const context = createExecutionContext();
    const answer = Promise.resolve(app.fetch(asked, around, context)).finally(() => {
      answered = true;
    });
    await scheduler.wait(100);
    expect(answered).toBe(isAnswered);
    armed();
    expect((await answer).status).toBe(201);
    await waitOnExecutionContext(context);
  });

  it("costs the read model one row, written once", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    expect(post.sent).toEqual([]);
    expect(await job.row()).toMatchObject({ status: "pending", revision: 0, reportDueAt: NOON + HOUR });
  });
});

describe("an arm said again", () => {
  it("changes nothing while the job waits", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    const before = await job.stored();
    await Promise.all([arm(job), arm(job), arm(job)]);
    expect([await job.stored(), await job.alarm()]).toEqual([before, NOON + HOUR]);
  });

  it("changes nothing after the job has been made from its row, has ended, and its end is confirmed", async () => {
    const job = await unarmedJob(account);
    await job.owner.wake(job.ref);
    await job.ring();
    await arm(job);
    expect(await job.stored()).toMatchObject({ phase: { name: "completed", confirmed: true } });
    setClock(NOON + 30 * SECOND);
    await arm(job);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
    await job.ring();
    expect(receiver.received).toHaveLength(1);
  });

  it("does not bring a cancelled job back that its owner has forgotten", async () => {
    const job = await unarmedJob(account, IN_AN_HOUR);
    await job.cancel();
    for (let ring = 0; ring < 2; ring++) await job.ringWhenSet();
    expect([Date.now(), await job.isEmpty()]).toEqual([NOON + 35 * SECOND, true]);
    await arm(job);
    expect(await job.isEmpty()).toBe(true);
  });
});

describe("an arm that comes late", () => {
  it("is believed for as long as a slow insert may take, without a look at the row", async () => {
    const job = await unarmedJob(account, IN_AN_HOUR);
    const spec = await specOf(job);
    await job.deleteRow();
    setClock(NOON + 2 * STORE_TIMEOUT_MS + 5 * SECOND);
    await job.owner.arm(spec, SIGNING);
    expect(await job.alarm()).toBe(NOON + HOUR);
  });

  it("is a wake a millisecond later: without a row there is no job", async () => {
    const job = await unarmedJob(account, IN_AN_HOUR);
    const spec = await specOf(job);
    await job.deleteRow();
    setClock(NOON + 25 * SECOND + 1);
    await job.owner.arm(spec, SIGNING);
    expect(await job.isEmpty()).toBe(true);
  });

  it("arms from the row where there is one", async () => {
    const job = await unarmedJob(account, IN_AN_HOUR);
    setClock(NOON + 10 * MINUTE);
    await arm(job);
    expect(await job.alarm()).toBe(NOON + HOUR);
  });
});

describe("a key that is asked for again, as by a client whose first answer was lost", () => {
  const asked = { idempotency_key: "k", scheduled_for: iso(NOON + MINUTE) };
  const again = {
    alone: () => postJob(account, asked),
    "in a batch": () =>
      api("POST", "/v1/jobs/batch", {
        key: account.key,
        body: { jobs: [{ name: "a job", delivery: PUSH, ...asked }] },
      }),
  };

  it.each(Object.entries(again))("gives its job the owner that it has not, %s", async (_, ask) => {
    const job = await unarmedJob(account, asked);
    expect([409, 200]).toContain((await ask()).status);
    await until(async () => (await job.alarm()) === NOON + MINUTE);
  });

  it.each(Object.entries(again))("has its owner report nothing if there is one, %s", async (_, ask) => {
    const job = await newJob(account, asked);
    await ask();
    await job.stored();
    expect(post.sent).toEqual([]);
  });
});

describe("a wake", () => {
  it("arms a row that nobody has armed, with all that was asked for", async () => {
    const asked = { payload: { n: 1 }, handler: "h", timeout: 7, max_retries: 9, idempotency_key: "k", ...IN_AN_HOUR };
    const [lost, armed] = [await unarmedJob(account, asked), await newJob(await newAccount(), asked)];
    const pending = await lost.show();
    await lost.owner.wake(lost.ref);
    expect(await lost.alarm()).toBe(NOON + HOUR);
    expect(await lost.show()).toEqual(pending);
    const { id, accountId, revision, signing, keepUntil, ...rest } = (await lost.stored()) ?? {};
    expect(await armed.stored()).toMatchObject(rest);
    await lost.ringAt(NOON + HOUR);
    expect(receiver.received).toHaveLength(1);
    expect(await lost.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("arms once, however many come at once, an arm among them", async () => {
    const job = await unarmedJob(account, IN_AN_HOUR);
    await Promise.all([...Array.from({ length: 10 }, () => job.owner.wake(job.ref)), arm(job)]);
    expect((await job.stored())?.phase).toEqual({ name: "waiting", runAt: NOON + HOUR, trigger: "scheduled" });
    await job.ringAt(NOON + HOUR);
    expect(receiver.received).toHaveLength(1);
  });

  it.each(["completed", "failed", "cancelled"])("stores nothing for a row that has %s", async (status) => {
    const job = await unarmedJob(account, IN_AN_HOUR);
    await env.DB.prepare("UPDATE jobs SET status = ? WHERE id = ?").bind(status, job.id).run();
    await job.owner.wake(job.ref);
    expect(await job.isEmpty()).toBe(true);
  });

  it("stores nothing where there is no row", async () => {
    const nobody = new JobUnderTest(account, crypto.randomUUID());
    await nobody.owner.wake(nobody.ref);
    expect(await nobody.isEmpty()).toBe(true);
  });

  it("stores nothing while D1 cannot answer, and does not fail", async () => {
    const job = await unarmedJob(account, IN_AN_HOUR);
    const down = databaseDown();
    await job.owner.wake(job.ref);
    down.end();
    expect(await job.isEmpty()).toBe(true);
  });

  it("mends an alarm that the platform has lost", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await runInDurableObject(job.owner, (_, { storage }) => storage.deleteAlarm());
    await job.owner.wake(job.ref);
    expect(await job.ringsFrom(NOON + HOUR)).toBe(true);
  });

  it("mends it for a job that is overdue, and rings at once", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await runInDurableObject(job.owner, (_, { storage }) => storage.deleteAlarm());
    setClock(NOON + 2 * HOUR);
    await job.owner.wake(job.ref);
    expect(await job.alarm()).toBe(NOON + 2 * HOUR + 1);
  });

  it("has the job reported as it is", async () => {
    const job = await newJob(account, IN_AN_HOUR);
    await job.owner.wake(job.ref);
    expect(post.sent).toMatchObject([{ id: job.id, revision: 1, facts: { status: "pending", runAt: NOON + HOUR } }]);
  });

  it("finds a row queued or running whose owner has lost everything due again, its numbers going on", async () => {
    const job = await newJob(account);
    await env.DB.prepare("UPDATE jobs SET status = 'running', attempt = 3, started = 3, revision = 9 WHERE id = ?")
      .bind(job.id)
      .run();
    await job.wipe();
    await job.owner.wake(job.ref);
    await job.ringWhenSet();
    expect(receiver.received[0]?.headers.get("X-Chronos-Attempt")).toBe("4");
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 4 });
  });
});

it("reading a job nobody has armed shows its row and stores nothing", async () => {
  const job = await unarmedJob(account, IN_AN_HOUR);
  expect(await job.show()).toMatchObject({ status: "pending", run_at: iso(NOON + HOUR) });
  expect(await job.executions()).toEqual([]);
  expect(await job.isEmpty()).toBe(true);
});
