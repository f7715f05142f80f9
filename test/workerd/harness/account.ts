// Tenants, made the way an operator makes them.

import { ADMIN, api, must } from "./api.ts";

export interface Account {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
}

export async function newAccount(name = "a tenant"): Promise<Account> {
  const made = await must(
    api<{ id: string; api_key: string; signing_secret: string }>("POST", "/v1/admin/accounts", {
      key: ADMIN,
      body: { name },
    }),
  );
  return { id: made.id, key: made.api_key, secret: made.signing_secret };
}

export const suspend = (account: Account) => api("POST", `/v1/admin/accounts/${account.id}/suspend`, { key: ADMIN });
export const resume = (account: Account) => api("POST", `/v1/admin/accounts/${account.id}/resume`, { key: ADMIN });
export const remove = (account: Account) => api("DELETE", `/v1/admin/accounts/${account.id}`, { key: ADMIN });
