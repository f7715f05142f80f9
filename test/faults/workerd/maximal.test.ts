// The largest job there can be: its state fits into its object, and its report into one call of the projector and into the
// values D1 takes, even when nothing of it was ever confirmed.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import type { Job } from "../../../src/domain/job.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { MINUTE, until } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { stateOf } from "./harness/recovery.ts";

/** What an object holds in one value, and D1 takes in one; production refuses more, workerd here does not. */
const MAX_VALUE_BYTES = 2_000_000;
/** What one call may carry to another object. */
const MAX_CALL_BYTES = 32_000_000;
/** What the projector writes at once. */
const MAX_BATCH_BYTES = 800_000;

const storedBytes = ({ owner }: JobUnderTest): Promise<number> =>
  runInDurableObject(owner, (_, { storage }) => storage.sql.databaseSize);
const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).byteLength;

/** 64 KB as JSON, to the byte. */
const LARGEST = { text: "x".repeat(65_536 - '{"text":""}'.length) };
/** Each of these characters takes six in JSON, and seven where that JSON stands in JSON. */
const WORST_TEXT = "\u0001".repeat(4_096);
/** 4 KB as JSON. */
const LARGEST_PROGRESS = "\u0001".repeat(682);
/** Each of these takes four. */
const WORST_HEADER = '"'.repeat(4_000);

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** Rings whenever an attempt is due. */
async function attemptsUntil(job: JobUnderTest, wanted: Job["phase"]["name"]): Promise<void> {
  for (;;) {
    const phase = (await stateOf(job))?.phase;
    if (phase?.name === wanted) return;
    if (phase?.name !== "waiting") throw new Error(`the job is ${phase?.name}`);
    await job.ringAt(Math.max(phase.runAt, Date.now()));
  }
}

/** The bytes of every value bound to a statement from now on. */
function boundBytes(): number[] {
  const bound: number[] = [];
  const prepare = env.DB.prepare.bind(env.DB);
  vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
    const statement = prepare(query);
    const bind = statement.bind.bind(statement);
    statement.bind = (...values: unknown[]) => {
      for (const value of values) if (typeof value === "string") bound.push(bytesOf(value) - 2);
      return bind(...values);
    };
    return statement;
  });
  return bound;
}

/** Until now nobody has heard of it: it reports all there is, and is let go. */
async function reportsAll(job: JobUnderTest): Promise<void> {
  const bound = boundBytes();
  post.take();
  post.goOn();
  await job.ringUntilEmpty();
  const [report, ...more] = post.takeJobs();
  expect(more).toEqual([]);
  expect(bytesOf(report)).toBeLessThan(MAX_CALL_BYTES);
  expect(Math.max(...bound)).toBeLessThan(MAX_VALUE_BYTES);
  expect(await job.isEmpty()).toBe(true);
}

it("a push with 64 KB, 51 executions and answers of the worst kind, none of them confirmed", async () => {
  receiver.answers(async () => new Response(WORST_TEXT, { status: 500, headers: { "x-long": WORST_HEADER } }));
  const job = await newJob(account, { payload: LARGEST, max_retries: 50 });
  post.stop();
  for (let n = 0; n < 3; n++) {
    await job.cancel();
    expect((await job.retry()).status).toBe(200); // each end that is undone is kept until somebody is told
  }
  await attemptsUntil(job, "failed");
  expect(await job.show()).toMatchObject({ status: "failed", attempts: 51, payload: LARGEST });
  expect(await storedBytes(job)).toBeLessThan(MAX_VALUE_BYTES);
  await reportsAll(job);
  expect(await job.executionRows()).toHaveLength(51); // the newest, too: its response has no place in the row
  expect(await job.show()).toMatchObject({ status: "failed", attempts: 51, payload: LARGEST });
});

it("a pull with 64 KB in, 64 KB out, and progress and errors of the worst kind before", async () => {
  const pull = { handler: "work", delivery: { type: "pull" }, payload: LARGEST, max_retries: 50 };
  const job = await newJob(account, pull);
  post.stop();
  for (let attempt = 1; attempt <= 51; attempt++) {
    await attemptsUntil(job, "queued");
    const execution = (await stateOf(job))?.executions.at(-1);
    const body = { execution_id: execution?.id };
    await api("POST", `/v1/worker/jobs/${job.id}/start`, { key: account.key, body });
    const beat = { ...body, progress: LARGEST_PROGRESS };
    await api("POST", `/v1/worker/jobs/${job.id}/heartbeat`, { key: account.key, body: beat });
    const report =
      attempt < 51 ? ["fail", { ...body, error: { message: WORST_TEXT } }] : ["complete", { ...body, result: LARGEST }];
    const answer = await api("POST", `/v1/worker/jobs/${job.id}/${report[0]}`, { key: account.key, body: report[1] });
    expect([attempt, answer.status]).toEqual([attempt, 200]);
  }
  await until(async () => (await stateOf(job))?.failedReports === 1);
  expect(await storedBytes(job)).toBeLessThan(MAX_VALUE_BYTES);
  await reportsAll(job);
  expect(await job.executionRows()).toHaveLength(51); // the newest, too: its progress has no place in the row
  expect(await job.show()).toMatchObject({ status: "completed", attempts: 51, result: LARGEST });
});

it("reports of the largest results are written in batches D1 takes, and a larger one than a batch alone", async () => {
  const jobs: JobUnderTest[] = [];
  for (let i = 0; i < 40; i++) jobs.push(await newJob(account, { handler: "work", delivery: { type: "pull" } }));
  post.stop();
  for (const job of jobs) {
    await job.ringWhenSet();
    const body = { execution_id: (await stateOf(job))?.executions.at(-1)?.id };
    await api("POST", `/v1/worker/jobs/${job.id}/start`, { key: account.key, body });
    const done = { ...body, result: LARGEST };
    expect((await api("POST", `/v1/worker/jobs/${job.id}/complete`, { key: account.key, body: done })).status).toBe(
      200,
    );
  }
  await until(async () => (await stateOf(jobs.at(-1) as JobUnderTest))?.failedReports === 1);
  const bound = boundBytes();
  const batch = vi.spyOn(env.DB, "batch");
  post.goOn();
  await Promise.all(jobs.map((job) => job.ringAt(Date.now() + MINUTE)));
  expect(Math.max(...bound)).toBeLessThan(MAX_BATCH_BYTES * 1.2);
  expect(batch.mock.calls.length).toBeGreaterThan(2);
  for (const job of jobs) expect(await job.row()).toMatchObject({ status: "completed", attempt: 1 });
});
