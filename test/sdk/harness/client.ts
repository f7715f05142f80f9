// The SDK's client of an account.

import { type AnyHandlers, Chronos, type ChronosOptions, type HandlerMap } from "@chronos-edge/sdk";
import type { Tenant } from "../../harness/tenant.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** It logs nothing, unless told otherwise. */
export function clientOf<M extends HandlerMap<M> = AnyHandlers>(
  { url, apiKey }: Tenant,
  options: Partial<ChronosOptions> = {},
): Chronos<M> {
  return new Chronos<M>({ apiKey, baseUrl: url, logger: silent, ...options });
}
