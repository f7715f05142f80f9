// What the end of a job announces, to whom, and exactly once (contract §9).

import { runInDurableObject } from "cloudflare:test";
import { Webhook } from "standardwebhooks";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { verifyWebhook } from "../../../sdk/src/index.ts";
import { STALE_ARM_MS } from "../../../src/domain/timer.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { api, type JobJson } from "../harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { answerLost, databaseDown } from "../harness/database.ts";
import { JobUnderTest, newJob, PUSH } from "../harness/job.ts";
import { post } from "../harness/post.ts";
import { receiver } from "../harness/receiver.ts";
import {
  arrivedAt,
  bodiesAt,
  deliver,
  eventJobs,
  HOOK,
  newWebhook,
  postWebhook,
  typesOf,
  webhookCall,
} from "./webhook.ts";

const ALL = ["job.completed", "job.failed", "job.cancelled", "job.recovered"];

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** A job that fails at its only attempt. */
async function failedJob(body: Record<string, unknown> = {}): Promise<JobUnderTest> {
  receiver.answers(500);
  const job = await newJob(account, { max_retries: 0, ...body });
  await job.ring();
  return job;
}

async function completedJob(body: Record<string, unknown> = {}): Promise<JobUnderTest> {
  receiver.answers(200);
  const job = await newJob(account, body);
  await job.ring();
  return job;
}

async function recoveredJob(): Promise<JobUnderTest> {
  receiver.answers(500, 200);
  const job = await newJob(account);
  await job.ring();
  await job.ringWhenSet();
  return job;
}

async function cancelledJob(body: Record<string, unknown> = {}): Promise<JobUnderTest> {
  const job = await newJob(account, body);
  await job.cancel();
  return job;
}

describe.each([
  ["completed", completedJob, ["job.completed"]],
  ["completed after a failure", recoveredJob, ["job.completed", "job.recovered"]],
  ["failed", failedJob, ["job.failed"]],
  ["cancelled", cancelledJob, ["job.cancelled"]],
  [
    "cancelled far ahead, without an owner",
    () => cancelledJob({ delay: { value: 3, unit: "day" } }),
    ["job.cancelled"],
  ],
  ["expired", expiredJob, ["job.failed"]],
] as const)("a job that has %s", (_, ends, types) => {
  it("is announced to whoever asks, once for each type, as it is shown", async () => {
    const all = await newWebhook(account, ...ALL);
    await newWebhook(account, "schedule.missed");
    const job = await ends();
    const events = await eventJobs(account);
    expect(typesOf(events)).toEqual(types);
    for (const event of events)
      expect(event).toMatchObject({
        origin: "event",
        status: "pending",
        handler: null,
        tags: [`job:${job.id}`, `webhook:${all.id}`],
        max_retries: 7,
        timeout: 15,
        delivery: { type: "push", http: { url: HOOK, method: "POST", headers: {} } },
      });
    await deliver(account);
    const shown = await job.show();
    const arrived = bodiesAt(HOOK).toSorted((one, other) => one.type.localeCompare(other.type));
    expect(arrived).toEqual(types.map((type) => ({ type, timestamp: shown.completed_at, data: shown })));
    expect(await eventJobs(account), "events announce nothing").toHaveLength(types.length);
  });

  it("is announced to nobody who asks for something else, or is disabled", async () => {
    await newWebhook(account, ...ALL.filter((type) => !types.some((one) => one === type)));
    await postWebhook(account, { events: ALL, enabled: false });
    const stranger = await newAccount();
    await newWebhook(stranger, ...ALL);
    await ends();
    expect(await eventJobs(account)).toEqual([]);
    expect(await eventJobs(stranger)).toEqual([]);
  });

  it("has its events before the list shows its end", async () => {
    await newWebhook(account, ...ALL);
    await ends();
    const [event] = await eventJobs(account);
    expect(event?.created_at).toBe(event?.scheduled_for);
  });
});

async function expiredJob(): Promise<JobUnderTest> {
  const job = await newJob(account, {
    handler: "h",
    delivery: { type: "pull" },
    expires_after: { value: 1, unit: "minute" },
  });
  await job.ringWhenSet();
  setClock(NOON + MINUTE);
  await job.ring();
  return job;
}

it("each of several webhooks is told", async () => {
  const made = [];
  for (let n = 0; n < 20; n++) made.push(await newWebhook(account, "job.failed"));
  await failedJob();
  const events = await eventJobs(account);
  expect(new Set(events.flatMap(({ tags }) => tags.filter((tag) => tag.startsWith("webhook:"))))).toEqual(
    new Set(made.map(({ id }) => `webhook:${id}`)),
  );
  expect(new Set(events.map(({ id }) => id)).size).toBe(20);
});

it("any Standard Webhooks library verifies an event, whose id is the same for every attempt", async () => {
  await newWebhook(account, "job.failed");
  await failedJob();
  receiver.answersAt(HOOK, 500, 200);
  const [event] = await eventJobs(account);
  const carrier = new JobUnderTest(account, event?.id ?? "");
  await carrier.ringWhenSet();
  await carrier.ringWhenSet();
  const requests = arrivedAt(HOOK);
  expect(requests.map(({ headers }) => headers.get("webhook-id"))).toEqual([event?.id, event?.id]);
  vi.useRealTimers();
  const judge = new Webhook(account.secret);
  vi.useFakeTimers({ toFake: ["Date"], now: NOON + 10 * SECOND });
  for (const { headers, body } of requests)
    expect(judge.verify(body, Object.fromEntries(headers))).toMatchObject({ type: "job.failed" });
  for (const { headers, body } of requests)
    expect(await verifyWebhook({ headers, body }, account.secret)).toMatchObject({
      id: event?.id,
      type: "job.failed",
      data: { status: "failed" },
    });
});

it("an event carries payload and result character by character", async () => {
  await newWebhook(account, "job.completed");
  const { body } = await api<JobJson>("POST", "/v1/jobs", {
    key: account.key,
    raw: '{"name":"exact","handler":"h","payload":{"n":12345678901234567890,"b":1e400,"a":-0,"n":2}}',
  });
  const job = new JobUnderTest(account, body.data.id);
  await job.ringWhenSet();
  const execution = (await job.executions()).at(-1);
  await job.owner.lease(job.ref, execution?.id ?? "", null);
  await api("POST", `/v1/worker/jobs/${job.id}/complete`, {
    key: account.key,
    raw: `{"execution_id":"${execution?.id}","result":{"big":98765432109876543210}}`,
  });
  await until(async () => (await eventJobs(account)).length > 0);
  await deliver(account);
  const [arrived] = arrivedAt(HOOK);
  expect(arrived?.body).toContain('"payload":{"n":12345678901234567890,"b":1e400,"a":-0,"n":2}');
  expect(arrived?.body).toContain('"result":{"big":98765432109876543210}');
});

it("the largest payload and result travel in one event", async () => {
  await newWebhook(account, "job.completed");
  const job = await newJob(account, {
    handler: "h",
    delivery: { type: "pull" },
    payload: { text: "x".repeat(65_500) },
  });
  await job.ringWhenSet();
  const execution = (await job.executions()).at(-1);
  await job.owner.lease(job.ref, execution?.id ?? "", null);
  await api("POST", `/v1/worker/jobs/${job.id}/complete`, {
    key: account.key,
    body: { execution_id: execution?.id, result: "y".repeat(65_500) },
  });
  await until(async () => (await eventJobs(account)).length > 0);
  await deliver(account);
  expect(bodiesAt(HOOK)[0]?.data).toMatchObject({ result: "y".repeat(65_500) });
});

describe("a delivery", () => {
  it("is tried for about a day", async () => {
    await newWebhook(account, "job.failed");
    await failedJob();
    receiver.answersAt(HOOK, 500);
    const [event] = await eventJobs(account);
    const carrier = new JobUnderTest(account, event?.id ?? "");
    const starts: number[] = [];
    while ((await carrier.show()).status !== "failed") {
      await carrier.ringWhenSet();
      starts.push(Date.now() - NOON);
    }
    const waits = starts.map((at, n) => at - (starts[n - 1] ?? 0)).slice(1);
    expect(waits).toEqual([5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]);
    expect(starts.at(-1)).toBeGreaterThan(DAY);
    expect((await eventJobs(account)).length, "that it failed is announced to nobody").toBe(1);
  });

  it("is cancelled and retried like any job's", async () => {
    await newWebhook(account, ...ALL);
    await failedJob();
    const [event] = await eventJobs(account);
    const carrier = new JobUnderTest(account, event?.id ?? "");
    expect((await carrier.cancel()).status).toBe(200);
    expect((await carrier.retry()).status).toBe(200);
    await carrier.ringWhenSet();
    expect(await carrier.show()).toMatchObject({ status: "completed" });
    expect(await eventJobs(account)).toHaveLength(1);
  });
});

describe("between an end and its events", () => {
  /** D1 applies no report, so nobody is told. */
  const unannounced = async (): Promise<JobUnderTest> => {
    await newWebhook(account, ...ALL);
    post.stop();
    const job = await failedJob();
    expect(await eventJobs(account)).toEqual([]);
    return job;
  };

  it("a retry keeps the end, which is announced with the retry", async () => {
    const job = await unannounced();
    post.goOn();
    expect((await job.retry()).status).toBe(200);
    expect(typesOf(await eventJobs(account))).toEqual(["job.failed"]);
    receiver.answers(200);
    advance(SECOND);
    await job.ringWhenSet();
    expect(typesOf(await eventJobs(account))).toEqual(["job.completed", "job.failed", "job.recovered"]);
  });

  it("it may be retried while D1 cannot be asked: what was not told then is told later, three ends if need be", async () => {
    const job = await unannounced();
    const down = databaseDown();
    for (let n = 0; n < 2; n++) {
      expect((await job.retry()).status).toBe(200);
      advance(SECOND);
      expect((await job.cancel()).status).toBe(200);
    }
    expect((await job.retry()).status).toBe(200);
    advance(SECOND);
    await job.cancel();
    expect((await job.retry()).status, "its owner can hold no more").toBe(503);
    down.end();
    post.goOn();
    await job.ringUntilEmpty();
    expect(typesOf(await eventJobs(account))).toEqual([...Array(3).fill("job.cancelled"), "job.failed"]);
    expect(await job.isEmpty()).toBe(true);
  });

  it("a deletion announces the end first, and is 503 as long as it cannot be", async () => {
    const job = await unannounced();
    expect((await job.remove()).status).toBe(503);
    post.goOn();
    expect((await job.remove()).status).toBe(200);
    expect(typesOf(await eventJobs(account))).toEqual(["job.failed"]);
    expect(await job.row()).toBeUndefined();
  });

  it("the key may go to another job, and the end is announced once", async () => {
    await newWebhook(account, ...ALL);
    post.stop();
    const job = await failedJob({ idempotency_key: "k" });
    post.goOn();
    const { status } = await api("POST", "/v1/jobs", {
      key: account.key,
      body: {
        name: "other",
        delivery: PUSH,
        idempotency_key: "k",
        on_conflict: "replace",
        delay: { value: 1, unit: "hour" },
      },
    });
    expect(status).toBe(201);
    advance(MINUTE);
    await job.ring();
    expect(typesOf(await eventJobs(account))).toEqual(["job.failed"]);
  });

  it("the row may be deleted by hand, and those who asked are told all the same", async () => {
    const job = await unannounced();
    await job.deleteRow();
    post.goOn();
    await job.ringWhenSet();
    expect(typesOf(await eventJobs(account))).toEqual(["job.failed"]);
    expect(await job.isEmpty()).toBe(true);
  });

  it("D1 may be away: the events follow once it is back", async () => {
    await newWebhook(account, ...ALL);
    receiver.answers(500);
    const job = await newJob(account, { max_retries: 0 });
    const down = databaseDown();
    await job.ring();
    down.end();
    expect(await eventJobs(account)).toEqual([]);
    await job.ringWhenSet();
    const [event] = await eventJobs(account);
    expect(event).toMatchObject({ name: "job.failed", created_at: iso(NOON) });
    expect(await job.isEmpty()).toBe(true);
  });
});

describe("an answer of D1 that is lost after the events were inserted", () => {
  it.each([
    ["which may be asked for again", "D1_ERROR: Network connection lost.", 1, false],
    ["which may not", "D1_ERROR: D1 DB exceeded timeout", 1, false],
    ["and nothing can be read", "D1_ERROR: D1 DB exceeded timeout", 1, true],
    ["twice", "D1_ERROR: Network connection lost.", 2, true],
  ])("%s: each event has one job, which is delivered once", async (_, words, times, blind) => {
    await newWebhook(account, ...ALL);
    receiver.answers(500);
    const job = await newJob(account, { max_retries: 0 });
    const lost = answerLost('insert into "jobs"', words, { times, blind });
    await job.ring();
    lost.end();
    if (!(await job.isEmpty())) await job.ringUntilEmpty();
    const [event, ...others] = await eventJobs(account);
    expect(others).toEqual([]);
    const carrier = new JobUnderTest(account, event?.id ?? "");
    await carrier.ringUntilEmpty();
    expect(await carrier.show()).toMatchObject({ status: "completed", attempts: 1 });
    expect(arrivedAt(HOOK)).toHaveLength(1);
    expect(await job.row()).toMatchObject({ status: "failed", reportDueAt: null });
  });
});

describe("an end that is reported again", () => {
  it("makes no event again, even if that was delivered and let go meanwhile", async () => {
    await newWebhook(account, ...ALL);
    const job = await failedJob();
    const reports = post.take();
    await deliver(account);
    await post.deliver(reports);
    await job.owner.wake(job.ref);
    expect(arrivedAt(HOOK)).toHaveLength(1);
    expect(await eventJobs(account)).toHaveLength(1);
  });

  it("does not run an event again that has ended and was let go", async () => {
    await newWebhook(account, ...ALL);
    post.stop();
    const job = await failedJob();
    const unannounced = await job.stored();
    post.goOn();
    await job.owner.wake(job.ref);
    await until(() => job.isEmpty());
    await deliver(account);
    // An instance that died after it had made the event finds its state as it was before, while an arm would be believed.
    await runInDurableObject(job.owner, (_, { storage }) => storage.kv.put("state", unannounced));
    await job.evict();
    await job.owner.wake(job.ref);
    await until(() => job.isEmpty());
    expect(Date.now() - NOON).toBeLessThan(STALE_ARM_MS);
    const [event, ...others] = await eventJobs(account);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ status: "completed", attempts: 1 });
    expect(await new JobUnderTest(account, event?.id ?? "").isEmpty()).toBe(true);
    expect(arrivedAt(HOOK)).toHaveLength(1);
    expect(await job.isEmpty()).toBe(true);
  });
});

it("a webhook that is made after an end hears nothing of it", async () => {
  await failedJob();
  await newWebhook(account, ...ALL);
  advance(HOUR);
  expect(await eventJobs(account)).toEqual([]);
});

it("a job of an account without webhooks costs no call and no write more", async () => {
  receiver.answers(200);
  const job = await newJob(account);
  post.take();
  await job.ring();
  expect(post.takeJobs().map(({ announces }) => announces)).toEqual([["job.completed"]]);
  expect(await job.isEmpty()).toBe(true);
});

it("a webhook that asks for failures only costs a job that goes well nothing", async () => {
  const { id } = await newWebhook(account, "job.failed");
  receiver.answers(200);
  const job = await newJob(account);
  post.take();
  await job.ring();
  expect(post.takeJobs()).toHaveLength(1);
  expect((await webhookCall(account, "GET", `/${id}`)).body.data.failing_since).toBeNull();
});

describe("reports of one job that come together", () => {
  it("of an edit and of an end that somebody asks for: neither is written, and both are in the end", async () => {
    await newWebhook(account, ...ALL);
    const job = await newJob(account, { delay: { value: 1, unit: "hour" } });
    post.stop();
    await job.edit({ name: "edited" });
    await job.cancel();
    const [edit, end] = post.take();
    if (!edit || !end) throw new Error("not reported");
    expect(await post.deliver([edit, end])).toEqual(["unavailable", "announce"]);
    expect(await job.row()).toMatchObject({ name: "a job", status: "pending" });
    expect(await post.deliver([edit])).toEqual(["stored"]);
    post.goOn();
    await job.ringUntilEmpty();
    expect(await job.row()).toMatchObject({ name: "edited", status: "cancelled" });
    expect(typesOf(await eventJobs(account))).toEqual(["job.cancelled"]);
  });

  it("an end that nobody asks for is written with its neighbours, one that somebody asks for is not", async () => {
    const stranger = await newAccount();
    await newWebhook(account, ...ALL);
    post.stop();
    const mine = await failedJob();
    const theirs = await newJob(stranger, { max_retries: 0 });
    await theirs.ring();
    expect(await post.deliver(post.take())).toEqual(["announce", "stored"]);
    expect([(await mine.row())?.status, (await theirs.row())?.status]).toEqual(["pending", "failed"]);
  });
});
