// An orderly end and a new beginning on the same state. A service of its own.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isAlive } from "./harness/process-tree.ts";
import { Receiver } from "./harness/receiver.ts";
import { OwnService } from "./harness/service.ts";
import { Tenant } from "./harness/tenant.ts";

const service = new OwnService();
let receiver: Receiver;
beforeAll(async () => {
  [receiver] = await Promise.all([Receiver.listen(), service.ready()]);
});
afterAll(() => Promise.all([service.stop(), receiver?.close()]));

it("ends with no process left, and knows everything when it is started again", async () => {
  const tenant = await service.newTenant();
  const before = service.dev;
  const [target, doneTarget] = [receiver.target(), receiver.target()];
  const [done, pending, queued, claimable] = await Promise.all([
    tenant.create(doneTarget.delivery()),
    tenant.create({ ...target.delivery(), delay: { value: 5, unit: "second" } }),
    tenant.create({ handler: "queued" }),
    tenant.create({ handler: "claimed", timeout: 120 }),
  ]);
  const [claimed] = await Promise.all([
    tenant.mustClaim("claimed"),
    tenant.whenIt("completed", done.id),
    tenant.whenIt("queued", queued.id),
  ]);

  const processes = service.processes;
  expect(processes.length).toBeGreaterThanOrEqual(4); // the tests' guard, npm, node, workerd
  expect(await service.terminate()).toBe(0);
  expect(processes.filter(isAlive)).toEqual([]);
  expect(existsSync(join(service.folder, "state", "run.json"))).toBe(false);
  await expect(fetch(`${before.url}/health`)).rejects.toThrow();
  expect(service.log).not.toMatch(/error/i);

  service.start();
  await service.ready();
  const { url: _, ...kept } = service.dev;
  expect(before).toMatchObject(kept);

  const again = new Tenant({ ...tenant, url: service.url });
  expect(await again.get("/v1/signing-secret")).toMatchObject({ signing_secret: tenant.signingSecret });
  expect(await again.job(done.id)).toMatchObject({ status: "completed", attempts: 1 });
  expect(await again.executions(done.id)).toHaveLength(1);
  expect(await again.claim("queued", 10)).toMatchObject({ job_id: queued.id, attempt: 1 });
  expect((await again.say("complete", claimed)).status).toBe(200);
  expect(await again.job(claimable.id)).toMatchObject({ status: "completed", attempts: 1 });
  expect((await target.receives()).at).toBeGreaterThanOrEqual(Date.parse(pending.scheduled_for));
  expect(await again.whenIt("completed", pending.id)).toMatchObject({ attempts: 1 });
  expect([doneTarget.deliveries.length, target.deliveries.length]).toEqual([1, 1]);
});
