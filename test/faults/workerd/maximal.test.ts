// The largest job there can be: its state fits into its object, and what it reports into a queue's messages, even when
// nothing of it was ever confirmed.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { DAY, NOON, setClock } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { stateOf } from "./harness/recovery.ts";

/** What a queue carries in one message, and an object in one value. */
const MAX_MESSAGE_BYTES = 128_000;
const MAX_VALUE_BYTES = 2_000_000;

const storedBytes = ({ owner }: JobUnderTest): Promise<number> =>
  runInDurableObject(owner, (_, { storage }) => storage.sql.databaseSize);
const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).byteLength;

/** 64 KB as JSON, to the byte. */
const LARGEST = { text: "x".repeat(65_536 - '{"text":""}'.length) };
/** Each of these characters takes six in JSON. */
const WORST_TEXT = "\u0001".repeat(4_096);

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** Reports and receipts go to and fro until nothing is left to say. */
async function drain(job: JobUnderTest): Promise<number> {
  let messages = 0;
  setClock(NOON + 10 * DAY);
  for (let round = 0; round < 60 && !(await job.isEmpty()); round++) {
    const sent = post.take();
    for (const snapshot of sent) expect(bytesOf(snapshot)).toBeLessThan(MAX_MESSAGE_BYTES);
    messages += sent.length;
    await post.deliver(sent);
    if (!(await job.isEmpty())) await job.owner.poke(job.ref);
  }
  return messages;
}

it("a push with 64 KB, 51 executions and answers of the worst kind, none of them confirmed", async () => {
  receiver.answers(async () => new Response(WORST_TEXT, { status: 500, headers: { "x-long": "x".repeat(4_000) } }));
  const job = await newJob(account, { payload: LARGEST, max_retries: 50 });
  for (let attempt = 1; attempt <= 51; attempt++) await job.ringWhenSet();
  post.take();
  expect(await job.show()).toMatchObject({ status: "failed", attempts: 51, payload: LARGEST });
  expect(await storedBytes(job)).toBeLessThan(MAX_VALUE_BYTES);
  await job.owner.poke(job.ref);
  expect(await drain(job)).toBeGreaterThan(5);
  expect(await job.isEmpty()).toBe(true);
  expect(await job.executionRows()).toHaveLength(51);
  expect(await job.show()).toMatchObject({ status: "failed", attempts: 51, payload: LARGEST });
});

it("a pull with 64 KB in, 64 KB out, and errors of the worst kind before", async () => {
  const pull = { handler: "work", delivery: { type: "pull" }, payload: LARGEST, max_retries: 50 };
  const job = await newJob(account, pull);
  for (let attempt = 1; attempt <= 51; attempt++) {
    await job.ringWhenSet();
    const execution = (await stateOf(job))?.executions.at(-1);
    const body = { execution_id: execution?.id };
    await api("POST", `/v1/worker/jobs/${job.id}/start`, { key: account.key, body });
    const report =
      attempt < 51 ? ["fail", { ...body, error: { message: WORST_TEXT } }] : ["complete", { ...body, result: LARGEST }];
    const answer = await api("POST", `/v1/worker/jobs/${job.id}/${report[0]}`, { key: account.key, body: report[1] });
    expect(answer.status).toBe(200);
  }
  post.take();
  expect(await storedBytes(job)).toBeLessThan(MAX_VALUE_BYTES);
  await job.owner.poke(job.ref);
  await drain(job);
  expect(await job.isEmpty()).toBe(true);
  expect(await job.executionRows()).toHaveLength(51);
  expect(await job.show()).toMatchObject({ status: "completed", attempts: 51, result: LARGEST });
});
