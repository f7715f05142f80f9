// How far a worker is: said with a heartbeat, shown on the execution while it runs and after it has ended.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api, type ExecutionJson, must } from "./harness/api.ts";
import { advance, iso, SECOND, until } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import type { JobUnderTest } from "./harness/job.ts";
import { newJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** A job in the hands of a worker, and what that says of it. */
class Held {
  readonly job: JobUnderTest;
  executionId = "";

  constructor(job: JobUnderTest) {
    this.job = job;
  }

  static async of(body: Record<string, unknown> = {}): Promise<Held> {
    const held = new Held(await newJob(account, { handler: "work", delivery: { type: "pull" }, timeout: 60, ...body }));
    await held.taken();
    return held;
  }

  /** A worker takes the attempt that is due. */
  async taken(): Promise<void> {
    await this.job.ringWhenSet();
    this.executionId = (await this.job.executions()).at(-1)?.id ?? "";
    await this.say("start");
  }

  /** It runs for so long that its state is reported. */
  lasts = () => this.job.ringAt(Date.now() + 5 * SECOND);

  /** Its end has reached the read model: the row is the whole truth. */
  isLetGo = () => until(this.job.isEmpty);

  say(call: string, more: object = {}, raw?: string) {
    const sent = raw === undefined ? { body: { execution_id: this.executionId, ...more } } : { raw };
    return api<{ lease_expires_at: string | null }>("POST", `/v1/worker/jobs/${this.job.id}/${call}`, {
      key: account.key,
      ...sent,
    });
  }

  beat = (progress?: unknown) => this.say("heartbeat", progress === undefined ? {} : { progress });

  async shown(): Promise<unknown[]> {
    return (await this.job.executions()).map(({ progress }) => progress);
  }
}

/** Of this many bytes as JSON. */
const long = (bytes: number) => ({ text: "x".repeat(bytes - '{"text":""}'.length) });
const SMALL = { done: 3, of: 8 };
const LARGE = long(4_096);

it("is null until it is said, then what was said last, also after heartbeats that say nothing", async () => {
  const held = await Held.of();
  expect(await held.shown()).toEqual([null]);
  for (const progress of [SMALL, "half", 0, false, [1], LARGE]) {
    expect((await held.beat(progress)).status).toBe(200);
    expect(await held.shown()).toEqual([progress]);
    await held.beat();
    await held.beat(null);
    expect(await held.shown()).toEqual([progress]);
  }
});

it("moves the lease on as any heartbeat does", async () => {
  const held = await Held.of();
  advance(10 * SECOND);
  const { lease_expires_at } = await must(held.beat(SMALL));
  expect(lease_expires_at).toBe(iso(Date.now() + 60 * SECOND));
});

describe.each([
  ["small", SMALL],
  ["large", LARGE],
])("%s progress", (size, progress) => {
  const ENDS: Record<string, (held: Held) => Promise<unknown>> = {
    completed: (held) => held.say("complete", { result: 1 }),
    failed: (held) => held.say("fail", { error: { message: "no" }, retryable: false }),
    cancelled: (held) => held.job.cancel(),
  };

  it.each(Object.entries(ENDS))("stays when the job is %s, and its owner has let go", async (status, ends) => {
    const held = await Held.of();
    await held.beat(progress);
    await ends(held);
    await held.isLetGo();
    expect(await held.job.executions()).toMatchObject([{ status, progress }]);
    expect(await held.job.executionRows()).toHaveLength(size === "small" ? 0 : 1);
  });

  it("stays with the attempt that said it, whatever a later one says", async () => {
    const held = await Held.of({ max_retries: 3 });
    await held.beat(progress);
    await held.say("fail", { error: { message: "no" } });
    await held.taken();
    expect(await held.shown()).toEqual([progress, null]);
    await held.beat("second");
    await held.say("complete");
    await held.isLetGo();
    expect(await held.job.executions()).toMatchObject([
      { attempt: 1, status: "failed", progress },
      { attempt: 2, status: "completed", progress: "second" },
    ]);
  });

  it("stays when the lease runs out", async () => {
    const held = await Held.of({ max_retries: 0 });
    await held.beat(progress);
    advance(61 * SECOND);
    await held.job.ring();
    expect(await held.job.executions()).toMatchObject([{ status: "timed_out", progress }]);
  });
});

it("that was large and is small in the end is told by the row, not by what was stored apart before", async () => {
  for (const retries of [0, 1]) {
    const held = await Held.of({ max_retries: retries });
    await held.beat(LARGE);
    await held.lasts();
    expect(await held.job.executionRows()).toMatchObject([{ status: "running", progress: JSON.stringify(LARGE) }]);
    await held.beat(SMALL);
    await held.say("fail", { error: { message: "no" } });
    if (retries > 0) {
      await held.taken();
      await held.say("complete");
    }
    await held.isLetGo();
    expect((await held.job.executions())[0]).toMatchObject({ status: "failed", progress: SMALL });
    expect((await held.job.executions()).map(({ attempt }) => attempt)).toEqual(retries > 0 ? [1, 2] : [1]);
  }
});

it("is told by the row also when its owner has lost its state, and knows no more than that", async () => {
  const held = await Held.of({ max_retries: 1 });
  await held.beat(LARGE);
  await held.lasts();
  await held.beat(SMALL);
  await held.say("fail", { error: { message: "no" } });
  await until(async () => (await held.job.row())?.status === "retrying");
  await held.job.wipe();
  await held.job.owner.wake(held.job.ref);
  expect(await held.job.executions()).toMatchObject([{ status: "failed", progress: SMALL }]);
  await held.taken();
  await held.say("complete");
  await held.job.ringUntilEmpty(); // made from its row it is kept for a while
  expect(await held.job.executions()).toMatchObject([
    { status: "failed", progress: SMALL },
    { status: "completed", progress: null },
  ]);
});

it("is kept as it was sent: numbers, the order of keys, a key twice", async () => {
  const held = await Held.of();
  const text = '{"2":1.0,"1":12345678901234567890,"a":1e400,"a":-0}';
  await held.say("heartbeat", {}, `{"execution_id":"${held.executionId}","progress": ${text.replaceAll(",", " , ")}}`);
  const shown = () => held.job.call<ExecutionJson[]>("GET", "/executions");
  expect((await shown()).text).toContain(`"progress":${text}`);
  await held.say("complete");
  await held.isLetGo();
  expect((await shown()).text).toContain(`"progress":${text}`);
});

it("may have 4,096 bytes as JSON and no more: 422 on `progress`, and the lease is as it was", async () => {
  const held = await Held.of();
  advance(SECOND);
  const before = await held.job.stored();
  for (const wrong of [long(4_097), { text: "ř".repeat(2_048) }]) {
    const { status, body } = await held.beat(wrong);
    expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["progress"]]);
  }
  const surrogate = `{"execution_id":"${held.executionId}","progress":"\\ud800"}`;
  expect((await held.say("heartbeat", {}, surrogate)).status).toBe(422);
  expect(await held.job.stored()).toEqual(before);
});

it("is taken from who holds the lease alone", async () => {
  const held = await Held.of({ max_retries: 1 });
  const first = held.executionId;
  await held.beat("mine");
  await held.say("fail", { error: { message: "no" } });
  await held.taken();
  const late = await api("POST", `/v1/worker/jobs/${held.job.id}/heartbeat`, {
    key: account.key,
    body: { execution_id: first, progress: "late" },
  });
  expect([late.status, late.body.code]).toEqual([409, "lease_lost"]);
  await held.job.cancel();
  const cancelled = await held.beat("too late");
  expect([cancelled.status, cancelled.body.data]).toEqual([200, { lease_expires_at: null, cancel_requested: true }]);
  expect(await held.shown()).toEqual(["mine", null]);
});

it("costs one report for each lease, however often it is said, and is fresh all the same", async () => {
  const held = await Held.of();
  const startedAt = Date.now();
  await held.lasts();
  expect(post.takeJobs()).toMatchObject([{ facts: { status: "running", progress: null } }]);
  for (let n = 1; n <= 100; n++) {
    advance(100);
    await held.beat({ done: n });
    await held.job.ring();
  }
  expect(post.take()).toEqual([]);
  expect(await held.shown()).toEqual([{ done: 100 }]);
  await held.job.ringAt(startedAt + 60 * SECOND); // when the lease that was reported would have ended
  expect(post.takeJobs()).toMatchObject([{ facts: { status: "running", progress: '{"done":100}' } }]);
});

it("is taken while the database is down, and shown when it is back", async () => {
  const held = await Held.of();
  const down = databaseDown();
  expect((await held.beat(SMALL)).status).toBe(200);
  down.end();
  expect(await held.shown()).toEqual([SMALL]);
});
