// The test kit under vitest, under node:test on the Node of the user, and in CommonJS: from import to the end of the process.

import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NonRetryableError } from "@chronos-edge/sdk";
import { onDelivery } from "@chronos-edge/sdk/express";
import express from "express";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleTesting } from "../../local/package/testing.ts";
import { PROJECT } from "../../local/packed.ts";
import { startTestService, type TestService } from "../../testing/testing.ts";
import { until } from "../harness/until.ts";
import { Child, nodeOfTheUser } from "./harness/child.ts";

describe("under vitest", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
  });
  afterAll(() => service.stop());

  it("runs a job of next year, with its retries, against a real application", async () => {
    const { client, run, signingSecret } = service;
    const app = express();
    const attempts: (number | null)[] = [];
    const remind = onDelivery<{ to: string }>(
      signingSecret,
      async ({ attempt, payload }) => {
        attempts.push(attempt);
        if (attempt !== 3) throw new Error("the mail server is away");
        if (payload?.to === "") throw new NonRetryableError("no recipient");
      },
      { onError: () => {} },
    );
    app.post("/remind", remind);
    const server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const delivery = {
      type: "push" as const,
      http: { url: `http://127.0.0.1:${port}/remind`, method: "POST" as const },
    };
    const delay = { value: 365, unit: "day" as const };
    const { id } = await client.jobs.create({ name: "Remind", payload: { to: "ada" }, delay, delivery });
    expect(await run(id)).toMatchObject({ status: "completed", attempts: 3 });
    expect(attempts).toEqual([1, 2, 3]);
    const final = await client.jobs.create({ name: "Remind", payload: { to: "" }, delay, delivery });
    expect(await run(final.id)).toMatchObject({ status: "failed", attempts: 3, lastError: { code: "http_status" } });
    server.close();
  });

  it("runs all that there is, and what that makes", async () => {
    const { client, runAll } = await service.newAccount();
    client.worker.handle("parent", async () => {
      await client.jobs.create({ name: "Child", handler: "child", delay: { value: 1, unit: "week" } });
    });
    client.worker.handle("child", () => {});
    const working = client.worker.start();
    await client.jobs.create({ name: "Parent", handler: "parent", delay: { value: 1, unit: "day" } });
    const ended = await runAll();
    expect(ended.map(({ name, status }) => [name, status])).toEqual([
      ["Parent", "completed"],
      ["Child", "completed"],
    ]);
    expect(await runAll()).toEqual([]);
    await client.worker.stop();
    await working;
  });

  it("waits for a job that ends by itself, and says what holds one up", async () => {
    const { client, settled, run } = service;
    const { id } = await client.jobs.create({ name: "Waits", handler: "nobody" });
    await expect(run(id, { timeoutMs: 300 })).rejects.toThrow(/"Waits" .* has not ended within 300 ms: .*nobody/);
    setTimeout(() => void client.jobs.cancel(id), 100);
    expect(await settled(id)).toMatchObject({ status: "cancelled" });
  });

  it("is not limited by rate", async () => {
    const { url, apiKey } = service;
    const ask = () => fetch(`${url}/v1/handlers`, { headers: { Authorization: `Bearer ${apiKey}` } });
    const answers = await Promise.all(Array.from({ length: 150 }, ask));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("as the package", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "chronos-kit-"));
    const installed = join(folder, "node_modules/chronos-edge");
    mkdirSync(installed, { recursive: true });
    for (const name of ["bin", "package.json"]) symlinkSync(join(PROJECT, name), join(installed, name));
    await bundleTesting(join(installed, "build"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = (name: string, content: string, ...flags: string[]) => {
    writeFileSync(join(folder, name), content);
    mkdirSync(join(folder, `tmp-${name}`));
    const { command, env } = nodeOfTheUser();
    const child = new Child([...flags, name], {
      cwd: folder,
      command: command ?? "node",
      env: { ...env, TMPDIR: join(folder, `tmp-${name}`) },
    });
    return { child, isTidy: () => readdirSync(join(folder, `tmp-${name}`)).length === 0 };
  };

  it("ends with a test of node:test that forgets to stop it", async () => {
    const { child, isTidy } = start(
      "forgetful.test.mjs",
      `import assert from "node:assert/strict";
       import { test } from "node:test";
       import { startTestService } from "chronos-edge/testing";
       test("a job", async () => {
         const { client, run } = await startTestService();
         const delivery = { type: "push", http: { url: "http://127.0.0.1:1/", method: "POST" } };
         const { id } = await client.jobs.create({ name: "x", delivery, maxRetries: 1, delay: { value: 1, unit: "day" } });
         assert.equal((await run(id)).attempts, 2);
       });`,
      "--test",
    );
    expect([await child.ended(), child.output]).toEqual([0, expect.stringContaining("pass 1")]);
    await until(isTidy, 15_000, () => "Its folder is still there");
  });

  it("ends with a process in CommonJS that is killed", async () => {
    const { child, isTidy } = start(
      "killed.cjs",
      `const { startTestService } = require("chronos-edge/testing");
       startTestService().then(({ url }) => console.log("up at", url));
       setInterval(() => {}, 1000);`,
    );
    const url = await child.says(/up at (\S+)/, 60_000);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(isTidy()).toBe(false);
    await child.end("SIGKILL");
    await until(isTidy, 15_000, () => "Its folder is still there");
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it("has types for both", () => {
    for (const name of ["testing.d.ts", "testing.d.cts"])
      expect(existsSync(join(folder, "node_modules/chronos-edge/build", name))).toBe(true);
  });
});
