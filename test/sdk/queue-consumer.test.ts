// The consumer Worker of the examples, beside the service under one `wrangler dev`, each message delivered twice.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import { OwnService } from "../harness/service.ts";
import { FULL_SIZE } from "../harness/size.ts";
import { Tenant } from "../harness/tenant.ts";
import { Batch } from "./harness/batch.ts";
import { clientOf } from "./harness/client.ts";

const JOBS = FULL_SIZE ? 500 : 50;

const folder = mkdtempSync(join(tmpdir(), "chronos-twice-"));
const example = join(PROJECT, "examples/queue-consumer");
let service: OwnService;
let tenant: Tenant;

beforeAll(async () => {
  const config = readFileSync(join(example, "wrangler.toml"), "utf8");
  const main = JSON.stringify(join(import.meta.dirname, "harness/twice.ts"));
  writeFileSync(join(folder, "wrangler.toml"), config.replace('"index.ts"', main));
  service = new OwnService({ command: [process.execPath, join(example, "local.ts"), join(folder, "wrangler.toml")] });
  await service.ready();
  const { url, api_key: apiKey, signing_secret: signingSecret } = service.dev;
  tenant = new Tenant({ url, id: "", apiKey, signingSecret });
});
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true });
});

it("starts without an error on its screen", () => {
  const atStart = service.log.slice(0, service.log.indexOf("Chronos is running."));
  expect(atStart).not.toMatch(/error|fetch failed|^\s+at /im);
});

it(`completes ${JOBS} jobs once each, though each message comes twice, and burns no retry`, {
  timeout: 300_000,
}, async () => {
  const batch = new Batch(tenant);
  await batch.create(JOBS, (i) => {
    const delivery = { type: "pull", queue: "emails" } as const;
    return { name: `${i}`, handler: "email", payload: { to: `${i}@example.com` }, delivery };
  });
  await batch.untilEnded(200_000);

  for (const { job, executions } of await batch.histories()) {
    expect(job).toMatchObject({ status: "completed", attempts: 1, result: { sent: `${job.name}@example.com` } });
    expect(executions).toMatchObject([{ attempt: 1, status: "completed" }]);
  }
  // Of each pair the service turned one away, the last one perhaps a moment after its job had ended.
  await expect
    .poll(() => service.log.match(/\/start","status":409/g)?.length, { timeout: 10_000 })
    .toBeGreaterThanOrEqual(JOBS);
});

it("fails for good what the handler calls hopeless, and what no handler is named for", async () => {
  const { jobs } = clientOf(tenant);
  const delivery = { type: "pull", queue: "emails" } as const;
  const [hopeless, empty, unknown] = await Promise.all([
    jobs.create({ name: "No recipient", handler: "email", payload: { subject: "?" }, delivery }),
    jobs.create({ name: "No payload", handler: "email", delivery }),
    jobs.create({ name: "No handler", handler: "fax", delivery }),
  ]);
  for (const { id } of [hopeless, empty, unknown])
    await expect.poll(async () => (await jobs.get(id)).status, { timeout: 15_000, interval: 200 }).toBe("failed");
  for (const { id } of [hopeless, empty])
    expect((await jobs.get(id)).lastError?.message).toBe("NonRetryableError: The payload has no recipient");
  expect((await jobs.get(unknown.id)).lastError?.message).toContain('No handler is registered for "fax"');
  expect((await jobs.executions(hopeless.id).page()).items).toHaveLength(1);
});

it("takes a payload whose numbers no double holds", async () => {
  const job = { name: "big", handler: "email", delivery: { type: "pull", queue: "emails" }, payload: "?" };
  const payload = '{"to":"big@example.com","n":9007199254740993,"huge":-1e400,"zero":-0,"one":1.0}';
  const made = await tenant.send<{ id: string }>("POST", "/v1/jobs", JSON.stringify(job).replace('"?"', payload));
  expect(await tenant.whenIt("completed", made.body.data.id)).toMatchObject({ result: { sent: "big@example.com" } });
});

it("refuses a queue that is not bound, and names those that are", async () => {
  const { jobs } = clientOf(tenant);
  const delivery = { type: "pull", queue: "faxes" } as const;
  await expect(jobs.create({ name: "No queue", handler: "email", delivery })).rejects.toMatchObject({
    status: 422,
    errors: [{ field: "delivery.queue", message: expect.stringContaining("emails") }],
  });
});
