// The link in the start banner: it opens the dashboard and signs in. The token is behind the `#`, which no browser sends to anybody, so
// it is in no log. It names the hash of the account's key and is worth nothing once that key is gone.
import { hashOf } from "../src/accounts/api-key.ts";
import { sealSignIn } from "../src/accounts/session.ts";
import type { DevAccount } from "./account.ts";

/** Good for 24 hours. It is not kept in dev.json: the key that lies there signs in as well, and does not go stale. */
export async function signInLink({ url, api_key }: DevAccount, masterKey: string, now: number): Promise<string> {
  return `${url}/dashboard#sign-in=${await sealSignIn(masterKey, await hashOf(api_key), now)}`;
}
