// An account's API keys over HTTP. A key is shown once, when it is made.

import { Hono } from "hono";
import { type ApiKey, deleteKey, insertKey, listKeys, MAX_KEYS } from "../accounts/accounts-store.ts";
import { makeKey } from "../accounts/api-key.ts";
import { forgetKey } from "../accounts/keyring.ts";
import { formatInstant } from "../domain/instant.ts";
import type { AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError } from "../http/errors.ts";
import { IdParam, text } from "../http/fields.ts";
import { offsetOf, PageQuery, pagingOf } from "../http/paging.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { databaseOf } from "../store/store.ts";

export const apiKeys = new Hono<AppEnv>()
  .get("/", valid({ query: closed(PageQuery) }), async (c) => {
    const { query } = c.req.valid("form");
    const [keys, total] = unwrap(await listKeys(databaseOf(c.env.DB), c.var.account.id, offsetOf(query), query.size));
    return listed(c, "API keys.", keys.map(showKey), pagingOf(query.page, query.size, total));
  })

  .post("/", valid({ body: closed({ name: text(255) }) }), async (c) => {
    const { platform, account } = c.var;
    const { key, hash, prefix } = await makeKey(platform.randomBytes(32));
    const made = { id: platform.newId(), accountId: account.id, prefix, createdAt: platform.now() };
    const row = { ...made, name: c.req.valid("form").body.name };
    const inserted = unwrap(await insertKey(databaseOf(c.env.DB), { ...row, hash }));
    if (!inserted)
      throw await refusalIfThere(
        c,
        new ApiError("conflict", `An account has at most ${MAX_KEYS} API keys. Delete one first.`),
      );
    return done(c, "API key created. It is shown only this once.", { ...showKey(row), key }, 201);
  })

  .delete("/:id", valid({ params: IdParam }), async (c) => {
    const { id } = c.req.valid("form").params;
    const gone = unwrap(await deleteKey(databaseOf(c.env.DB), c.var.account.id, id));
    if (gone === "missing") throw new ApiError("not_found", "There is no such API key.");
    if (gone === "last")
      throw new ApiError("conflict", "This is the account's last API key. Create another one first.");
    forgetKey(gone.hash);
    return done(c, "API key deleted.", { id });
  });

export const showKey = ({ id, name, prefix, createdAt }: ApiKey) => ({
  id,
  name,
  prefix,
  created_at: formatInstant(createdAt),
});
