// Webhooks over the API (contract §9).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount, remove, removeElsewhere } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { advance, iso, NOON, SECOND } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { JobUnderTest } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { walkThroughAll } from "../harness/retention.ts";
import { sweep } from "../schedules/schedule.ts";
import { arrivedAt, eventJobs, HOOK, newWebhook, postWebhook, type WebhookJson, webhookCall } from "./webhook.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const NOBODY = "01b8dd57-0d40-4000-8000-000000000103";

it("a webhook is shown as it was made, and read again", async () => {
  const { status, body } = await postWebhook(account, {
    events: ["job.failed", "schedule.missed"],
    description: "ops",
  });
  expect(status).toBe(201);
  expect(body.data).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-400[0-9a-f]-/),
    url: HOOK,
    events: ["job.failed", "schedule.missed"],
    description: "ops",
    enabled: true,
    disabled_reason: null,
    failing_since: null,
    created_at: iso(NOON),
    updated_at: iso(NOON),
  });
  expect((await webhookCall(account, "GET", `/${body.data.id}`)).body.data).toEqual(body.data);
  expect((await webhookCall<WebhookJson[]>(account, "GET")).body.data).toEqual([body.data]);
});

it.each([
  ["no url", { url: null }, "url"],
  ["plain http", { url: "http://example.com/x" }, "url"],
  ["a private host", { url: "https://10.0.0.1/x" }, "url"],
  ["the service itself", { url: "https://chronos.test/v1/jobs" }, "url"],
  ["no events", { events: [] }, "events"],
  ["an unknown type", { events: ["job.exploded"] }, "events.0"],
  ["the type of tests", { events: ["webhook.test"] }, "events.0"],
  ["a type twice", { events: ["job.failed", "job.failed"] }, "events"],
  ["a long description", { description: "x".repeat(1_001) }, "description"],
  ["an unknown field", { secret: "s" }, "secret"],
])("%s is 422 and names the field", async (_, patch, field) => {
  const made = await newWebhook(account, "job.failed");
  for (const { status, body } of [
    await postWebhook(account, patch),
    await webhookCall(account, "PATCH", `/${made.id}`, patch),
  ]) {
    expect(status).toBe(422);
    expect(body.errors.map((error) => error.field)).toEqual([field]);
  }
});

it("types that a later part emits are accepted", async () => {
  expect((await postWebhook(account, { events: ["flow.paused", "flow.resumed"] })).status).toBe(201);
});

describe("a change", () => {
  it("keeps what is left out, and null is the default", async () => {
    const { body } = await postWebhook(account, { description: "ops", enabled: false });
    advance(SECOND);
    const changed = await webhookCall(account, "PATCH", `/${body.data.id}`, { events: ["job.cancelled"] });
    expect(changed.body.data).toEqual({ ...body.data, events: ["job.cancelled"], updated_at: iso(NOON + SECOND) });
    const reset = await webhookCall(account, "PATCH", `/${body.data.id}`, { description: null, enabled: null });
    expect(reset.body.data).toMatchObject({ description: null, enabled: true, url: HOOK, events: ["job.cancelled"] });
  });

  it("deletes it: 404 from then on", async () => {
    const { id } = await newWebhook(account, "job.failed");
    expect((await webhookCall<null>(account, "DELETE", `/${id}`)).body.data).toBeNull();
    for (const call of [
      await webhookCall(account, "GET", `/${id}`),
      await webhookCall(account, "PATCH", `/${id}`, { enabled: false }),
      await webhookCall(account, "DELETE", `/${id}`),
      await webhookCall(account, "POST", `/${id}/test`),
    ])
      expect([call.status, call.body.code]).toEqual([404, "webhook_not_found"]);
  });
});

it("an account has at most 20, however many are made at once", async () => {
  const answers = await Promise.all(Array.from({ length: 25 }, () => postWebhook(account)));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(20).fill(201), ...Array(5).fill(409)]);
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: "conflict" });
  const listed = await webhookCall<WebhookJson[]>(account, "GET", "?size=15&page=2");
  expect(listed.body.meta.paging).toEqual({ page: 2, pages: 2, size: 15, total: 20 });
  await webhookCall(account, "DELETE", `/${listed.body.data[0]?.id}`);
  expect((await postWebhook(account)).status).toBe(201);
});

it("another account's is 404, as one that is not there and one that cannot be", async () => {
  const { id } = await newWebhook(account, "job.failed");
  const stranger = await newAccount();
  const answers = await Promise.all(
    [id, NOBODY, crypto.randomUUID()].flatMap((one) => [
      webhookCall(stranger, "GET", `/${one}`),
      webhookCall(stranger, "PATCH", `/${one}`, { enabled: false }),
      webhookCall(stranger, "DELETE", `/${one}`),
      webhookCall(stranger, "POST", `/${one}/test`),
    ]),
  );
  for (const { status, body } of answers) expect([status, body.code]).toEqual([404, "webhook_not_found"]);
  expect((await webhookCall<WebhookJson[]>(stranger, "GET")).body.data).toEqual([]);
  expect((await webhookCall(account, "GET", `/${id}`)).body.data.enabled).toBe(true);
});

it("is 503 while D1 is down", async () => {
  const { id } = await newWebhook(account, "job.failed");
  const down = databaseDown();
  expect((await postWebhook(account)).status).toBe(503);
  expect((await webhookCall(account, "GET", `/${id}`)).status).toBe(503);
  down.end();
});

it("nothing is made for an account that is gone, and its webhooks go with it", async () => {
  await newWebhook(account, "job.failed");
  await removeElsewhere(account);
  expect((await postWebhook(account)).status).toBe(401);
  const other = await newAccount();
  await newWebhook(other, "job.failed");
  await remove(other);
  await walkThroughAll(sweep);
  const left = await env.DB.prepare("SELECT count(*) AS n FROM webhooks WHERE account_id IN (?, ?)")
    .bind(account.id, other.id)
    .first<{ n: number }>();
  expect(left?.n).toBe(0);
});

describe("a test", () => {
  it("sends an event on its way, also of a webhook that is disabled", async () => {
    const { body } = await postWebhook(account, { enabled: false });
    const { id } = body.data;
    const tested = await webhookCall<{ id: string }>(account, "POST", `/${id}/test`);
    expect(tested.status).toBe(201);
    expect(tested.body.data).toMatchObject({ name: "webhook.test", origin: "event", tags: [`webhook:${id}`] });
    await new JobUnderTest(account, tested.body.data.id).ringWhenSet();
    const [request] = arrivedAt(HOOK);
    expect(JSON.parse(request?.body ?? "")).toEqual({
      type: "webhook.test",
      timestamp: iso(NOON),
      data: { webhook_id: id },
    });
    expect(request?.headers.get("webhook-id")).toBe(tested.body.data.id);
    expect(await eventJobs(account, `&tag=webhook:${id}`)).toHaveLength(1);
  });

  it("is another one each time", async () => {
    const { id } = await newWebhook(account, "job.failed");
    await webhookCall(account, "POST", `/${id}/test`);
    await webhookCall(account, "POST", `/${id}/test`);
    expect(await eventJobs(account)).toHaveLength(2);
  });
});

it("lists leave events out unless they are asked for", async () => {
  const { id } = await newWebhook(account, "job.failed");
  receiver.answers(200);
  await webhookCall(account, "POST", `/${id}/test`);
  const { body } = await api<unknown[]>("GET", "/v1/jobs", { key: account.key });
  expect(body.data).toEqual([]);
});
