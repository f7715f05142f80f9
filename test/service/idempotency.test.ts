// Creation that may be repeated: of any number of tries with one key, exactly one makes a job.

import { expect, it } from "vitest";
import { sharedService } from "../harness/shared.ts";
import type { Job } from "../harness/tenant.ts";

it.concurrent("makes one job of 50 concurrent creates with one key, and shows it to the 49 others", async () => {
  const service = await sharedService();
  const tenant = await service.newTenant();
  const body = { name: "once", handler: "h", idempotency_key: "order-4711", delay: { value: 1, unit: "hour" } };
  const answers = await Promise.all(Array.from({ length: 50 }, () => tenant.call<Job>("POST", "/v1/jobs", body)));

  const created = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status }) => status === 409);
  expect([created.length, refused.length]).toEqual([1, 49]);
  const job = created[0]?.body.data;
  for (const { body } of refused)
    expect(body).toMatchObject({ success: false, code: "idempotency_key_conflict", errors: [], data: { id: job?.id } });
  expect((await tenant.call("GET", "/v1/jobs")).body.meta.paging.total).toBe(1);
});

it.concurrent("leaves another account's same key alone", async () => {
  const service = await sharedService();
  const [one, other] = await Promise.all([service.newTenant(), service.newTenant()]);
  const body = { handler: "h", idempotency_key: "order-4711", delay: { value: 1, unit: "hour" } };
  const [first, second] = await Promise.all([one.create(body), other.create(body)]);
  expect(first.id).not.toBe(second.id);
});
