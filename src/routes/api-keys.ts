// An account's API keys over HTTP. A key is shown once, when it is made.

import { Hono } from "hono";
import * as v from "valibot";
import { type ApiKey, deleteKey, insertKey, listKeys, MAX_KEYS } from "../accounts/accounts-store.ts";
import { makeKey } from "../accounts/api-key.ts";
import { forgetKey } from "../accounts/keyring.ts";
import { formatInstant } from "../domain/instant.ts";
import { KEY_SCOPES, outlasts } from "../domain/key-scope.ts";
import { moment } from "../domain/show-job.ts";
import type { AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError, invalid } from "../http/errors.ts";
import { IdParam, instant, text } from "../http/fields.ts";
import { offsetOf, PageQuery, pagingOf } from "../http/paging.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { directoryOf } from "../store/databases.ts";

const NewKey = closed({
  name: text(255),
  scope: v.nullish(v.picklist(KEY_SCOPES), "full"),
  expires_at: v.nullish(v.pipe(instant, v.description("When the key stops working: in the future. Left out: never."))),
});

export const apiKeys = new Hono<AppEnv>()
  .get("/", valid({ query: closed(PageQuery) }), async (c) => {
    const { query } = c.req.valid("form");
    const [keys, total] = unwrap(await listKeys(directoryOf(c.env), c.var.account.id, offsetOf(query), query.size));
    return listed(c, "API keys.", keys.map(showKey), pagingOf(query.page, query.size, total));
  })

  .post("/", valid({ body: NewKey }), async (c) => {
    const { platform, account } = c.var;
    const now = platform.now();
    const { name, scope, expires_at: expiresAt = null } = c.req.valid("form").body;
    if (expiresAt !== null && expiresAt <= now) throw invalid("expires_at", "Must lie in the future.");
    const limit = c.var.key.expiresAt;
    if (limit !== null && outlasts(expiresAt, limit)) throw invalid("expires_at", notBeyond(limit));
    const { key, hash, prefix } = await makeKey(platform.randomBytes(32));
    const row = { id: platform.newId(), accountId: account.id, name, prefix, scope, expiresAt, createdAt: now };
    const inserted = unwrap(await insertKey(directoryOf(c.env), { ...row, hash }));
    if (!inserted)
      throw await refusalIfThere(
        c,
        new ApiError("conflict", `An account has at most ${MAX_KEYS} API keys. Delete one first.`),
      );
    return done(c, "API key created. It is shown only this once.", { ...showKey(row), key }, 201);
  })

  .delete("/:id", valid({ params: IdParam }), async (c) => {
    const { id } = c.req.valid("form").params;
    const gone = unwrap(await deleteKey(directoryOf(c.env), c.var.account.id, id, c.var.platform.now()));
    if (gone === "missing") throw new ApiError("not_found", "There is no such API key.");
    if (gone === "last") throw new ApiError("conflict", LAST_KEY);
    forgetKey(c.var.account.id, id, gone.hash);
    return done(c, "API key deleted.", { id });
  });

const LAST_KEY =
  "This is the account's last API key of the scope `full` that does not expire. Create another one first.";

const notBeyond = (limit: number): string =>
  `Must be at most ${formatInstant(limit)}: this API key expires then, and what it creates must not outlast it.`;

export const showKey = ({ id, name, prefix, scope, expiresAt, createdAt }: ApiKey) => ({
  id,
  name,
  prefix,
  scope,
  expires_at: moment(expiresAt),
  created_at: formatInstant(createdAt),
});
