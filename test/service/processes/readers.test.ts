// Whoever reads the output of the service may leave: it costs him the lines, and nobody the service.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { isAlive } from "../../harness/process-tree.ts";
import { OwnService } from "../../harness/service.ts";
import { until } from "../../harness/until.ts";

let service: OwnService;
let folder: string;
afterEach(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

it.each([
  ["both streams", "node local/start.ts 2>&1 | head -n 1"],
  ["standard output", "node local/start.ts | head -n 1"],
  ["standard error", "node local/start.ts 2>&1 >/dev/null | true"],
  ["npm run dev", "node local/dev.ts 2>&1 | head -n 1"],
])("it serves on when nobody reads %s any more", async (_, command) => {
  folder = mkdtempSync(join(tmpdir(), "chronos-readers-"));
  mkdirSync(join(folder, "state"));
  writeFileSync(join(folder, "state/dev.json"), ""); // which is warned of, on standard error
  service = new OwnService({ command: ["bash", "-c", command], folder });
  const isReady = () => Boolean(statSync(join(folder, "state/dev.json"), { throwIfNoEntry: false })?.size);
  await until(isReady, 60_000, () => `It does not start:\n${service.log}`, 100);
  const tenant = await service.newTenant();
  const running = () => JSON.parse(readFileSync(join(folder, "state/run.json"), "utf8"));
  const before = running();
  // Each request is a line, which nobody takes.
  for (let i = 0; i < 20; i++) expect((await tenant.call("GET", "/v1/jobs")).status).toBe(200);
  expect(running()).toEqual(before);
  expect([before.pid, before.workerd_pid ?? before.pid].filter((pid) => !isAlive(pid))).toEqual([]);
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
});
