// What only a process of its own shows: whether it lives on, and how it grows.

import { setTimeout as sleep } from "node:timers/promises";
import { Chronos } from "@chronos-edge/sdk";
import { expect, it, type TestContext } from "vitest";
import { freePort } from "../../local/port.ts";
import { Child } from "./harness/child.ts";

function endless({ onTestFinished }: TestContext, jobs: number, concurrency: number): Child {
  const child = new Child(["--expose-gc", "test/sdk/harness/endless.ts", `${jobs}`, `${concurrency}`]);
  onTestFinished(async () => void (await child.end("SIGKILL")));
  return child;
}

it.concurrent("lives on while start() is open, with nothing left but a handler that hangs", async (test) => {
  const worker = endless(test, 0, 1);
  await worker.says(/The lease is over/);
  await sleep(1_000); // an empty event loop ends at once
  expect(worker.hasEnded).toBe(false);
});

it.concurrent("keeps nothing of the jobs that end while a handler hangs beside them", async (test) => {
  const worker = endless(test, 30_000, 2);
  const bytes = Number(await worker.says(/Bytes a job: (-?\d+)/, 90_000));
  expect(bytes).toBeLessThan(100); // Node.js keeps tables of its own that grow in steps
});

it.concurrent("says why a service does not answer, as the platform says it", async () => {
  const port = await freePort(0);
  const { jobs } = new Chronos({ apiKey: "chrns_example", baseUrl: `http://127.0.0.1:${port}` });
  const message = `POST /v1/jobs/a/retry got no answer: fetch failed: connect ECONNREFUSED 127.0.0.1:${port}`;
  await expect(jobs.retry("a")).rejects.toThrow(message);
});
