// Whoever reads the output of the service may leave: it costs him the lines, and nobody the service.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { isAlive } from "../harness/process-tree.ts";
import { OwnService } from "../harness/service.ts";
import { until } from "../harness/until.ts";

let service: OwnService;
afterEach(() => service.stop());

it.each([
  ["both streams", "node local/start.ts 2>&1 | head -n 1"],
  ["standard output", "node local/start.ts | head -n 1"],
  ["standard error", "node local/start.ts 2>&1 >/dev/null | true"],
  ["npm run dev", "node local/dev.ts 2>&1 | head -n 1"],
])("it serves on when nobody reads %s any more", async (_, command) => {
  service = new OwnService({ command: ["bash", "-c", command] });
  const isReady = () => existsSync(join(service.folder, "state/dev.json"));
  await until(isReady, 60_000, () => `It does not start:\n${service.log}`, 100);
  const tenant = await service.newTenant();
  const server = service.processes;
  // Each request is a line, which nobody takes.
  for (let i = 0; i < 20; i++) expect((await tenant.call("GET", "/v1/jobs")).status).toBe(200);
  expect(server.filter((pid) => !isAlive(pid))).toEqual([]);
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
});
