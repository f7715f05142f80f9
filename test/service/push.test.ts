// A push as its receiver sees it: on time, once, whole, and signed so that anyone can verify it (contract §4).

import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Delivery, Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Tenant } from "../harness/tenant.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

const header = ({ headers }: Delivery, name: string): string => String(headers[name]);

/** The signature of contract §4, by hand. */
function chronosSignature(secret: string, delivery: Delivery): string {
  const [id, timestamp] = [header(delivery, "x-chronos-delivery-id"), header(delivery, "x-chronos-timestamp")];
  return `sha256=${createHmac("sha256", secret).update(`${id}.${timestamp}.${delivery.body}`).digest("hex")}`;
}

/** Throws unless the package accepts it. */
function verifyAsStandardWebhook(secret: string, delivery: Delivery): void {
  const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
  const headers = Object.fromEntries(names.map((name) => [name, header(delivery, name)]));
  new Webhook(secret).verify(delivery.body, headers, { jsonParse: false });
}

function expectSigned({ signingSecret }: Tenant, delivery: Delivery): void {
  expect(header(delivery, "x-chronos-signature")).toBe(chronosSignature(signingSecret, delivery));
  verifyAsStandardWebhook(signingSecret, delivery);
}

it.concurrent("delivers a job that is due in two seconds exactly once, and not before its time", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  const job = await tenant.create({ ...target.delivery(), delay: { value: 2, unit: "second" } });
  expect(Date.parse(job.scheduled_for) - Date.parse(job.created_at)).toBe(2_000);
  const { at } = await target.receives();
  const lateMs = at - Date.parse(job.scheduled_for);
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(30_000); // milliseconds on an idle machine; this one may be anything but
  await tenant.whenIt("completed", job.id);
  await sleep(2_500); // longer than a first retry would wait
  expect(target.deliveries).toHaveLength(1);
  expect(await tenant.executions(job.id)).toMatchObject([{ attempt: 1, trigger: "scheduled", status: "completed" }]);
});

it.concurrent("sends the contract's body and headers, and the job's own headers beside them", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  const payload = { to: "Ada ✉ 🕰", 'with "quotes"': [1, null, { deep: true }] };
  const own = { "X-Own": "its own", Authorization: "Bearer of-the-target" };
  const job = await tenant.create({ ...target.delivery("POST", own), handler: "notify", payload });
  const delivery = await target.receives();
  const [execution] = await tenant.executions(job.id);

  const { id: job_id, handler, scheduled_for } = job;
  expect(delivery.body).toBe(
    JSON.stringify({ job_id, handler, execution_id: execution?.id, scheduled_for, attempt: 1, payload }),
  );
  expect(delivery.method).toBe("POST");
  expect(delivery.headers).toMatchObject({
    "content-type": "application/json",
    "user-agent": "chronos.sh/1.0",
    "x-chronos-delivery-id": execution?.id,
    "x-chronos-timestamp": expect.stringMatching(/^\d{10}$/),
    "x-chronos-signature": expect.stringMatching(/^sha256=[0-9a-f]{64}$/),
    "x-chronos-job-id": job_id,
    "x-chronos-attempt": "1",
    "webhook-id": job_id,
    "webhook-timestamp": header(delivery, "x-chronos-timestamp"),
    "webhook-signature": expect.stringMatching(/^v1,[0-9A-Za-z+/]{43}=$/),
    "x-own": "its own",
    authorization: "Bearer of-the-target",
  });
  expect(Math.abs(delivery.at / 1_000 - Number(header(delivery, "x-chronos-timestamp")))).toBeLessThan(60);
});

it.concurrent.each(["POST", "PUT", "PATCH", "DELETE"])("signs a %s in both forms", async (method) => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  await tenant.create({ ...target.delivery(method), payload: { text: "naïve – 🕰" } });
  const delivery = await target.receives();
  expect(delivery.method).toBe(method);
  expect(delivery.json.payload).toEqual({ text: "naïve – 🕰" });
  expectSigned(tenant, delivery);
});

it.concurrent("sends a GET without a body and signs the empty string", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  await tenant.create({ ...target.delivery("GET"), payload: { not: "sent" } });
  const delivery = await target.receives();
  expect([delivery.method, delivery.body]).toEqual(["GET", ""]);
  expectSigned(tenant, delivery);
});

it.concurrent("keeps the webhook id across retries, counts the attempt, and signs each anew", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(500, 200);
  const job = await tenant.create(target.delivery());
  await target.receives(2);
  const { deliveries } = target;
  expect(deliveries.map((one) => header(one, "webhook-id"))).toEqual([job.id, job.id]);
  expect(deliveries.map(({ json }) => json.attempt)).toEqual([1, 2]);
  expect(deliveries.map((one) => header(one, "x-chronos-attempt"))).toEqual(["1", "2"]);
  const executionIds = (await tenant.executions(job.id)).map(({ id }) => id);
  expect(deliveries.map((one) => header(one, "x-chronos-delivery-id"))).toEqual(executionIds);
  for (const delivery of deliveries) expectSigned(tenant, delivery);
});

it.concurrent("signs for both secrets during a rotation, so that a receiver has time to change", async () => {
  const tenant = await service.newTenant();
  type Secrets = { signing_secret: string; previous_signing_secret: string | null };
  const rotated = await tenant.post<Secrets>("/v1/signing-secret/rotate", {});
  expect(rotated.previous_signing_secret).toBe(tenant.signingSecret);
  const target = receiver.target();
  await tenant.create(target.delivery());
  const delivery = await target.receives();
  expectSigned(tenant, delivery);
  verifyAsStandardWebhook(rotated.signing_secret, delivery);
});
