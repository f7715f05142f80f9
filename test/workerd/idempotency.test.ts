// One job for one idempotency key (contract §2): atomic, for the life of the job, within the account.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, MINUTE } from "./harness/clock.ts";
import { JobUnderTest, newJob, postJob } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";

const KEY = { idempotency_key: "order-4711" };

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

async function jobsOf(one: Account): Promise<number> {
  return (await api("GET", "/v1/jobs", { key: one.key })).body.meta.paging.total;
}

it("of 50 creates at once exactly one is 201; the others are told of its job", async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => postJob(account, { ...KEY, name: `no. ${n}` })),
  );
  const made = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status }) => status === 409);
  expect([made.length, refused.length]).toEqual([1, 49]);
  const winner = made[0]?.body.data;
  for (const { body } of refused)
    expect(body).toEqual({
      success: false,
      message: expect.any(String),
      code: "idempotency_key_conflict",
      errors: [],
      data: winner,
    });
  expect(await jobsOf(account)).toBe(1);
  await new JobUnderTest(account, winner?.id ?? "").ring();
  expect(receiver.received).toHaveLength(1);
});

describe("the job that holds the key is shown as it is now", () => {
  it("while it lives", async () => {
    receiver.answers(500);
    const job = await newJob(account, KEY);
    await job.ring();
    const { status, body } = await postJob(account, KEY);
    expect([status, body.data]).toEqual([409, await job.show()]);
    expect(body.data.status).toBe("retrying");
  });

  it.each([
    ["completed", 200],
    ["failed", 400],
  ])("when it has %s", async (status, answer) => {
    receiver.answers(answer);
    const job = await newJob(account, KEY);
    await job.ring();
    const { body } = await postJob(account, KEY);
    expect([body.code, body.data.id, body.data.status]).toEqual(["idempotency_key_conflict", job.id, status]);
  });

  it("when it was cancelled, and when its owner has forgotten it", async () => {
    const job = await newJob(account, KEY);
    await job.cancel();
    advance(MINUTE);
    expect(await job.isEmpty()).toBe(true);
    const { body } = await postJob(account, KEY);
    expect([body.code, body.data.id, body.data.status]).toEqual(["idempotency_key_conflict", job.id, "cancelled"]);
  });
});

it("another account may use the same key", async () => {
  const other = await newAccount();
  expect((await postJob(account, KEY)).status).toBe(201);
  expect((await postJob(other, KEY)).status).toBe(201);
  expect((await postJob(other, KEY)).body.data.id).not.toBe((await postJob(account, KEY)).body.data.id);
});

it("keys are compared as they are written", async () => {
  for (const idempotency_key of ["a", "A", " a", "a ", "á"])
    expect((await postJob(account, { idempotency_key })).status).toBe(201);
});

it("jobs without a key never meet", async () => {
  await Promise.all(Array.from({ length: 10 }, () => postJob(account)));
  expect(await jobsOf(account)).toBe(10);
});

it("a refused job takes no key", async () => {
  expect((await postJob(account, { ...KEY, timeout: 0 })).status).toBe(422);
  expect((await postJob(account, KEY)).status).toBe(201);
});
