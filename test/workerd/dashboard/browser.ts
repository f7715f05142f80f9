// A browser as far as sessions go: it keeps the cookie, sends it, and says where a request comes from.

import type { Account } from "../harness/account.ts";
import { type Answer, api, type Call } from "../harness/api.ts";

export interface SessionJson {
  readonly account_id: string;
  readonly account_name: string;
  readonly scope: string;
  readonly read_only: boolean;
  readonly expires_at: string;
}

/** What a browser says of a request by one of our own pages. */
export const OUR_PAGE = { "Sec-Fetch-Site": "same-origin", Origin: "https://chronos.test" };

export const signIn = (body: object, call: Call = {}) =>
  api<SessionJson>("POST", "/dashboard/session", { ...call, body, headers: { ...OUR_PAGE, ...call.headers } });

/** The cookie that an answer sets: its name with its value, and its attributes in order. */
export function cookieOf({ headers }: Answer): { pair: string; attributes: string[] } {
  const [pair = "", ...attributes] = (headers.getSetCookie()[0] ?? "").split("; ");
  return { pair, attributes: attributes.sort() };
}

/** Requests with the session of somebody who has signed in, as one of our pages sends them. */
export async function signedIn({ key }: Pick<Account, "key">, more: object = {}) {
  const answer = await signIn({ api_key: key, ...more });
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
  const { pair } = cookieOf(answer);
  const ask = <T = unknown>(method: string, path: string, call: Call = {}) =>
    api<T>(method, path, { ...call, headers: { ...OUR_PAGE, Cookie: pair, ...call.headers } });
  return { ask, pair };
}
