// The walk that counts what died with a projector: page by page, within the calls an invocation may make, once.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { heldEpoch, stampOf } from "../../../src/domain/tally.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { DAY, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { answerLost } from "../harness/database.ts";
import { insertMany, insertRows } from "../harness/rows.ts";
import { cron, flush, groupsOf, rowsOf, sumsOf } from "./counts.ts";

/** Rows of one page. */
const PAGE = 1_000;
const EPOCH = heldEpoch(0.5);
const LOST = { tally: stampOf(EPOCH, { endsJob: false }) };

const SETTLED = {
  status: "retrying",
  revision: 3,
  attempt: 1,
  executionId: "e",
  executionTrigger: "scheduled",
  executionStatus: "failed",
  lastError: { code: "timeout", message: "no" },
  dueAt: NOON - MINUTE,
  startedAt: NOON - MINUTE,
  settledAt: NOON - SECOND,
} as const;

let account: Account;
beforeEach(async () => {
  await flush();
  for (const table of ["jobs", "executions", "recount_walk"]) await env.DB.prepare(`DELETE FROM ${table}`).run();
  account = await newAccount();
});

/** An epoch that a projector has left, claimed by the next one. */
const leave = (epoch = EPOCH) =>
  env.DB.prepare("INSERT INTO tally_epochs (id, opened_at, claimed_at) VALUES (?, ?, ?)")
    .bind(epoch, NOON - MINUTE, NOON)
    .run();

const execution = (jobId: string, attempt: number, tally: number | null) =>
  env.DB.prepare(
    `INSERT INTO executions (account_id, job_id, attempt, id, "trigger", status, due_at, started_at, completed_at, revision, tally)
     VALUES (?, ?, ?, ?, 'scheduled', 'timed_out', ?, ?, ?, 1, ?)`,
  ).bind(account.id, jobId, attempt, `e${attempt}`, NOON - MINUTE, NOON - MINUTE, NOON - SECOND, tally);

const open = async () =>
  (await env.DB.prepare("SELECT count(*) AS n FROM tally_epochs WHERE counted_at IS NULL").first<{ n: number }>())?.n;

it("counts jobs and executions of many pages, each once, and nothing of other epochs", async () => {
  await insertMany(account, 2 * PAGE + 100, { ...SETTLED, ...LOST });
  const [id = ""] = await insertRows(account, [{ ...SETTLED, attempt: 3 * PAGE, tally: LOST.tally + 2 }]);
  await env.DB.prepare(
    `INSERT INTO executions (account_id, job_id, attempt, id, "trigger", status, due_at, started_at, completed_at, revision, tally)
     SELECT ?1, ?2, value, 'e', 'scheduled', 'timed_out', ?3, ?3, ?3, 1, CASE WHEN value % 2 = 1 THEN ?4 END FROM json_each(?5)`,
  )
    .bind(account.id, id, NOON, LOST.tally, JSON.stringify(Array.from({ length: 3 * PAGE - 1 }, (_, i) => i + 1)))
    .run();
  await leave();
  await cron();
  const lost = 2 * PAGE + 100 + (3 * PAGE) / 2;
  expect(await sumsOf(account)).toEqual({ started: lost, completed: 0, failed: 0, retried: lost });
  expect(await open()).toBe(0);
  await cron();
  expect(await sumsOf(account)).toMatchObject({ started: lost });
});

it("goes on in the next minute when the calls are used up, as on the Free plan", async () => {
  await insertMany(account, 4 * PAGE + 1, { ...SETTLED, ...LOST });
  await leave();
  const counted: number[] = [];
  for (let minute = 0; minute < 12 && (await open()) !== 0; minute++) {
    const batch = vi.spyOn(env.DB, "batch");
    await cron({ SUBREQUESTS: "50" });
    expect(batch.mock.calls.length).toBeLessThan(50);
    batch.mockRestore();
    counted.push((await sumsOf(account)).started);
  }
  expect(counted.at(-1)).toBe(4 * PAGE + 1);
  expect(new Set(counted).size).toBeGreaterThan(3);
});

it("finds what moves out of a job's row while it walks, and does not count it twice", async () => {
  const ids = await insertRows(
    account,
    Array.from({ length: 40 }, () => ({ ...SETTLED, ...LOST })),
  );
  await insertMany(account, 3 * PAGE, {});
  await leave();
  for (const id of ids) {
    await cron({ SUBREQUESTS: "40" });
    await env.DB.batch([
      execution(id, 1, LOST.tally),
      env.DB.prepare("UPDATE jobs SET attempt = 2, tally = NULL, settled_at = NULL WHERE id = ?").bind(id),
    ]);
  }
  await cron();
  await cron();
  expect(await sumsOf(account)).toMatchObject({ started: 40 });
});

it("counts an execution that is in both places once, with what is known apart", async () => {
  const [id = ""] = await insertRows(account, [
    { ...SETTLED, ...LOST, status: "failed", lastError: { code: "expired", message: "no" } },
  ]);
  await execution(id, 1, LOST.tally).run();
  await env.DB.prepare("UPDATE executions SET error = ?")
    .bind(JSON.stringify({ code: "network", message: "" }))
    .run();
  await leave();
  await cron();
  expect(await sumsOf(account)).toMatchObject({ started: 1 });
  expect(await groupsOf(account)).toMatchObject([{ error_code: "network", count: 1 }]);
});

it("leaves out deliveries of events, and executions whose job is gone", async () => {
  const [id = ""] = await insertRows(account, [{ ...SETTLED, ...LOST, origin: "event" }]);
  await execution(id, 2, LOST.tally).run();
  await execution("gone", 1, LOST.tally).run();
  await leave();
  await cron();
  expect(await rowsOf(account)).toEqual([]);
  expect(await open()).toBe(0);
});

it("an epoch that is claimed while it walks waits for the next walk", async () => {
  const other = heldEpoch(0.25);
  await insertMany(account, 3 * PAGE, { ...SETTLED, ...LOST });
  await insertRows(account, [{ ...SETTLED, tally: stampOf(other, { endsJob: false }), id: "0" }]); // the walk is past it
  await leave();
  await cron({ SUBREQUESTS: "50" });
  await leave(other);
  await cron();
  expect(await sumsOf(account)).toMatchObject({ started: 3 * PAGE });
  await cron();
  expect(await sumsOf(account)).toMatchObject({ started: 3 * PAGE + 1 });
});

it("reads a page of executions beside however many jobs", async () => {
  await insertMany(account, 400, { status: "completed", revision: 2 });
  const [id = ""] = await insertRows(account, [{ status: "completed", revision: 2 }]);
  for (let attempt = 1; attempt <= 50; attempt++) await execution(id, attempt, LOST.tally).run();
  await leave();
  const batch = vi.spyOn(env.DB, "batch");
  await cron();
  const pages = await Promise.all(batch.mock.results.map(({ value }) => value as Promise<D1Result[]>));
  const most = Math.max(...pages.flat().map(({ meta }) => meta.rows_read));
  expect(await sumsOf(account)).toMatchObject({ started: 50 });
  expect(most).toBeLessThan(1_000);
});

it("counts an end in the job's row beside an older, open copy of the same attempt", async () => {
  const [id = ""] = await insertRows(account, [{ ...SETTLED, ...LOST }]);
  await execution(id, 1, null).run();
  await env.DB.prepare("UPDATE executions SET status = 'running', completed_at = NULL WHERE job_id = ?").bind(id).run();
  await leave();
  await cron();
  expect(await sumsOf(account)).toMatchObject({ started: 1 });
});

it("two runs at once count once", async () => {
  await insertMany(account, 2 * PAGE, { ...SETTLED, ...LOST });
  await leave();
  await Promise.all([cron(), cron(), cron()]);
  for (let i = 0; i < 5; i++) await cron();
  expect(await sumsOf(account)).toMatchObject({ started: 2 * PAGE });
  expect(await open()).toBe(0);
});

describe("a page", () => {
  const OVERLOADED = "D1_ERROR: D1 DB is overloaded.";

  it.each(['insert into "overview"', 'update "tally_epochs"', 'insert into "recount_walk"'])(
    "whose answer is lost is not added twice: %s",
    async (start) => {
      await insertMany(account, 2 * PAGE + 1, { ...SETTLED, ...LOST });
      await leave();
      const lost = answerLost(start, OVERLOADED, { times: 3 });
      for (let i = 0; i < 4; i++) await cron();
      lost.end();
      for (let i = 0; i < 4; i++) await cron();
      expect(await sumsOf(account)).toMatchObject({ started: 2 * PAGE + 1 });
      expect(await open()).toBe(0);
    },
  );
});

it("remembers a counted epoch for a day: a batch that comes late finds it claimed", async () => {
  await leave();
  await cron();
  const known = async () =>
    (await env.DB.prepare("SELECT 1 FROM tally_epochs WHERE id = ?").bind(EPOCH).first()) !== null;
  setClock(NOON + DAY);
  await cron();
  expect(await known()).toBe(true);
  setClock(NOON + DAY + 1);
  await cron();
  expect(await known()).toBe(false);
});

it("costs a look when there is nothing to count", async () => {
  const batch = vi.spyOn(env.DB, "batch");
  await cron();
  const looks = batch.mock.results.map(({ value }) => value as Promise<D1Result[]>);
  const look = (await Promise.all(looks)).find((results) => results.length === 4) ?? [];
  expect(look.reduce((sum, { meta }) => sum + meta.rows_written, 0)).toBe(0);
  expect(look.reduce((sum, { meta }) => sum + meta.rows_read, 0)).toBeLessThan(20);
});
