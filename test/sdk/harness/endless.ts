// A worker as a process of its own, on a service that is a function in it: nothing but the SDK can keep it alive, or
// grow. Its first job hangs for ever. How many more it does is its first argument, how many handlers at once its second.

import { setImmediate as nextTurn } from "node:timers/promises";
import { Chronos, type ChronosLogger, type FetchLike } from "@chronos-edge/sdk";

const [jobs = 0, concurrency = 1] = process.argv.slice(2).map(Number);
/** The first jobs fill caches that stay. */
const WARM_UP = 5_000;

let claimed = 0;
let done = 0;
let bytesBefore = 0;

const attempt = (handler: string) => ({
  job_id: "a",
  execution_id: "b",
  handler,
  attempt: 1,
  scheduled_for: "2030-01-01T00:00:00.000Z",
  payload: null,
  timeout: 1,
});

function answer(url: string): unknown {
  if (url.endsWith("/complete")) return {};
  if (!url.endsWith("/claim")) throw new Error("No heartbeat gets through");
  claimed += 1;
  return attempt(claimed === 1 ? "hangs" : "ends");
}

const fetch: FetchLike = async (url) => {
  if (url.endsWith("/claim") && claimed === jobs + 1) return new Promise(() => {});
  await nextTurn();
  const text = JSON.stringify({ success: true, message: "OK", data: answer(url) });
  return { status: 200, headers: {}, text: async () => text };
};

const silent: ChronosLogger = { debug() {}, info() {}, warn() {}, error() {} };
const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.test", fetch, logger: silent });

chronos.worker.handle("hangs", ({ signal }) => {
  signal.addEventListener("abort", () => console.log("The lease is over"));
  return new Promise(() => {});
});
chronos.worker.handle("ends", () => {
  done += 1;
  if (done === WARM_UP) bytesBefore = heapBytes();
  if (done === jobs) console.log(`Bytes a job: ${Math.round((heapBytes() - bytesBefore) / (jobs - WARM_UP))}`);
});

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

void chronos.worker.start({ concurrency });
