// pg-boss set for latency: it polls every half second, the least it allows, and in batches.

import { PgBoss } from "pg-boss";
import type { Adapter, PeerJob } from "../peer.ts";

const POLL_SECONDS = 0.5;
const MAX_BATCH = 10;

async function started(url: string, supervise: boolean): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, max: 20, supervise, schedule: false });
  boss.on("error", console.error);
  await boss.start();
  await boss.createQueue("jobs");
  return boss;
}

const options = ({ due }: PeerJob) => ({ startAfter: new Date(due) });

export const pgBoss: Adapter = {
  async producer(url) {
    const boss = await started(url, false);
    return {
      create: async (job) => (await boss.send("jobs", job, options(job))) ?? "",
      bulk: (jobs) =>
        boss.insert(
          "jobs",
          jobs.map((job) => ({ data: job, ...options(job) })),
        ),
    };
  },

  async work(url, concurrency, handle) {
    const boss = await started(url, true);
    const batchSize = Math.min(MAX_BATCH, concurrency);
    const settings = {
      pollingIntervalSeconds: POLL_SECONDS,
      batchSize,
      localConcurrency: Math.ceil(concurrency / batchSize),
      burstWhenBatchFull: true,
      perJobResults: true,
    } as const;
    return boss.work<PeerJob>("jobs", settings, (jobs) =>
      Promise.all(
        jobs.map(({ id, data }) =>
          handle({ ...data, id }).then(
            () => ({ id, status: "completed" as const }),
            (error) => ({ id, status: "failed" as const, output: { message: String(error) } }),
          ),
        ),
      ),
    );
  },
};
