// An orderly end and a new beginning on the same state. A service of its own.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ID_RANDOM_BYTES, idAt } from "../../src/domain/ids.ts";
import { isAlive } from "../harness/process-tree.ts";
import { quietPort } from "../harness/quiet-port.ts";
import { Receiver } from "../harness/receiver.ts";
import { OwnService } from "../harness/service.ts";
import { Tenant } from "../harness/tenant.ts";

const service = new OwnService();
let receiver: Receiver;
beforeAll(async () => {
  [receiver] = await Promise.all([Receiver.listen(), service.ready()]);
});
afterAll(() => Promise.all([service.stop(), receiver?.close()]));

it("ends with no process left, and knows everything when it is started again", async () => {
  const tenant = await service.newTenant();
  const before = service.dev;
  const [target, doneTarget, farTarget] = [receiver.target(), receiver.target(), receiver.target()];
  const nextPort = await quietPort();
  const itself = { type: "push", http: { url: `http://localhost:${nextPort}/v1/jobs`, method: "GET" } };
  const [done, pending, queued, claimable, far, self] = await Promise.all([
    tenant.create(doneTarget.delivery()),
    tenant.create({ ...target.delivery(), delay: { value: 5, unit: "second" } }),
    tenant.create({ handler: "queued" }),
    tenant.create({ handler: "claimed", timeout: 120 }),
    tenant.create({ ...farTarget.delivery(), delay: { value: 1, unit: "day" } }),
    tenant.create({ delivery: itself, delay: { value: 5, unit: "second" } }),
  ]);
  const [claimed] = await Promise.all([
    tenant.mustClaim("claimed"),
    tenant.whenIt("completed", done.id),
    tenant.whenIt("queued", queued.id),
  ]);

  const files = objectFiles();
  const nobody = idAt(Date.now() - 1_000, crypto.getRandomValues(new Uint8Array(ID_RANDOM_BYTES)));
  for (const [method, path] of [
    ["GET", ""],
    ["GET", "/executions"],
    ["POST", "/cancel"],
    ["POST", "/retry"],
  ] as const)
    expect((await tenant.call(method, `/v1/jobs/${nobody}${path}`)).status).toBe(404);
  expect(objectFiles(), "asking for a job that is not there leaves no file behind").toEqual(files);

  const processes = service.processes;
  expect(processes.length).toBeGreaterThanOrEqual(4); // the tests' guard, npm, node, workerd
  expect(await service.terminate()).toBe(0);
  expect(processes.filter(isAlive)).toEqual([]);
  expect(existsSync(join(service.folder, "state", "run.json"))).toBe(false);
  await expect(fetch(`${before.url}/health`)).rejects.toThrow();
  expect(service.log).not.toMatch(/error/i);

  aDayPasses(far.id);
  const left = objectFiles().length;
  service.start(nextPort);
  await service.ready();
  expect(objectFiles().length, "the files of objects that hold nothing any more are gone").toBeLessThan(left);
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
  expect(await farTarget.receives()).toMatchObject({ headers: { "x-chronos-job-id": far.id } });
  expect(await again.whenIt("completed", far.id)).toMatchObject({ attempts: 1 });
  // What was another's address when the job was made is the service's own now.
  expect((await again.whenIt("failed", self.id)).last_error).toMatchObject({ code: "blocked_target" });
  const deliveries = [doneTarget, target, farTarget].map((one) => one.deliveries.length);
  expect(deliveries).toEqual([1, 1, 1]);
});

/** The files of job objects there are. */
const objectFiles = (): string[] =>
  readdirSync(join(service.folder, "state/v3/do"), { recursive: true, encoding: "utf8" })
    .filter((name) => /JobObject\/[0-9a-f]{64}\.sqlite$/.test(name))
    .sort();

/** For one job, while nobody is here: it was due a moment ago. */
function aDayPasses(jobId: string): void {
  const databases = join(service.folder, "state/v3/d1/miniflare-D1DatabaseObject");
  const file = readdirSync(databases).find((name) => /^[0-9a-f]+\.sqlite$/.test(name)) ?? "";
  const db = new DatabaseSync(join(databases, file));
  const dueAt = Date.now() - 20_000; // longer than a healthy owner may take
  const changed = db
    .prepare("UPDATE jobs SET scheduled_for = ?1, run_at = ?1, report_due_at = ?1 WHERE id = ?2")
    .run(dueAt, jobId);
  db.close();
  expect(changed.changes).toBe(1);
}
