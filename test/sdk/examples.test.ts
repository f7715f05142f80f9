// The examples for Node as their users run them: on their own Node, with the built package.

import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { Child, nodeOfTheUser } from "./harness/child.ts";
import { clientOf } from "./harness/client.ts";

let service: Service;
beforeAll(async () => {
  service = await sharedService();
});

function run(script: string, env: Record<string, string>): Child {
  const node = nodeOfTheUser();
  const child = new Child([script], { ...node, env: { ...node.env, ...env } });
  onTestFinished(async () => void (await child.end("SIGKILL")));
  return child;
}

it("push-express takes what is signed, refuses what is not, and ends on SIGTERM", async () => {
  const tenant = await service.newTenant();
  const example = run("examples/push-express/server.js", { PORT: "0", CHRONOS_SIGNING_SECRET: tenant.signingSecret });
  const url = await example.says(/http:\/\/\S+/);

  const { jobs } = clientOf(tenant);
  const payload = { to: "ada@example.com" };
  const { id } = await jobs.create({
    name: "Welcome",
    payload,
    delivery: { type: "push", http: { url, method: "POST" } },
  });
  await example.says(new RegExp(`Job ${id}, attempt 1: { to: 'ada@example.com' }`));
  await expect.poll(async () => (await jobs.get(id)).status, { timeout: 10_000, interval: 200 }).toBe("completed");

  const forged = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  expect([forged.status, await forged.text()]).toEqual([401, "missing_header"]);
  expect(await example.end("SIGTERM")).toBe(0);
});

it.each([
  ["push-express without a secret", "push-express/server.js", {}, "Set CHRONOS_SIGNING_SECRET to"],
  [
    "push-express with something else",
    "push-express/server.js",
    { CHRONOS_SIGNING_SECRET: "x" },
    "CHRONOS_SIGNING_SECRET",
  ],
  [
    "push-express with half a pair",
    "push-express/server.js",
    { CHRONOS_SIGNING_SECRET: "whsec_AA==," },
    "CHRONOS_SIGNING",
  ],
  ["pull-worker without a key", "pull-worker/worker.js", { CHRONOS_API_KEY: "" }, "Set CHRONOS_API_KEY to"],
])("%s says what is missing, and ends", async (_, script, env, message) => {
  const example = run(`examples/${script}`, { PORT: "0", CHRONOS_SIGNING_SECRET: "", ...env });
  expect(await example.ended()).toBe(1);
  expect(example.output).toContain(message);
  expect(example.output.trim().split("\n")).toHaveLength(1);
});

it("pull-worker ends what it has begun before it ends on SIGTERM", async () => {
  const tenant = await service.newTenant();
  const example = run("examples/pull-worker/worker.js", { CHRONOS_URL: tenant.url, CHRONOS_API_KEY: tenant.apiKey });
  const { jobs } = clientOf(tenant);
  const { id } = await jobs.create({ name: "Welcome", handler: "email", payload: { to: "ada@example.com" } });
  await example.says(new RegExp(`Job ${id}, attempt 1: mailing ada@example.com`));
  expect(await example.end("SIGTERM")).toBe(0);
  expect(example.output).toMatch(/Stopping: .*\n[\s\S]*Stopped\n$/);
  expect(await jobs.get(id)).toMatchObject({ status: "completed", result: { sent: "ada@example.com" }, attempts: 1 });
});

it("pull-worker ends what it has begun though npm repeats the Ctrl-C of the terminal", async () => {
  const tenant = await service.newTenant();
  const example = run("examples/pull-worker/worker.js", { CHRONOS_URL: tenant.url, CHRONOS_API_KEY: tenant.apiKey });
  const { jobs } = clientOf(tenant);
  const { id } = await jobs.create({ name: "Welcome", handler: "email", payload: { to: "ada@example.com" } });
  await example.says(new RegExp(`Job ${id}, attempt 1: mailing ada@example.com`));
  example.kill("SIGINT");
  await example.says(/Stopping/);
  expect(await example.end("SIGINT")).toBe(0);
  expect(example.output.match(/Stopping|Stopped/g)).toEqual(["Stopping", "Stopped"]);
  expect(await jobs.get(id)).toMatchObject({ status: "completed", attempts: 1 });
});

it("pull-worker that only waits ends at once on SIGTERM", async () => {
  const tenant = await service.newTenant();
  const example = run("examples/pull-worker/worker.js", { CHRONOS_URL: tenant.url, CHRONOS_API_KEY: tenant.apiKey });
  await example.says(/Polling/);
  await sleep(500);
  const askedAt = performance.now();
  expect(await example.end("SIGTERM")).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(5_000); // the poll it cuts off would last 20 s
});
