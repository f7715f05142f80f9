// The operator's endpoints: accounts are made, suspended, resumed and deleted.

import { Hono } from "hono";
import {
  type Account,
  deleteAccount,
  insertAccount,
  listAccounts,
  setAccountStatus,
} from "../accounts/accounts-store.ts";
import { makeKey } from "../accounts/api-key.ts";
import { idOfMasterKey, secretsAt } from "../accounts/signing-secret.ts";
import { forgetAccount } from "../accounts/standing.ts";
import { formatInstant } from "../domain/instant.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError } from "../http/errors.ts";
import { IdParam, text } from "../http/fields.ts";
import { keysOf } from "../http/master-keys.ts";
import { offsetOf, PageQuery, pagingOf } from "../http/paging.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { databaseOf } from "../store/store.ts";

export const admin = new Hono<AppEnv>()
  .post("/accounts", valid({ body: closed({ name: text(255) }) }), async (c) => {
    const { platform } = c.var;
    const masterKeys = keysOf(c);
    const now = platform.now();
    const id = platform.newId();
    const { name } = c.req.valid("form").body;
    const masterKeyId = await idOfMasterKey(masterKeys.current);
    const signing = { signingVersion: 1, masterKeyId, overlapEndsAt: null, previousMasterKeyId: null };
    const account: Account = { id, name, status: "active", ...signing, createdAt: now };
    const { key, hash, prefix } = await makeKey(platform.randomBytes(32));
    const firstKey = {
      hash,
      accountId: id,
      id: platform.newId(),
      name: "first",
      prefix,
      scope: "full" as const,
      createdAt: now,
    };
    unwrap(await insertAccount(databaseOf(c.env.DB), account, firstKey));
    const { current } = await secretsAt(masterKeys, id, account, now);
    const made = { ...showAccount(account), api_key: key, signing_secret: current };
    return done(c, "Account created. Its first API key is shown only this once.", made, 201);
  })

  .get("/accounts", valid({ query: closed(PageQuery) }), async (c) => {
    const { query } = c.req.valid("form");
    const [accounts, total] = unwrap(await listAccounts(databaseOf(c.env.DB), offsetOf(query), query.size));
    return listed(c, "Accounts.", accounts.map(showAccount), pagingOf(query.page, query.size, total));
  })

  .post("/accounts/:id/suspend", valid({ params: IdParam }), async (c) =>
    done(
      c,
      "Account suspended. Its keys are refused and its due attempts wait.",
      await inStatus(c, c.req.valid("form").params.id, "suspended"),
    ),
  )

  .post("/accounts/:id/resume", valid({ params: IdParam }), async (c) =>
    done(
      c,
      "Account resumed. Its due attempts follow within 15 minutes.",
      await inStatus(c, c.req.valid("form").params.id, "active"),
    ),
  )

  .delete("/accounts/:id", valid({ params: IdParam }), async (c) => {
    const { id } = c.req.valid("form").params;
    const gone = unwrap(await deleteAccount(databaseOf(c.env.DB), id));
    if (!gone) throw noSuchAccount();
    forgetAccount(id);
    return done(c, "Account deleted. Its keys are revoked at once, its jobs no longer run and are removed.", { id });
  });

async function inStatus(c: AppContext, id: string, status: "active" | "suspended") {
  const account = unwrap(await setAccountStatus(databaseOf(c.env.DB), id, status));
  if (!account) throw noSuchAccount();
  forgetAccount(id);
  return showAccount(account);
}

const noSuchAccount = (): ApiError => new ApiError("not_found", "There is no such account.");

const showAccount = ({ id, name, status, createdAt }: Account) => ({
  id,
  name,
  status,
  created_at: formatInstant(createdAt),
});
