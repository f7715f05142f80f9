// Tenants, made the way an operator makes them.

import { env } from "cloudflare:workers";
import { ADMIN, api, must } from "./api.ts";

export interface Account {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
}

/** @param database where it is to live, if there are several */
export async function newAccount(name = "a tenant", database?: number): Promise<Account> {
  const made = await must(
    api<{ id: string; api_key: string; signing_secret: string }>("POST", "/v1/admin/accounts", {
      key: ADMIN,
      body: { name, database },
    }),
  );
  return { id: made.id, key: made.api_key, secret: made.signing_secret };
}

export const suspend = (account: Account) => api("POST", `/v1/admin/accounts/${account.id}/suspend`, { key: ADMIN });
export const resume = (account: Account) => api("POST", `/v1/admin/accounts/${account.id}/resume`, { key: ADMIN });
/** Deleted through another isolate, so that this one remembers it for a minute. */
export const removeElsewhere = ({ id }: Account) =>
  env.DB.batch([
    env.DB.prepare("UPDATE accounts SET status = 'deleted' WHERE id = ?").bind(id),
    env.DB.prepare("DELETE FROM api_keys WHERE account_id = ?").bind(id),
  ]);

export const remove = (account: Account) => api("DELETE", `/v1/admin/accounts/${account.id}`, { key: ADMIN });
