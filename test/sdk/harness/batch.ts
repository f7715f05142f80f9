// Many jobs of one account: created and read with as many keys as the rate limits ask for.

import { setTimeout as sleep } from "node:timers/promises";
import type { Chronos, Execution, Job, NewJob } from "@chronos-edge/sdk";
import { eachOf } from "../../harness/each-of.ts";
import type { Tenant } from "../../harness/tenant.ts";
import { clientOf } from "./client.ts";

/** Two requests for each, of the hundred that a key may make in ten seconds. */
const JOBS_PER_KEY = 40;
const AT_ONCE = 16;

/** An ended job with all that happened to it. */
export interface History {
  readonly job: Job;
  readonly executions: readonly Execution[];
}

export class Batch {
  readonly ids: string[] = [];
  readonly #tenant: Tenant;
  readonly #clients: Chronos[] = [];

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
  }

  async create(count: number, job: (i: number) => NewJob): Promise<void> {
    const numbers = Array.from({ length: count }, (_, i) => i);
    await this.#withMany(numbers, async (client, i) => {
      this.ids.push((await client.jobs.create(job(i))).id);
    });
  }

  /** Waits for the end of each, as the jobs themselves know it; throws for one that is stuck. */
  async untilEnded(limitMs: number): Promise<void> {
    const until = Date.now() + limitMs;
    await this.#withMany(this.ids, async ({ jobs }, id) => {
      for (;;) {
        const job = await jobs.get(id);
        if (job.completedAt !== null) return;
        if (Date.now() > until) throw new Error(`It is stuck: ${JSON.stringify(job)}`);
        await sleep(500);
      }
    });
  }

  /** Everything about every job. */
  async histories(): Promise<History[]> {
    const jobs = await this.#withMany(this.ids, (client, id) => client.jobs.get(id));
    const executions = await this.#withMany(this.ids, (client, id) => client.jobs.executions(id).page());
    return jobs.map((job, i) => ({ job, executions: executions[i]?.items ?? [] }));
  }

  /** Does something for each, some at a time, with keys enough. The answers are in the order of the items. */
  async #withMany<T, R>(items: readonly T[], act: (client: Chronos, item: T) => Promise<R>): Promise<R[]> {
    const missing = Math.ceil(items.length / JOBS_PER_KEY) - this.#clients.length;
    if (missing > 0) {
      const tenants = await this.#tenant.moreKeys(missing);
      this.#clients.push(...tenants.map((tenant) => clientOf(tenant)));
    }
    return eachOf(items, AT_ONCE, (item, i) => act(this.#clients[i % this.#clients.length] as Chronos, item));
  }
}
