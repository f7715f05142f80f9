// A worker that polls for jobs, and ends in order when it is told to stop.

import { Chronos, NonRetryableError } from "@chronos-edge/sdk";

const { CHRONOS_URL = "http://127.0.0.1:8787", CHRONOS_API_KEY = "" } = process.env;

if (CHRONOS_API_KEY === "") {
  console.error("Set CHRONOS_API_KEY to the API key that the service's banner shows (chrns_…).");
  process.exit(1);
}

const chronos = new Chronos({ apiKey: CHRONOS_API_KEY, baseUrl: CHRONOS_URL });

chronos.worker.handle("email", async ({ jobId, attempt, payload, signal }) => {
  const { to } = /** @type {{ to?: string }} */ (payload ?? {});
  if (!to) throw new NonRetryableError("The payload has no recipient");
  console.log(`Job ${jobId}, attempt ${attempt}: mailing ${to}`);
  await send(to, signal);
  return { sent: to };
});

/**
 * Stands for your own work. Pass the signal on to what can be aborted: it tells that nobody waits for this any more.
 * @param {string} _to
 * @param {AbortSignal} signal
 */
async function send(_to, signal) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  signal.throwIfAborted();
}

// Not `once`: npm sends the Ctrl-C again that the terminal has sent already, and an unheard signal would end the process.
let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    console.log("Stopping: no new jobs, what has begun is ended");
    void chronos.worker.stop();
  });
}

console.log(`Polling ${CHRONOS_URL} for jobs`);
await chronos.worker.start({ concurrency: 10 });
console.log("Stopped");
