// API keys as the SDK shows them and takes them.

/** What a key may do: everything; reading; creating jobs; taking and reporting jobs. */
export type KeyScope = "full" | "read" | "create" | "worker";

/**
 * An API key, without the key itself.
 *
 * @example
 * ```ts
 * import { type ApiKey, Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const expired = (key: ApiKey) => key.expiresAt !== null && key.expiresAt.getTime() < Date.now();
 * for await (const key of chronos.apiKeys.list()) console.log(key.name, key.prefix, expired(key));
 * ```
 */
export interface ApiKey {
  id: string;
  /** For people. */
  name: string;
  /** The beginning of the key, to recognise it by. */
  prefix: string;
  scope: KeyScope;
  /** Null: it does not expire. */
  expiresAt: Date | null;
  createdAt: Date;
}

/** A key that was just created. */
export interface CreatedApiKey extends ApiKey {
  /** The key itself. It is in this answer and never again. */
  key: string;
}

/** The argument of `apiKeys.create()`. */
export interface NewApiKey {
  /** For people, 1–255 characters. */
  name: string;
  /** Default `full`. */
  scope?: KeyScope | undefined;
  /** In the future. A string must be ISO 8601 with an offset. Left out: never. */
  expiresAt?: Date | string | undefined;
}

/** The first argument of `apiKeys.list()`. */
export interface ApiKeyFilters {
  /** Keys a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}
