// A worker as a process of its own. Its jobs say in which attempts they fail. It notes what it begins, and ends in
// order when told to.

import { Chronos } from "@chronos-edge/sdk";
import { Journal } from "./journal.ts";

/** What the test tells it, as JSON in its only argument. */
export interface WorkerOrders {
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly workerId: string;
  readonly journal: string;
  /** How long one handler takes. */
  readonly workMs: number;
}

export interface WorkerPayload {
  readonly failsIn: readonly number[];
}

const { apiKey, baseUrl, workerId, journal: path, workMs }: WorkerOrders = JSON.parse(process.argv[2] ?? "{}");
const journal = new Journal(path);
const chronos = new Chronos({ apiKey, baseUrl });

chronos.worker.handle<WorkerPayload>("work", async ({ jobId, executionId, attempt, payload }) => {
  journal.add({ workerId, jobId, executionId });
  await new Promise((resolve) => setTimeout(resolve, workMs));
  if (payload.failsIn.includes(attempt)) throw new Error(`Attempt ${attempt} fails`);
  return { executionId };
});

process.on("SIGTERM", () => void chronos.worker.stop());
await chronos.worker.start({ concurrency: 4, workerId });
