// A pull worker as a test plays it: jobs that wait for it, its claims, and PullQueues whose calls are counted.

import { env } from "cloudflare:workers";
import type { Account } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { type JobUnderTest, newJob } from "../harness/job.ts";

export interface Claimed {
  readonly job_id: string;
  readonly execution_id: string;
  readonly handler: string;
}

/** A job that waits for a worker. */
export async function queuedJob(account: Account, handler = "work"): Promise<JobUnderTest> {
  const job = await newJob(account, { handler, delivery: { type: "pull" } });
  await job.ring();
  return job;
}

export const claim = <T = Claimed[]>(account: Account, body: object, around: object = {}) =>
  api<T>("POST", "/v1/worker/jobs/claim", {
    key: account.key,
    body: { handlers: ["work"], wait_time_seconds: 0, ...body },
    env: around,
  });

export type Calls = Record<"nominate" | "dueTimes" | "leave" | "giveBack" | "remove" | "view", number>;

/** The PullQueues as they are, with a count of the calls, and of those that wait at the same moment. */
export class CountedQueues {
  readonly calls: Calls = { nominate: 0, dueTimes: 0, leave: 0, giveBack: 0, remove: 0, view: 0 };
  mostOpen = 0;
  #open = 0;

  readonly PULL_QUEUES = {
    getByName: (name: string) => {
      const queue = env.PULL_QUEUES.getByName(name);
      return new Proxy(queue, { get: (_, method: string) => this.#counted(queue, method as keyof Calls) });
    },
  };

  #counted(queue: object, method: keyof Calls) {
    return async (...args: unknown[]) => {
      this.calls[method] += 1;
      const waits = method === "nominate" && Number(args[2]) > 0;
      if (waits) this.mostOpen = Math.max(this.mostOpen, ++this.#open);
      try {
        return await (Reflect.get(queue, method) as (...args: unknown[]) => Promise<unknown>)(...args);
      } finally {
        if (waits) this.#open -= 1;
      }
    };
  }
}
