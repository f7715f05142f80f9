// Others' tools make a typed client of the document; it compiles, and makes a job.

import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";

const FOLDER = join(PROJECT, "test/docs/client");

let service: Service;

beforeAll(async () => {
  service = await sharedService();
});

/** Runs a program of Node's; its output is the answer. */
async function run(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: FOLDER });
  return stdout;
}

it("openapi-typescript generates it, TypeScript compiles it, openapi-fetch makes a job with it", async () => {
  mkdirSync(join(FOLDER, "dist"), { recursive: true });
  const document = join(FOLDER, "dist/openapi.json");
  writeFileSync(document, await (await fetch(`${service.url}/openapi.json`)).text());
  await run("node_modules/openapi-typescript/bin/cli.js", document, "--output", "dist/api.d.ts");
  await run(join(PROJECT, "node_modules/typescript/bin/tsc"), "--project", "tsconfig.json");
  const { apiKey } = await service.newTenant();
  const said = JSON.parse(await run("program.ts", service.url, apiKey));
  expect(said).toEqual({ id: expect.any(String), status: "pending", found: true, code: "job_not_retryable" });
});
