// Webhooks over the API: what is sent, what comes back, what is repeated after faults.

import { describe, expect, it } from "vitest";
import { ChronosApiError, ChronosConfigError, type NewWebhook, type Webhook } from "../src/index.ts";
import { answering as answeringWith, said } from "./answering.ts";
import { refuse } from "./answers.ts";
import { newFakeJob } from "./fake-job.ts";
import { NOON, outcomeOf, pass } from "./setup.ts";

const ID = "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0001";
const WEBHOOKS = /\/v1\/webhooks/;
const NEW: NewWebhook = { url: "https://a.example", events: ["job.failed"] };

const WRITTEN = {
  id: ID,
  url: "https://a.example",
  events: ["job.failed"],
  description: null,
  enabled: false,
  disabled_reason: "Every delivery has failed.",
  failing_since: "2030-01-01T12:00:00.000Z",
  created_at: "2030-01-01T12:00:00.000Z",
  updated_at: "2030-01-01T12:00:00.000Z",
  from_a_later_version: true,
};

/** A service that gives these answers, the last of them again and again. */
function answering(...answers: (() => Response)[]) {
  const { chronos, line } = answeringWith(WRITTEN, answers);
  return { webhooks: chronos.webhooks, line };
}

it("reads every field, times as Dates, and nothing it does not know", async () => {
  const { webhooks } = answering();
  expect(await webhooks.get(ID)).toEqual({
    id: ID,
    url: "https://a.example",
    events: ["job.failed"],
    description: null,
    enabled: false,
    disabledReason: "Every delivery has failed.",
    failingSince: new Date(NOON),
    createdAt: new Date(NOON),
    updatedAt: new Date(NOON),
  } satisfies Webhook);
});

it("writes what was given, and leaves out what was left out", async () => {
  const { webhooks, line } = answering();
  await webhooks.create({ ...NEW, description: "ops", enabled: false });
  await webhooks.create(NEW);
  await webhooks.update(ID, { events: ["job.recovered"], description: null });
  expect(line.sent.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
    { method: "POST", path: "/v1/webhooks", body: { ...NEW, description: "ops", enabled: false } },
    { method: "POST", path: "/v1/webhooks", body: NEW },
    { method: "PATCH", path: `/v1/webhooks/${ID}`, body: { events: ["job.recovered"], description: null } },
  ]);
});

it("lists all of them, page by page", async () => {
  const page = (page: number) => ({ paging: { page, pages: 2, size: 1, total: 2 } });
  const { webhooks, line } = answering(
    () => said([WRITTEN], page(1)),
    () => said([{ ...WRITTEN, id: "other" }], page(2)),
  );
  const ids: string[] = [];
  for await (const { id } of webhooks.list({ size: 1 })) ids.push(id);
  expect(ids).toEqual([ID, "other"]);
  expect(line.sent.map(({ query }) => query.toString())).toEqual(["size=1", "page=2&size=1"]);
});

it("a test gives the job that carries it", async () => {
  const job = newFakeJob({ name: "webhook.test", tags: [`webhook:${ID}`] }, NOON);
  const { webhooks, line } = answering(() => said(job));
  expect(await webhooks.test(ID)).toMatchObject({ id: job.id, name: "webhook.test", tags: [`webhook:${ID}`] });
  expect(line.sent[0]).toMatchObject({ method: "POST", path: `/v1/webhooks/${ID}/test` });
});

describe("after a fault", () => {
  it.each<[string, (webhooks: ReturnType<typeof answering>["webhooks"]) => Promise<unknown>, number]>([
    ["a creation is not repeated", (webhooks) => webhooks.create(NEW), 1],
    ["a test is not repeated", (webhooks) => webhooks.test(ID), 1],
    ["a change is repeated", (webhooks) => webhooks.update(ID, { enabled: true }), 2],
    ["reading is repeated", (webhooks) => webhooks.get(ID), 2],
  ])("%s", async (_, call, times) => {
    const { webhooks, line } = answering();
    line.breaks(WEBHOOKS, "unanswered");
    const outcome = outcomeOf(call(webhooks));
    await pass(10_000);
    await outcome;
    expect(line.sent).toHaveLength(times);
  });

  it("a deletion is repeated, and what is then gone is deleted", async () => {
    const gone = () => refuse(404, "webhook_not_found", "There is no such webhook.");
    const { webhooks, line } = answering(() => said(null), gone);
    line.breaks(WEBHOOKS, "unanswered");
    const deleted = webhooks.delete(ID);
    await pass(10_000);
    expect(await deleted).toBeUndefined();
    expect(line.sent).toHaveLength(2);
    expect(await outcomeOf(webhooks.delete(ID)), "of one that was never there").toBeInstanceOf(ChronosApiError);
  });
});

it("refuses fields that do not exist, and an empty id, before anything is sent", async () => {
  const { webhooks, line } = answering();
  expect(await outcomeOf(webhooks.create({ ...NEW, secret: "s" } as NewWebhook))).toBeInstanceOf(ChronosConfigError);
  expect(await outcomeOf(webhooks.get(""))).toBeInstanceOf(ChronosConfigError);
  expect(line.sent).toEqual([]);
});
