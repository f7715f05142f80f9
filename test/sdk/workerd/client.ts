// Clients of the application in the same process.

import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import {
  Chronos,
  type ChronosApiError,
  type ChronosOptions,
  type FetchInit,
  type FetchLike,
} from "../../../sdk/src/index.ts";
import { newAccount } from "../../workerd/harness/account.ts";

const app = (url: string, init: FetchInit) => exports.default.fetch(new Request(url, init));
export const silent = { debug() {}, info() {}, warn() {}, error() {} };

export async function newClient(options: Partial<ChronosOptions> = {}): Promise<Chronos> {
  const { key: apiKey } = await newAccount();
  const baseUrl = "https://chronos.test";
  return new Chronos({ apiKey, baseUrl, fetch: app, logger: silent, retryDelayMs: 1, ...options });
}

export const refusal = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable("it was accepted"),
    (error: ChronosApiError) => error,
  );

/** Does what is asked, and loses the answer of the first call of such a method to such a path. */
export function losing(path: RegExp, method = "POST"): FetchLike {
  let lost = false;
  return async (url, init) => {
    const response = await app(url, init);
    if (lost || init.method !== method || !path.test(url)) return response;
    lost = true;
    await response.text();
    throw new TypeError("the answer is lost");
  };
}
