// Who calls: an account by its API key, or the operator by the admin token.

import { createMiddleware } from "hono/factory";
import { readAccount } from "../accounts/accounts-store.ts";
import { hashOf, isKeyShaped, isSame } from "../accounts/api-key.ts";
import { callerOf, isKnownKey } from "../accounts/keyring.ts";
import { adminTokenOf, logShortSecrets } from "../accounts/service-secrets.ts";
import { forgetAccount } from "../accounts/standing.ts";
import { databaseOf } from "../store/store.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { ApiError } from "./errors.ts";
import { provenWithinLimit } from "./guess-limit.ts";
import { notFound } from "./known-routes.ts";
import { rateLimited } from "./rate-limit.ts";
import { outOfScope, scopesOf } from "./scopes.ts";
import { unwrap } from "./unwrap.ts";

const BEARER = /^Bearer +([^\s,]+)$/i;

const bearerOf = (c: AppContext): string | undefined => BEARER.exec(c.req.header("Authorization") ?? "")?.[1];

const API_KEY = "A valid API key is required: `Authorization: Bearer chrns_…`.";
const ADMIN_TOKEN = "The service's admin token is required: `Authorization: Bearer <ADMIN_TOKEN>`.";

const unauthorized = (message = API_KEY) =>
  new ApiError("unauthorized", message, {
    headers: { "WWW-Authenticate": "Bearer" },
  });

/**
 * A missing, malformed, unknown, revoked or expired key gets the same answer. A key that this isolate knows is never held up by
 * what others send from its address.
 */
export const authenticated = createMiddleware<AppEnv>(async (c, next) => {
  const key = bearerOf(c);
  if (key === undefined || !isKeyShaped(key)) throw unauthorized();
  const hash = await hashOf(key);
  const lookUp = async () => unwrap(await callerOf(c.env, hash, c.var.platform.now));
  const caller = isKnownKey(hash, c.var.platform.now())
    ? await lookUp()
    : await provenWithinLimit(c, "API key", lookUp);
  if (!caller) throw unauthorized();
  c.set("account", caller.account);
  c.set("key", caller.key);
  if (caller.account.status === "suspended")
    throw new ApiError("account_suspended", "This account is suspended. Its keys work again once it is resumed.");
  const { scope } = caller.key;
  if (!scopesOf(c.var.route).includes(scope)) throw new ApiError("forbidden", outOfScope(scope));
  await next();
});

/** Without an admin token the operator's paths do not exist, whatever the method. */
export const operatorOnly = createMiddleware<AppEnv>(async (c, next) => {
  if (!adminTokenOf(c.env)) {
    logShortSecrets(c.env);
    throw notFound();
  }
  await next();
});

/** The operator proves itself by the token. */
export const operated = createMiddleware<AppEnv>(async (c, next) => {
  if (!(await isOperator(c))) throw unauthorized(ADMIN_TOKEN);
  await next();
});

async function isOperator(c: AppContext): Promise<boolean> {
  const [given, token] = [bearerOf(c), adminTokenOf(c.env)];
  if (given === undefined || token === undefined) return false;
  return (await provenWithinLimit(c, "admin token", async () => (await isSame(given, token)) || undefined)) === true;
}

/**
 * For a path that serves both. Anything that is not shaped like a key may be the admin token, and counts as a guess at it. Without
 * an admin token there are only keys.
 */
export const accountOrOperator = createMiddleware<AppEnv>(async (c, next) => {
  if (isKeyShaped(bearerOf(c) ?? "")) return authenticated(c, async () => void (await rateLimited(c, next)));
  if (!(await isOperator(c))) throw unauthorized();
  await next();
});

/** Why a store has taken nothing: the account was deleted since this isolate looked, or else `otherwise`. */
export async function refusalIfThere(c: AppContext, otherwise: ApiError): Promise<ApiError> {
  const { id } = c.var.account;
  const account = unwrap(await readAccount(databaseOf(c.env.DB), id));
  if (account && account.status !== "deleted") return otherwise;
  forgetAccount(id);
  return unauthorized();
}
