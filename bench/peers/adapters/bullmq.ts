// BullMQ as its documentation shows it: one queue, one worker.

import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Adapter, PeerJob } from "../peer.ts";

const connect = (url: string) => new Redis(url, { maxRetriesPerRequest: null });

const entry = ({ name, ...data }: PeerJob) => ({ name, data, opts: { delay: Math.max(0, data.due - Date.now()) } });

export const bullmq: Adapter = {
  async producer(url) {
    const queue = new Queue("jobs", { connection: connect(url) });
    await queue.waitUntilReady();
    return {
      async create(job) {
        const { name, data, opts } = entry(job);
        return (await queue.add(name, data, opts)).id ?? "";
      },
      bulk: (jobs) => queue.addBulk(jobs.map(entry)),
    };
  },

  async work(url, concurrency, handle) {
    const worker = new Worker("jobs", (job) => handle({ name: job.name, ...job.data, id: job.id }), {
      connection: connect(url),
      concurrency,
    });
    worker.on("error", console.error);
    return worker.waitUntilReady();
  },
};
