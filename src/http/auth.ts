// Who calls: an account by its API key or by the dashboard's session, or the operator by the admin token.

import { createMiddleware } from "hono/factory";
import { readAccount } from "../accounts/accounts-store.ts";
import { hashOf, isKeyShaped, isSame } from "../accounts/api-key.ts";
import { type Caller, callerOf, callerOfKeyId, isKnownKey } from "../accounts/keyring.ts";
import { adminTokenOf, logShortSecrets } from "../accounts/service-secrets.ts";
import { forgetAccount } from "../accounts/standing.ts";
import { databaseAt, directoryOf } from "../store/databases.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { ApiError, unavailable } from "./errors.ts";
import { provenWithinLimit } from "./guess-limit.ts";
import { notFound } from "./known-routes.ts";
import { rateLimited } from "./rate-limit.ts";
import { outOfScope, scopesOf } from "./scopes.ts";
import { hasSessionCookie, mustBeOurPage, sessionOf } from "./session-cookie.ts";
import { unwrap } from "./unwrap.ts";

const BEARER = /^Bearer +([^\s,]+)$/i;

const bearerOf = (c: AppContext): string | undefined => BEARER.exec(c.req.header("Authorization") ?? "")?.[1];

const API_KEY = "A valid API key is required: `Authorization: Bearer chrns_…`.";
const ADMIN_TOKEN = "The service's admin token is required: `Authorization: Bearer <ADMIN_TOKEN>`.";

export const unauthorized = (message = API_KEY) =>
  new ApiError("unauthorized", message, {
    headers: { "WWW-Authenticate": "Bearer" },
  });

const endedSession = () => unauthorized("The session has ended. Sign in to the dashboard again, or send an API key.");

/** Who holds an API key. A key that this isolate knows is never held up by what others send from its address. */
export async function holderOf(c: AppContext, key: string | undefined): Promise<Caller | undefined> {
  if (key === undefined || !isKeyShaped(key)) return undefined;
  const hash = await hashOf(key);
  const lookUp = async () => unwrap(await callerOf(c.env, hash, c.var.platform.now));
  return isKnownKey(hash, c.var.platform.now()) ? lookUp() : provenWithinLimit(c, "API key", lookUp);
}

/** Who opened the session that comes with a request, as long as the key it was opened with is valid. */
async function holderOfSession(c: AppContext): Promise<Caller | undefined> {
  const session = await sessionOf(c);
  if (!session) return undefined;
  c.set("session", session);
  return unwrap(await callerOfKeyId(c.env, session.accountId, session.keyId, c.var.platform.now));
}

/**
 * Who calls: by an API key or, without the header for one, by a session. A missing, malformed, unknown, revoked or expired key gets
 * the same answer.
 */
export const identified = createMiddleware<AppEnv>(async (c, next) => {
  const isSession = c.req.header("Authorization") === undefined && hasSessionCookie(c);
  const caller = isSession ? await holderOfSession(c) : await holderOf(c, bearerOf(c));
  if (!caller) throw isSession ? endedSession() : unauthorized();
  mustBeServed(c, caller);
  await next();
});

/** Takes the caller as the one who calls. */
export function mustBeServed(c: AppContext, { account, key }: Caller): void {
  c.set("account", account);
  c.set("key", key);
  if (account.status === "suspended")
    throw new ApiError("account_suspended", "This account is suspended. Its keys work again once it is resumed.");
  // Its database is not bound any more, or not yet: this is a version from before the last deployment.
  if (!databaseAt(c.env, account.database)) throw unavailable(60);
}

/** Who calls, and whether they may call this. */
export const authenticated = createMiddleware<AppEnv>((c, next) =>
  identified(c, async () => {
    const session = c.get("session");
    if (session && !isSafe(c)) mustBeOurPage(c);
    const { scope } = c.var.key;
    const scopes = scopesOf(c.var.route);
    if (!scopes.includes(scope)) throw new ApiError("forbidden", outOfScope(scope));
    if (session?.readOnly && !scopes.includes("read")) throw new ApiError("forbidden", READ_ONLY_SESSION);
    await next();
  }),
);

const isSafe = (c: AppContext): boolean => c.req.method === "GET" || c.req.method === "HEAD";

const READ_ONLY_SESSION =
  "This session is read-only: it may only read, and not the signing secret. Sign in again without read-only to change something.";

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
  const isSession = c.req.header("Authorization") === undefined && hasSessionCookie(c);
  if (isSession || isKeyShaped(bearerOf(c) ?? ""))
    return authenticated(c, async () => void (await rateLimited(c, next)));
  if (!(await isOperator(c))) throw unauthorized();
  await next();
});

/** Why a store has taken nothing: the account was deleted since this isolate looked, or else `otherwise`. */
export async function refusalIfThere(c: AppContext, otherwise: ApiError): Promise<ApiError> {
  const { id } = c.var.account;
  const account = unwrap(await readAccount(directoryOf(c.env), id));
  if (account && account.status !== "deleted") return otherwise;
  forgetAccount(id);
  return unauthorized();
}
