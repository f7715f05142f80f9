// Who calls: an account by its API key, or the operator by the admin token.

import { createMiddleware } from "hono/factory";
import { isSame } from "../accounts/api-key.ts";
import { callerOf } from "../accounts/keyring.ts";
import type { AppEnv } from "./app-env.ts";
import { ApiError } from "./errors.ts";
import { notFound } from "./known-routes.ts";
import { unwrap } from "./unwrap.ts";

const BEARER = /^Bearer +([^\s,]+)$/i;

const API_KEY = "A valid API key is required: `Authorization: Bearer chrns_…`.";
const ADMIN_TOKEN = "The service's admin token is required: `Authorization: Bearer <ADMIN_TOKEN>`.";

const unauthorized = (message = API_KEY) =>
  new ApiError("unauthorized", message, {
    headers: { "WWW-Authenticate": "Bearer" },
  });

/** A missing, malformed, unknown or revoked key is told the same. */
export const authenticated = createMiddleware<AppEnv>(async (c, next) => {
  const key = BEARER.exec(c.req.header("Authorization") ?? "")?.[1];
  const caller = key === undefined ? undefined : unwrap(await callerOf(c.env, key, c.var.platform.now()));
  if (!caller) throw unauthorized();
  c.set("account", caller.account);
  c.set("keyId", caller.keyId);
  await next();
});

/** Without an admin token the operator's paths do not exist, whatever the method. */
export const operatorOnly = createMiddleware<AppEnv>(async (c, next) => {
  if (!c.env.ADMIN_TOKEN) throw notFound();
  await next();
});

/** The operator proves itself by the token. */
export const operated = createMiddleware<AppEnv>(async (c, next) => {
  const token = BEARER.exec(c.req.header("Authorization") ?? "")?.[1];
  if (token === undefined || !c.env.ADMIN_TOKEN || !(await isSame(token, c.env.ADMIN_TOKEN)))
    throw unauthorized(ADMIN_TOKEN);
  await next();
});
