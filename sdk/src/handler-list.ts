// The handlers of the account over the API.

import type { CallOptions } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import type { HandlerStatus } from "./handler-status.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { handlerFromWire } from "./wire-handler.ts";

/** The first argument of `handlers.list()`. */
export interface HandlerFilters {
  /** Handlers a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}

const FILTERS: Fields<HandlerFilters> = { size: true };

/**
 * The handlers that jobs were offered for, or workers asked for, in the last seven days. Reached as `chronos.handlers`.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const { items } = await chronos.handlers.list().page();
 * console.log(items.map(({ handler, waiting }) => `${handler}: ${waiting ?? "?"} wait`).join("\n"));
 * ```
 */
export class Handlers {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** By name. Nothing is read before you iterate or ask for a page. */
  list(filters: HandlerFilters = {}, options?: CallOptions): PagedList<HandlerStatus> {
    checkFields("A list's filter", filters, FILTERS);
    const call = { name: "handlers.list()", path: "/v1/handlers", query: [], size: filters.size, options };
    return pagedList(this.#connection, call, handlerFromWire);
  }
}
