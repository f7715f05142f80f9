// One schedule for one idempotency key (contract §6): atomic, as long as the schedule's row is there, within the account.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { HOUR, NOON, setClock, until } from "../harness/clock.ts";
import { answerLost, databaseDown, OVERLOADED } from "../harness/database.ts";
import { postJob } from "../harness/job.ts";
import { post } from "../harness/post.ts";
import { HOURLY, newSchedule, postSchedule, ScheduleUnderTest } from "./schedule.ts";

const KEYED = { ...HOURLY, idempotency_key: "nightly" };
const FIRST = NOON + HOUR;

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const countOf = async (one: Account): Promise<number> =>
  (await api("GET", "/v1/schedules", { key: one.key })).body.meta.paging.total;

it("of 50 creates at once exactly one is 201; the others are told of its schedule", async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => postSchedule(account, { ...KEYED, name: `no. ${n}` })),
  );
  const made = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status }) => status === 409);
  expect([made.length, refused.length]).toEqual([1, 49]);
  const winner = made[0]?.body.data;
  expect(winner).toMatchObject({ idempotency_key: "nightly" });
  for (const { body } of refused)
    expect(body).toEqual({
      success: false,
      message: "A schedule with this idempotency key exists already.",
      code: "idempotency_key_conflict",
      errors: [],
      data: winner,
    });
  expect(await countOf(account)).toBe(1);
  const schedule = new ScheduleUnderTest(account, winner?.id ?? "");
  await schedule.ringAt(FIRST);
  expect(await schedule.ticks()).toEqual([FIRST]);
});

describe("the schedule that holds the key is shown as it is now", () => {
  it("as its owner knows it, not its row", async () => {
    const schedule = await newSchedule(account, KEYED);
    post.stop();
    await schedule.ringAt(FIRST);
    await schedule.patch({ name: "changed" });
    expect(await schedule.row()).toMatchObject({ revision: 0 });
    const { status, body } = await postSchedule(account, KEYED);
    expect([status, body.code, body.data]).toEqual([409, "idempotency_key_conflict", await schedule.show()]);
    expect(body.data).toMatchObject({ name: "changed", run_count: 1 });
  });

  it.each(["paused", "archived", "completed"])("when it is %s", async (status) => {
    const schedule = await newSchedule(account, { ...KEYED, runs: 1 });
    if (status === "paused") await schedule.pause();
    if (status === "archived") await schedule.archive();
    if (status === "completed") await schedule.ringAt(FIRST);
    const { body } = await postSchedule(account, KEYED);
    expect([body.code, body.data.id, body.data.status]).toEqual(["idempotency_key_conflict", schedule.id, status]);
  });
});

it("the key is free again once the schedule's row is gone", async () => {
  const schedule = await newSchedule(account, KEYED);
  await schedule.archive();
  await schedule.deleteRow();
  expect((await postSchedule(account, KEYED)).status).toBe(201);
});

it("a key is another account's, or a job's, as well", async () => {
  await newSchedule(account, KEYED);
  expect((await postSchedule(await newAccount(), KEYED)).status).toBe(201);
  expect((await postJob(account, { idempotency_key: KEYED.idempotency_key })).status).toBe(201);
  expect((await postSchedule(account, { ...KEYED, idempotency_key: "Nightly" })).status).toBe(201);
});

it("without a key each creation makes another schedule", async () => {
  for (const body of [HOURLY, { ...HOURLY, idempotency_key: null }])
    expect((await postSchedule(account, body)).status).toBe(201);
  expect(await countOf(account)).toBe(2);
});

it("an insert whose answer is lost is recognised: 201, and the repetition is 409 with that schedule", async () => {
  const lost = answerLost('insert into "schedules"', OVERLOADED);
  const { status, body } = await postSchedule(account, KEYED);
  lost.end();
  expect(status).toBe(201);
  const again = await postSchedule(account, KEYED);
  expect([again.status, again.body.data]).toEqual([409, body.data]);
});

it("what the schema refuses is 422 whether the key is held or not", async () => {
  await newSchedule(account, KEYED);
  expect((await postSchedule(account, { ...KEYED, timeout: 0 })).status).toBe(422);
});

it("while D1 is down the answer is 503, never a second schedule", async () => {
  const schedule = await newSchedule(account, KEYED);
  await schedule.show(); // the key is known from now on
  const outage = databaseDown();
  expect((await postSchedule(account, KEYED)).status).toBe(503);
  outage.end();
  expect(await countOf(account)).toBe(1);
});

it("a report leaves the key where it is", async () => {
  const schedule = await newSchedule(account, KEYED);
  await schedule.ringAt(FIRST);
  expect(await schedule.row()).toMatchObject({ revision: 1, idempotencyKey: "nightly" });
});

describe("a row that D1 has lost", () => {
  it("comes back with its key", async () => {
    const schedule = await newSchedule(account, KEYED);
    await schedule.ringAt(FIRST);
    await schedule.deleteRow();
    await schedule.wake();
    await until(async () => (await schedule.row()) !== undefined);
    expect(await schedule.row()).toMatchObject({ idempotencyKey: "nightly" });
  });

  it("comes back without it if another schedule has it by now; both go on", async () => {
    const schedule = await newSchedule(account, KEYED);
    await schedule.ringAt(FIRST);
    await schedule.deleteRow();
    const other = await newSchedule(account, KEYED);
    await schedule.wake();
    await until(async () => (await schedule.row()) !== undefined);
    expect((await schedule.row())?.idempotencyKey).toBeNull();
    setClock(FIRST + HOUR);
    for (const one of [schedule, other]) await one.ring();
    expect(await schedule.row()).toMatchObject({ revision: 2, state: { runCount: 2 } });
    const { body } = await postSchedule(account, KEYED);
    expect(body.data.id).toBe(other.id);
  });
});

it("the key's holder is found by the key, not by reading the account's rows", async () => {
  const plan = await env.DB.prepare(
    "EXPLAIN QUERY PLAN select id from schedules where account_id = ?1 and idempotency_key = ?2",
  )
    .bind("a", "b")
    .all<{ detail: string }>();
  expect(plan.results.map(({ detail }) => detail)).toEqual([expect.stringContaining("schedules_idempotency")]);
});
