// Many jobs of one account: created and read with as many keys as the rate limits ask for.

import type { Chronos, Execution, Job, NewJob } from "@chronos-edge/sdk";
import { vi } from "vitest";
import type { Account, Service } from "./service.ts";

/** Of the hundred requests a key may make in ten seconds. */
const REQUESTS_PER_KEY = 80;
const AT_ONCE = 16;

/** An ended job with all that happened to it. */
export interface History {
  readonly job: Job;
  readonly executions: readonly Execution[];
}

export class Batch {
  readonly ids: string[] = [];
  readonly #service: Service;
  readonly #account: Account;

  constructor(service: Service, account: Account) {
    this.#service = service;
    this.#account = account;
  }

  async create(count: number, job: (i: number) => NewJob): Promise<void> {
    const numbers = Array.from({ length: count }, (_, i) => i);
    await this.#withMany(numbers, async (client, i) => {
      this.ids.push((await client.jobs.create(job(i))).id);
    });
  }

  /** Waits until the list shows an end for each; throws with those that are stuck. */
  async untilEnded(limitMs: number): Promise<void> {
    const client = this.#service.client(this.#account.apiKey);
    await vi.waitFor(
      async () => {
        const open = await client.jobs.list({ status: ["pending", "queued", "running", "retrying"] }).page();
        if (open.paging.total > 0)
          throw new Error(`${open.paging.total} left, such as ${JSON.stringify(open.items[0])}`);
      },
      { timeout: limitMs, interval: 500 },
    );
  }

  /** Everything about every job. */
  async histories(): Promise<History[]> {
    const jobs = await this.#withMany(this.ids, (client, id) => client.jobs.get(id));
    const executions = await this.#withMany(this.ids, (client, id) => client.jobs.executions(id).page());
    return jobs.map((job, i) => ({ job, executions: executions[i]?.items ?? [] }));
  }

  /** Does something for each, some at a time, with fresh keys enough. The answers are in the order of the items. */
  async #withMany<T, R>(items: readonly T[], act: (client: Chronos, item: T) => Promise<R>): Promise<R[]> {
    const keys = await this.#service.moreKeys(this.#account, Math.ceil(items.length / REQUESTS_PER_KEY));
    const clients = keys.map((key) => this.#service.client(key));
    const results: R[] = [];
    const entries = items.entries();
    const one = async () => {
      for (const [i, item] of entries) {
        const client = clients[i % clients.length];
        if (client) results[i] = await act(client, item);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    return results;
  }
}
