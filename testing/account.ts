// What a test does with an account of the service: time plays no part in it, because jobs are run when the test says so.

import type { Chronos, Job, JobStatus } from "@chronos-edge/sdk";
import { ChronosApiError, Chronos as Client } from "../sdk/src/index.ts";
import type { SettleOptions, TestAccount } from "./testing.ts";

export interface Credentials {
  url: string;
  apiKey: string;
  signingSecret: string;
}

/** Between two looks at a job: at first so long, then longer and longer. */
const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 200;
const PATIENCE_MS = 10_000;
/** Jobs that `runAll()` runs at the same time. */
const AT_ONCE = 20;
const LIVE: JobStatus[] = ["pending", "queued", "running", "retrying"];
const silent = { debug() {}, info() {}, warn() {}, error() {} };

export function accountOf({ url, apiKey, signingSecret }: Credentials): TestAccount {
  const client: Chronos = new Client({ apiKey, baseUrl: url, logger: silent, retryDelayMs: 50 });
  return {
    url,
    apiKey,
    signingSecret,
    client,
    run: (jobId, options) => follow(client, jobId, { ...options, hurry: true }),
    settled: (jobId, options) => follow(client, jobId, { ...options, hurry: false }),
    runAll: (options) => runAll(client, options),
  };
}

/** The job once it has ended. In a hurry each of its attempts is started at once. */
async function follow(
  client: Chronos,
  jobId: string,
  { hurry, timeoutMs = PATIENCE_MS }: SettleOptions & { hurry: boolean },
): Promise<Job> {
  const deadline = performance.now() + timeoutMs;
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(LAST_LOOK_MS, lookMs * 1.5)) {
    const job = await client.jobs.get(jobId);
    if (job.completedAt !== null) return job;
    if (performance.now() > deadline) throw new Error(tooLate(job, timeoutMs));
    if (hurry && (job.status === "pending" || job.status === "retrying")) await runNow(client, jobId);
    else await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

function tooLate({ id, name, status, waitingOn }: Job, timeoutMs: number): string {
  const why = waitingOn ? `: ${waitingOn.message}` : "";
  return `The job "${name}" (${id}) is ${status} and has not ended within ${timeoutMs} ms${why}`;
}

async function runNow(client: Chronos, jobId: string): Promise<void> {
  try {
    await client.jobs.run(jobId);
  } catch (error) {
    // It has started by itself meanwhile.
    if (!(error instanceof ChronosApiError && error.code === "job_not_runnable")) throw error;
  }
}

/** Round after round, since a job may make others. */
async function runAll(client: Chronos, options?: SettleOptions): Promise<Job[]> {
  const ended = new Map<string, Job>();
  for (;;) {
    const live: string[] = [];
    for await (const { id } of client.jobs.list({ status: LIVE, origin: ["api", "schedule", "event"] }))
      if (!ended.has(id)) live.push(id);
    if (live.length === 0) return [...ended.values()];
    for (let i = 0; i < live.length; i += AT_ONCE) {
      const batch = live.slice(i, i + AT_ONCE);
      for (const job of await Promise.all(batch.map((id) => follow(client, id, { ...options, hurry: true }))))
        ended.set(job.id, job);
    }
  }
}
