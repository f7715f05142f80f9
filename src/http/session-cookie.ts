// The cookie that holds the dashboard's session, and the pages that may change something with it.

import { getCookie, setCookie } from "hono/cookie";
import { openSession, type Session, sealSession } from "../accounts/session.ts";
import type { AppContext } from "./app-env.ts";
import { ApiError } from "./errors.ts";
import { keysOf } from "./master-keys.ts";
import { isSecure, originOf } from "./origin.ts";

/** Workers, operators and assistants prove who they are with each request. */
const isBarred = (c: AppContext): boolean => /^\/(?:v1\/(?:worker|admin)|mcp)\b/.test(c.req.path);

/** The session that a request carries; undefined without one that is valid, and where sessions are not. */
export async function sessionOf(c: AppContext): Promise<Session | undefined> {
  const text = isBarred(c) ? undefined : cookieOf(c);
  return text === undefined ? undefined : openSession(keysOf(c), text, c.var.platform.now());
}

/** True if a request carries a session's cookie, whatever is in it, to a path where sessions are valid. */
export const hasSessionCookie = (c: AppContext): boolean => !isBarred(c) && cookieOf(c) !== undefined;

export async function startSession(c: AppContext, session: Session): Promise<void> {
  const leftMs = session.expiresAt - c.var.platform.now();
  write(c, await sealSession(keysOf(c), session), Math.floor(leftMs / 1_000));
}

export const endSession = (c: AppContext): void => write(c, "", 0);

/**
 * For a request that changes something with nothing but a cookie. A browser says in `Sec-Fetch-Site` where a request comes from, and
 * over plain http, where it does not, in `Origin`. `SameSite=Strict` alone would let other ports of this host through.
 */
export function mustBeOurPage(c: AppContext): void {
  const site = c.req.header("Sec-Fetch-Site");
  if (site === undefined ? c.req.header("Origin") === originOf(c) : site === "same-origin") return;
  throw new ApiError(
    "forbidden",
    "With the dashboard's session only the dashboard itself may change something, from the same origin. Programs send an API key.",
  );
}

/** Cookies do not know ports: two services on one machine have two names. */
function nameOf(c: AppContext): string {
  const { port } = new URL(c.req.url);
  return port === "" ? "chronos_session" : `chronos_session_${port}`;
}

const prefixOf = (c: AppContext) => (isSecure(c) ? { prefix: "host" as const } : {});

const cookieOf = (c: AppContext): string | undefined => getCookie(c, nameOf(c), prefixOf(c).prefix);

function write(c: AppContext, value: string, maxAge: number): void {
  setCookie(c, nameOf(c), value, {
    path: "/",
    httpOnly: true,
    sameSite: "Strict",
    maxAge,
    ...prefixOf(c),
    secure: isSecure(c),
  });
}
