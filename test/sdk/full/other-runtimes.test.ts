// The SDK on Deno and Bun, really run: each makes a job on the real service, runs it, and verifies a delivery. They are 200 MB,
// so they are fetched here and are no dependency of the project.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sharedService } from "../../harness/shared.ts";
import { Child } from "../harness/child.ts";
import { npm, packSdk } from "../harness/packed.ts";

const DENO = "deno@2.9.6";
const BUN = "bun@1.4.5";

const PROGRAM = `
  import { Chronos } from "@chronos-edge/sdk";
  import { onDelivery } from "@chronos-edge/sdk/next";
  import { env, exit } from "node:process";

  const chronos = new Chronos({ apiKey: env.CHRONOS_API_KEY, baseUrl: env.CHRONOS_URL });
  chronos.worker.handle("greet", async (ctx) => ({ greeted: ctx.payload.name }));
  const started = chronos.worker.start();
  const { id } = await chronos.jobs.create({ name: "Greet", handler: "greet", payload: { name: "Ada" } });
  let job;
  do job = await chronos.jobs.get(id);
  while (job.status !== "completed" && (await new Promise((resolve) => setTimeout(resolve, 200, true))));
  await chronos.worker.stop();
  await started;

  const POST = onDelivery(env.CHRONOS_SIGNING_SECRET, () => {});
  const refused = await POST(new Request("https://app.example/", { method: "POST", body: "{}" }));
  console.log("done:", job.result.greeted, refused.status);
  exit(0);
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chronos-runtimes-"));
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  npm(["install", "--ignore-scripts", "--no-audit", "--no-fund", packSdk(folder), DENO, BUN], folder);
  writeFileSync(join(folder, "main.js"), PROGRAM);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program itself: the packages' own install scripts, which would link it, are not run. */
function binary(scope: string, ...path: string[]): string {
  const [platform = ""] = readdirSync(join(folder, "node_modules", scope));
  return join(folder, "node_modules", scope, platform, ...path);
}

it.each([
  ["Deno", () => binary("@deno", "deno"), ["run", "--allow-all", "--node-modules-dir=manual", "main.js"]],
  ["Bun", () => binary("@oven", "bin", "bun"), ["run", "main.js"]],
])("runs on %s", async (_, command, args) => {
  const { url, apiKey, signingSecret } = await (await sharedService()).newTenant();
  const env = { CHRONOS_URL: url, CHRONOS_API_KEY: apiKey, CHRONOS_SIGNING_SECRET: signingSecret };
  const child = new Child(args, { command: command(), cwd: folder, env });
  expect([await child.ended(), child.output]).toEqual([0, "done: Ada 401\n"]);
});
