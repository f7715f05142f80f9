// The client: checks its options and puts its parts together. No behaviour of its own.

import { ApiKeys } from "./api-keys.ts";
import { BulkActions } from "./bulk-actions.ts";
import { type Connection, connect } from "./connection.ts";
import { Flows } from "./flows.ts";
import { Handlers } from "./handler-list.ts";
import type { AnyHandlers, HandlerMap } from "./handlers.ts";
import { Jobs } from "./jobs.ts";
import { type ChronosOptions, resolveOptions } from "./options.ts";
import type { Overview, OverviewOptions } from "./overview.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { readOverview } from "./read-overview.ts";
import { Schedules } from "./schedules.ts";
import { Webhooks } from "./webhooks.ts";
import { Worker } from "./worker.ts";

/**
 * A client of one account. Given a map of handler names, payload and result types follow them through `worker.handle()`,
 * `jobs.create()` and what both give back. The types are promises between your own programs; nothing checks them at run time.
 * Throws a ChronosConfigError when an option is missing or wrong.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * interface Handlers {
 *   email: { payload: { to: string }; result: { sent: boolean } };
 * }
 * const chronos = new Chronos<Handlers>({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * chronos.worker.handle("email", async (ctx) => ({ sent: ctx.payload.to !== "" }));
 * const job = await chronos.jobs.create({ name: "Welcome", handler: "email", payload: { to: "ada@example.com" } });
 * console.log(job.payload?.to);
 * ```
 */
export class Chronos<M extends HandlerMap<M> = AnyHandlers> {
  /** Runs pull jobs. */
  readonly worker: Worker<M>;
  /** Creates, reads and changes jobs, one by one and many at once. */
  readonly jobs: Jobs<M>;
  /** Follows and aborts the bulk actions that `jobs.bulk()` started. */
  readonly bulk: BulkActions;
  /** Creates, reads, changes, pauses, triggers, archives and previews schedules. */
  readonly schedules: Schedules<M>;
  /** Sets the limits that jobs of one flow share; pauses and resumes it. */
  readonly flows: Flows;
  /** Tells which handlers there are, how many jobs wait for them, and which workers ask. */
  readonly handlers: Handlers;
  /** Creates, reads, changes, deletes and tests the webhooks that are told of events. */
  readonly webhooks: Webhooks;
  /** Creates, lists and deletes the account's API keys. */
  readonly apiKeys: ApiKeys;
  /** @internal */
  readonly connection: Connection;

  constructor(options: ChronosOptions);
  /** @internal */
  constructor(options: ChronosOptions, platform: Platform);
  constructor(options: ChronosOptions, platform: Platform = systemPlatform) {
    this.connection = connect(resolveOptions(options), platform);
    this.worker = new Worker(this.connection);
    this.jobs = new Jobs(this.connection);
    this.bulk = new BulkActions(this.connection);
    this.schedules = new Schedules(this.connection);
    this.flows = new Flows(this.connection);
    this.handlers = new Handlers(this.connection);
    this.webhooks = new Webhooks(this.connection);
    this.apiKeys = new ApiKeys(this.connection);
  }

  /**
   * How the account's jobs are doing: what started, completed, failed and was retried, how late, what fails, what is overdue
   * and what is due in the next hour. Repeated after a fault.
   */
  overview(options: OverviewOptions = {}): Promise<Overview> {
    return readOverview(this.connection, options);
  }
}
