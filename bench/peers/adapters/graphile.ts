// Graphile Worker, polling every half second: jobs of the future are only found by polling.

import { makeWorkerUtils, run } from "graphile-worker";
import type { Adapter, PeerJob } from "../peer.ts";

const POLL_MS = 500;

export const graphile: Adapter = {
  async producer(url) {
    const utils = await makeWorkerUtils({ connectionString: url, maxPoolSize: 20 });
    await utils.migrate();
    return {
      create: async (job) => String((await utils.addJob("jobs", job, { runAt: new Date(job.due) })).id),
      bulk: (jobs) =>
        utils.addJobs(jobs.map((job) => ({ identifier: "jobs", payload: job, runAt: new Date(job.due) }))),
    };
  },

  work: (url, concurrency, handle) =>
    run({
      noHandleSignals: true,
      crontab: "",
      taskList: { jobs: (payload, { job }) => handle({ ...(payload as PeerJob), id: String(job.id) }) },
      preset: {
        worker: {
          connectionString: url,
          concurrentJobs: concurrency,
          pollInterval: POLL_MS,
          maxPoolSize: concurrency + 1,
        },
      },
    }),
};
