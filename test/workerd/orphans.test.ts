// Rows of accounts that are gone: none is made, and none that is there all the same is asked about for ever.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { directoryOf } from "../../src/store/databases.ts";
import { ifThere } from "../../src/store/existing-account.ts";
import { executions, jobs } from "../../src/store/schema.ts";
import { jsonText } from "../harness/json-text.ts";
import { type Account, newAccount, removeElsewhere } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { HOUR, iso, MINUTE, NOON, setClock } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { JobUnderTest, newJob, PUSH, unarmedJob } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";
import { executionAt } from "./harness/reports.ts";
import { insertRows, rowOf } from "./harness/rows.ts";
import { newSchedule, sweep, unheardSchedule } from "./schedules/schedule.ts";

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "executions", "schedules", "look_ahead", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

/** Retention has taken the account, and will not come here again. */
const vanish = async (): Promise<void> => {
  await removeElsewhere(account);
  await env.DB.prepare("DELETE FROM accounts WHERE id = ?").bind(account.id).run();
};

const count = async (table: string): Promise<unknown> =>
  (await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE account_id = ?`).bind(account.id).first())?.n;

describe.each([
  ["is being deleted", () => removeElsewhere(account)],
  ["is gone", vanish],
])("a key that is still remembered while its account %s", (_, happens) => {
  const SCHEDULE = { name: "s", interval: { value: 1, unit: "hour" }, delivery: PUSH };
  it.each([
    ["job", "jobs", "/v1/jobs", { name: "a job", delivery: PUSH }],
    ["job with an idempotency key", "jobs", "/v1/jobs", { name: "a job", delivery: PUSH, idempotency_key: "k" }],
    [
      "batch of jobs",
      "jobs",
      "/v1/jobs/batch",
      { jobs: ["k", "l"].map((key) => ({ name: key, delivery: PUSH, idempotency_key: key })) },
    ],
    [
      "batch of jobs without keys",
      "jobs",
      "/v1/jobs/batch",
      { jobs: [1, 2].map(() => ({ name: "a job", delivery: PUSH })) },
    ],
    ["schedule", "schedules", "/v1/schedules", SCHEDULE],
    ["key", "api_keys", "/v1/api-keys", { name: "another" }],
  ])("makes no %s: 401, and is not remembered any more", async (_, table, path, body) => {
    expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(200);
    await happens();
    const answer = await api("POST", path, { key: account.key, body });
    expect([answer.status, answer.body.code]).toEqual([401, "unauthorized"]);
    expect(await count(table)).toBe(0);
    expect((await api("GET", "/v1/signing-secret", { key: account.key })).status).toBe(401);
  });
});

it("an account that lives in another database gets no rows in the directory, from an isolate that knows of no other", async () => {
  const body = { name: "a job", delivery: PUSH };
  const stranger = await newAccount();
  expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(200); // remembered as it was
  const ids = [account.id, stranger.id];
  await env.DB.prepare("UPDATE accounts SET database = 1 WHERE id IN (?, ?)")
    .bind(...ids)
    .run();
  const list = await api("GET", "/v1/jobs", { key: stranger.key });
  expect([list.status, list.headers.get("Retry-After")]).toEqual([503, "60"]);
  expect((await api("POST", "/v1/jobs", { key: account.key, body })).status).toBe(503);
  expect(await count("jobs")).toBe(0);
  // Elsewhere there are no keys: an account that is known there lives there.
  await env.DB.prepare("DELETE FROM api_keys WHERE account_id = ?").bind(account.id).run();
  expect((await api("POST", "/v1/jobs", { key: account.key, body })).status).toBe(201);
});

it("looking for the account writes no row more than an insert without it", async () => {
  const db = directoryOf(env);
  const written = async (query: { toSQL(): { sql: string; params: unknown[] } }) => {
    const { sql, params } = query.toSQL();
    return (
      await env.DB.prepare(sql)
        .bind(...params)
        .run()
    ).meta.rows_written;
  };
  const plain = await written(db.insert(jobs).values(rowOf(account)));
  expect(await written(db.insert(jobs).select(ifThere(jobs, [rowOf(account)], account.id)))).toBe(plain);
  expect(plain).toBeGreaterThan(1);
});

it("a row that is inserted if its account is there is the one that was meant", async () => {
  const db = directoryOf(env);
  const row = rowOf(account, { payload: jsonText({ "it's": ["JSON", null] }), handler: "h", idempotencyKey: "k" });
  const [plain, other] = [
    { ...row, id: "plain" },
    { ...row, id: "other", idempotencyKey: "l" },
  ];
  await db.insert(jobs).values(plain);
  await db.insert(jobs).select(ifThere(jobs, [other], account.id));
  const [inserted, expected] = await db.select().from(jobs).orderBy(jobs.id);
  expect(inserted).toEqual({ ...expected, id: "other", idempotencyKey: "l" });
});

describe("a job whose account is gone", () => {
  it("that is only a row is asked about once: the row goes, with its executions", async () => {
    const [id = ""] = await insertRows(account, [{ revision: 3, attempt: 1, status: "retrying", reportDueAt: NOON }]);
    const row = { ...executionAt(1, 3), accountId: account.id, jobId: id };
    await directoryOf(env).insert(executions).values(row);
    await vanish();
    setClock(NOON + 3 * MINUTE);
    await sweep();
    expect([await count("jobs"), await count("executions")]).toEqual([0, 0]);
    expect(await new JobUnderTest(account, id).isEmpty()).toBe(true);
  });

  it("that waits in its owner goes with it when it is due", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await vanish();
    await job.ringAt(NOON + HOUR);
    expect([await job.row(), await job.isEmpty()]).toEqual([undefined, true]);
    expect(receiver.received).toEqual([]);
  });

  it("that could not be deleted is found again", async () => {
    const job = await unarmedJob(account);
    await vanish();
    setClock(NOON + MINUTE);
    const down = databaseDown();
    await job.owner.wake(job.ref);
    down.end();
    expect(await job.row()).toBeDefined();
    await sweep();
    expect([await job.row(), await job.isEmpty()]).toEqual([undefined, true]);
  });

  it("is left alone as long as the account is there", async () => {
    const job = await unarmedJob(account);
    setClock(NOON + MINUTE);
    await sweep();
    expect(await job.row()).toBeDefined();
  });
});

describe("a schedule whose account is gone", () => {
  it("goes with its row when its next tick is due", async () => {
    const schedule = await newSchedule(account);
    await vanish();
    await schedule.ringAt(NOON + HOUR);
    expect([await schedule.row(), await schedule.isEmpty()]).toEqual([undefined, true]);
  });

  it("that is only a row is taken up once, and then goes", async () => {
    const schedule = await unheardSchedule(account);
    await vanish();
    setClock(NOON + 2 * HOUR);
    await sweep();
    await schedule.ring();
    expect([await schedule.row(), await schedule.isEmpty()]).toEqual([undefined, true]);
    expect(await count("jobs")).toBe(0);
  });
});
