// Events as a user receives them (contract §9): at a real endpoint, over the wire, verified by a library of Standard Webhooks.

import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { verifyWebhook } from "../../sdk/src/index.ts";
import { type Delivery, Receiver } from "../harness/receiver.ts";
import { sharedService } from "../harness/shared.ts";
import type { Job, Tenant } from "../harness/tenant.ts";

interface WebhookJson {
  readonly id: string;
  readonly enabled: boolean;
  readonly failing_since: string | null;
}

let receiver: Receiver;
let tenant: Tenant;
beforeAll(async () => {
  receiver = await Receiver.listen();
  tenant = await (await sharedService()).newTenant();
});
afterAll(() => receiver.close());

const verified = ({ body, headers }: Delivery) =>
  new Webhook(tenant.signingSecret).verify(body, headers as Record<string, string>) as { type: string; data: Job };

it("a job that fails is told to a webhook and to its own callback, and the test event before it", async () => {
  const hook = receiver.target(200);
  const callback = receiver.target(200);
  const made = await tenant.post<WebhookJson>("/v1/webhooks", { url: hook.url, events: ["job.failed"] });

  const test = await tenant.post<Job>(`/v1/webhooks/${made.id}/test`);
  const tested = await hook.receives(1);
  expect(verified(tested)).toMatchObject({ type: "webhook.test", data: { webhook_id: made.id } });
  expect(tested.headers["webhook-id"]).toBe(test.id);

  const target = receiver.target(400);
  const job = await tenant.create({
    ...target.delivery(),
    payload: { n: 1 },
    callbacks: { failed: { url: callback.url, headers: { "X-Team": "growth" } } },
  });
  const [told, called] = [await hook.receives(2), await callback.receives(1)];
  const failed = await tenant.whenIt("failed", job.id);
  for (const delivery of [told, called]) expect(verified(delivery)).toMatchObject({ type: "job.failed", data: failed });
  expect(called.headers["x-team"]).toBe("growth");
  expect(told.headers["webhook-id"]).not.toBe(called.headers["webhook-id"]);

  const event = await verifyWebhook({ headers: told.headers, body: told.body }, tenant.signingSecret);
  expect(event).toMatchObject({
    id: told.headers["webhook-id"],
    type: "job.failed",
    data: { id: job.id, attempts: 1 },
  });
  const events = await tenant.get<Job[]>(`/v1/jobs?origin=event&tag=job:${job.id}`);
  expect(events.map(({ name, tags }) => [name, tags.length]).sort()).toEqual([
    ["job.failed", 1],
    ["job.failed", 2],
  ]);
});

it("an endpoint that fails is tried again, and shows since when it has failed", async () => {
  const hook = receiver.target(500, 200);
  const { id } = await tenant.post<WebhookJson>("/v1/webhooks", { url: hook.url, events: ["job.cancelled"] });
  const job = await tenant.create({ handler: "h", delay: { value: 1, unit: "hour" } });
  await tenant.post(`/v1/jobs/${job.id}/cancel`);
  const first = await hook.receives(1);
  const [event] = await tenant.get<Job[]>(`/v1/jobs?origin=event&tag=webhook:${id}`);
  await tenant.whenIt("retrying", event?.id ?? "");
  expect((await tenant.get<WebhookJson>(`/v1/webhooks/${id}`)).failing_since).not.toBeNull();
  const second = await hook.receives(2);
  expect([first.headers["webhook-id"], second.headers["webhook-id"]]).toEqual([event?.id, event?.id]);
  expect(second.at - first.at).toBeGreaterThanOrEqual(5_000);
  await tenant.whenIt("completed", event?.id ?? "");
  expect(await tenant.get<WebhookJson>(`/v1/webhooks/${id}`)).toMatchObject({ enabled: true, failing_since: null });
});
