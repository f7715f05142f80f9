// An endpoint that has failed for five days is disabled, and says why (contract §9).

import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { JobUnderTest, newJob } from "../harness/job.ts";
import { post } from "../harness/post.ts";
import { receiver, type Script } from "../harness/receiver.ts";
import { eventJobs, HOOK, newWebhook, type WebhookJson, webhookCall } from "./webhook.ts";

let account: Account;
let id: string;
beforeEach(async () => {
  account = await newAccount();
  ({ id } = await newWebhook(account, "job.failed"));
  vi.spyOn(Math, "random").mockReturnValue(0);
});

const webhook = async (): Promise<WebhookJson> => (await webhookCall(account, "GET", `/${id}`)).body.data;

/** A test of the webhook, delivered at this moment. */
async function deliveredAt(at: number, answer: Script): Promise<JobUnderTest> {
  setClock(at);
  receiver.answersAt(HOOK, answer);
  const { body } = await webhookCall<{ id: string }>(account, "POST", `/${id}/test`);
  const job = new JobUnderTest(account, body.data.id);
  await job.ringWhenSet();
  return job;
}

it("since when it fails is shown, and forgotten with the first delivery that is taken", async () => {
  await deliveredAt(NOON, 500);
  const since = (await webhook()).failing_since ?? "";
  expect(Date.parse(since) - NOON).toBeLessThan(SECOND);
  await deliveredAt(NOON + HOUR, 500);
  expect((await webhook()).failing_since).toBe(since);
  await deliveredAt(NOON + 2 * HOUR, 200);
  expect((await webhook()).failing_since).toBeNull();
});

it("a millisecond less than five days are borne; then it is disabled, and says why", async () => {
  const first = await deliveredAt(NOON, 404);
  const since = Date.parse((await webhook()).failing_since ?? "");
  const until = async (at: number) => deliveredAt(at - 1, 500); // it rings a millisecond later
  await until(since + 5 * DAY - 1);
  expect(await webhook()).toMatchObject({ enabled: true, disabled_reason: null });
  await until(since + 5 * DAY);
  expect(await webhook()).toMatchObject({
    enabled: false,
    disabled_reason: `Every delivery has failed since ${iso(since)} (last: http_status 500). Disabled after five days.`,
    failing_since: iso(since),
    updated_at: iso(since + 5 * DAY),
  });
  expect(await first.show()).toMatchObject({ status: "failed" });
});

describe("a disabled endpoint", () => {
  beforeEach(async () => {
    await deliveredAt(NOON, () => Promise.reject(new Error("Network connection lost.")) as never);
    await deliveredAt(NOON + 6 * DAY, 503);
    expect(await webhook()).toMatchObject({ enabled: false });
  });

  const fail = async () => {
    receiver.answers(500);
    await (await newJob(account, { max_retries: 0 })).ring();
  };

  it("gets no new events, while deliveries under way go on", async () => {
    const before = await eventJobs(account);
    await fail();
    expect((await eventJobs(account)).length).toBe(before.length);
    expect(before.at(-1)).toMatchObject({ status: "retrying" });
    receiver.answersAt(HOOK, 200);
    await new JobUnderTest(account, before.at(-1)?.id ?? "").ringWhenSet();
    expect(await webhook()).toMatchObject({ enabled: false, failing_since: null });
  });

  it("is enabled again by hand, and has five days from then on", async () => {
    const { body } = await webhookCall(account, "PATCH", `/${id}`, { enabled: true });
    expect(body.data).toMatchObject({ enabled: true, disabled_reason: null, failing_since: null });
    await fail();
    expect((await eventJobs(account)).at(-1)).toMatchObject({ name: "job.failed", status: "pending" });
    await deliveredAt(Date.now() + MINUTE, 500);
    expect(await webhook()).toMatchObject({ enabled: true });
  });
});

it("another URL has five days of its own", async () => {
  await deliveredAt(NOON, 500);
  const same = await webhookCall(account, "PATCH", `/${id}`, { url: HOOK, description: "x" });
  expect(same.body.data.failing_since).not.toBeNull();
  const other = await webhookCall(account, "PATCH", `/${id}`, { url: `${HOOK}/2` });
  expect(other.body.data.failing_since).toBeNull();
});

it("a report that comes late or again says nothing anew", async () => {
  await deliveredAt(NOON, 500);
  const failing = post.take();
  await deliveredAt(NOON + HOUR, 200);
  await post.deliver(failing);
  expect((await webhook()).failing_since).toBeNull();
});

it("a delivery that is held or edited after its failure does not tell of it again", async () => {
  const failed = await deliveredAt(NOON, 500);
  await deliveredAt(NOON + SECOND, 200);
  await failed.edit({ name: "edited" });
  expect((await webhook()).failing_since).toBeNull();
});

it("a delivery of another account with the same tag changes nothing", async () => {
  const stranger = await newAccount();
  receiver.answers(500);
  const job = await newJob(stranger, { tags: [`webhook:${id}`], max_retries: 0 });
  await job.ring();
  const own = await newJob(account, { tags: [`webhook:${id}`], max_retries: 0 });
  advance(SECOND);
  await own.ring();
  expect((await webhook()).failing_since).toBeNull();
});
