// Several worker processes on one account. Whoever is killed is replaced.

import { join } from "node:path";
import { Child } from "./child.ts";
import { Journal } from "./journal.ts";
import type { Account, Service } from "./service.ts";
import type { WorkerOrders } from "./worker.ts";

export class Fleet {
  readonly journal: Journal;
  readonly #service: Service;
  readonly #keys: readonly string[];
  readonly #workMs: number;
  readonly #workers: Child[] = [];
  #started = 0;

  private constructor(service: Service, keys: readonly string[], workMs: number) {
    this.#service = service;
    this.#keys = keys;
    this.#workMs = workMs;
    this.journal = new Journal(join(service.folder, "journal"));
  }

  /** Each worker has a key of its own: what one may ask is limited per key. */
  static async of(count: number, service: Service, account: Account, workMs: number): Promise<Fleet> {
    const fleet = new Fleet(service, await service.moreKeys(account, count), workMs);
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
    const orders: WorkerOrders = {
      apiKey: this.#keys[number % this.#keys.length] ?? "",
      baseUrl: this.#service.url,
      workerId: `worker-${number}`,
      journal: this.journal.path,
      workMs: this.#workMs,
    };
    return new Child([join(import.meta.dirname, "worker.ts"), JSON.stringify(orders)]);
  }
}
