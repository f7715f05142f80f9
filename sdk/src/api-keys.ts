// The account's API keys over the API: create, list, delete. Which calls are repeated after a fault is decided here.

import { isUntouched } from "./api-error.ts";
import type { ApiKey, ApiKeyFilters, CreatedApiKey, NewApiKey } from "./api-key.ts";
import { type CallOptions, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { onceDone } from "./once-done.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { retrying } from "./retrying.ts";
import { toJson } from "./wire.ts";
import { apiKeyFromWire, createdKeyFromWire, newApiKeyToWire, type WireApiKey } from "./wire-api-key.ts";

const FILTERS: Fields<ApiKeyFilters> = { size: true };

/**
 * The account's API keys; a client needs a `full` key to change them. Reached as `chronos.apiKeys`.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const tomorrow = new Date(Date.now() + 86_400_000);
 * const { key } = await chronos.apiKeys.create({ name: "dashboard", scope: "read", expiresAt: tomorrow });
 * console.log(key);
 * ```
 */
export class ApiKeys {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Creates a key. Its `key` is in this answer and never again. Repeated by itself only after 429: after a lost answer a key
   * may exist that nobody knows; see `list()`.
   */
  async create(input: NewApiKey, options?: CallOptions): Promise<CreatedApiKey> {
    const body = toJson("The API key", newApiKeyToWire(input));
    const limits = limitsOf(this.#connection, "apiKeys.create()", options);
    const { data } = await retrying(
      this.#connection,
      { method: "POST", path: "/v1/api-keys", body },
      limits,
      isUntouched,
    );
    return createdKeyFromWire(data as WireApiKey & { key: string });
  }

  /** The account's keys. Nothing is read before you iterate or ask for a page. */
  list(filters: ApiKeyFilters = {}, options?: CallOptions): PagedList<ApiKey> {
    checkFields("A list's filter", filters, FILTERS);
    const call = { name: "apiKeys.list()", path: "/v1/api-keys", query: [], size: filters.size, options };
    return pagedList(this.#connection, call, apiKeyFromWire);
  }

  /**
   * Deletes a key: it is refused from then on, everywhere within a minute. 409 `conflict` for the last `full` key that does not
   * expire. Repeated after a fault.
   */
  async delete(id: string, options?: CallOptions): Promise<void> {
    if (typeof id !== "string" || id === "") throw new ChronosConfigError("An API key's id is required");
    const limits = limitsOf(this.#connection, "apiKeys.delete()", options);
    const call = { method: "DELETE" as const, path: `/v1/api-keys/${encodeURIComponent(id)}` };
    await onceDone<null>(this.#connection, call, limits, {
      read: () => null,
      lookAgain: async ({ code }) => (code === "not_found" ? null : undefined),
    });
  }
}
