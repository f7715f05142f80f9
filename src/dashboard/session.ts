// Signing in to the dashboard, and out of it. The session is a cookie that no script can read; the key itself is not kept anywhere.

import { Hono } from "hono";
import * as v from "valibot";
import { type Caller, callerOf } from "../accounts/keyring.ts";
import { newSession, openSignIn, type Session } from "../accounts/session.ts";
import { formatInstant } from "../domain/instant.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { holderOf, identified, mustBeServed, unauthorized } from "../http/auth.ts";
import { done } from "../http/envelope.ts";
import { ApiError, invalid } from "../http/errors.ts";
import { text } from "../http/fields.ts";
import { keysOf } from "../http/master-keys.ts";
import { rateLimited } from "../http/rate-limit.ts";
import { endSession, mustBeOurPage, startSession } from "../http/session-cookie.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";

/** An API key, or the token of a link that signs in. */
const Credentials = closed({
  api_key: v.nullish(text(255)),
  sign_in: v.nullish(text(1_000)),
  read_only: v.nullish(v.boolean(), false),
});

export const session = new Hono<AppEnv>()
  .post("/", valid({ body: Credentials }), async (c) => {
    mustBeOurPage(c);
    const { api_key, sign_in, read_only } = c.req.valid("form").body;
    if ((api_key ?? null) === null && (sign_in ?? null) === null)
      throw invalid("api_key", "Is required, or `sign_in` with the token of a link that signs in.");
    if (api_key && sign_in) throw invalid("sign_in", "Send `api_key` or `sign_in`, not both.");
    const caller = sign_in ? await holderByLink(c, sign_in) : await holderByKey(c, api_key ?? "");
    mustBeServed(c, caller);
    mustBeForPeople(caller);
    await rateLimited(c, async () => {});
    const { account, key } = caller;
    const begun = newSession(account.id, key, read_only || key.scope === "read", c.var.platform.now());
    await startSession(c, begun);
    return done(c, "Signed in.", shown(caller, begun));
  })

  .get("/", identified, rateLimited, valid({}), (c) => {
    const { account, key, session } = c.var;
    if (!session) throw unauthorized("Nobody is signed in.");
    return done(c, "Signed in.", shown({ account, key }, session));
  })

  .delete("/", valid({}), (c) => {
    mustBeOurPage(c);
    endSession(c);
    return done(c, "Signed out.", null);
  });

async function holderByKey(c: AppContext, key: string): Promise<Caller> {
  const caller = await holderOf(c, key);
  if (caller) return caller;
  throw unauthorized("This API key opens nothing: it is not complete, was deleted or has expired.");
}

async function holderByLink(c: AppContext, token: string): Promise<Caller> {
  const { now } = c.var.platform;
  const hash = await openSignIn(keysOf(c), token, now());
  const caller = hash === undefined ? undefined : unwrap(await callerOf(c.env, hash, now));
  if (caller) return caller;
  throw unauthorized("This link does not sign in any more. Start the service again for a new one, or use an API key.");
}

/** Keys of workers and of job creators could not show a single screen. */
function mustBeForPeople({ key: { scope } }: Caller): void {
  if (scope === "full" || scope === "read") return;
  throw new ApiError(
    "forbidden",
    `This API key has the scope \`${scope}\`, which may read nothing. Sign in with a key of the scope \`full\` or \`read\`.`,
  );
}

const shown = ({ account, key }: Caller, { readOnly, expiresAt }: Session) => ({
  account_id: account.id,
  account_name: account.name,
  scope: key.scope,
  read_only: readOnly,
  expires_at: formatInstant(expiresAt),
});
