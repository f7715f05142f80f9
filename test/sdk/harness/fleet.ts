// Several worker processes on one account. Whoever is killed is replaced.

import { join } from "node:path";
import type { Tenant } from "../../harness/tenant.ts";
import { Child } from "./child.ts";
import { Journal } from "./journal.ts";
import type { WorkerOrders } from "./worker.ts";

export class Fleet {
  readonly journal: Journal;
  readonly #tenants: readonly Tenant[];
  readonly #workMs: number;
  readonly #workers: Child[] = [];
  #started = 0;

  private constructor(tenants: readonly Tenant[], folder: string, workMs: number) {
    this.#tenants = tenants;
    this.#workMs = workMs;
    this.journal = new Journal(join(folder, "journal"));
  }

  /** Each worker has a key of its own: what one may ask is limited per key. */
  static async of(count: number, tenant: Tenant, folder: string, workMs: number): Promise<Fleet> {
    const fleet = new Fleet(await tenant.moreKeys(count), folder, workMs);
    for (let i = 0; i < count; i++) fleet.#workers.push(fleet.#start());
    return fleet;
  }

  /** SIGKILL to the one that has worked longest; another takes its place. */
  async killOne(): Promise<void> {
    const oldest = this.#workers.shift();
    this.#workers.push(this.#start());
    await oldest?.end("SIGKILL");
  }

  /** @returns the exit codes: 0 for each worker that ended in order */
  async stop(): Promise<(number | null)[]> {
    return Promise.all(this.#workers.splice(0).map((worker) => worker.end("SIGTERM")));
  }

  #start(): Child {
    const number = this.#started++;
    const { apiKey, url } = this.#tenants[number % this.#tenants.length] as Tenant;
    const orders: WorkerOrders = {
      apiKey,
      baseUrl: url,
      workerId: `worker-${number}`,
      journal: this.journal.path,
      workMs: this.#workMs,
    };
    return new Child([join(import.meta.dirname, "worker.ts"), JSON.stringify(orders)]);
  }
}
