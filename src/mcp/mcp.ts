// The API for assistants: the Model Context Protocol at /mcp. Every tool is an operation of the API, and every call goes
// through the application as a request of its own, with the caller's key.

import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { ApiError } from "../http/errors.ts";
import { MAX_BATCH_BYTES, readBody } from "../http/read-body.ts";
import { log, nameOf } from "../log.ts";
import type { Send } from "./call.ts";
import { isWelcome } from "./origin.ts";
import { type Tool, toolsFor, toolsOf } from "./tools.ts";

/** @param app read on the first request, when all its routes are mounted */
export function mcp(app: Hono<AppEnv>): Hono<AppEnv> {
  let made: readonly Tool[] | undefined;
  return new Hono<AppEnv>().post("/", async (c) => {
    made ??= toolsOf(app.routes);
    const body = (await readBody(c.req.raw, MAX_BATCH_BYTES))?.value;
    const { exchange } = await import("./server.ts");
    return exchange({
      request: c.req.raw,
      body,
      tools: made,
      listed: toolsFor(made, c.var.key.scope),
      send: sender(app, c),
      onFault: (fault) => log("info", "mcp_refused", { request_id: c.var.requestId, error: nameOf(fault) }),
    });
  });
}

/** Pages of others are refused before anything else is asked of them. */
export const ownPagesOnly = createMiddleware<AppEnv>(async (c, next) => {
  const ownHosts = c.env.PUBLIC_HOSTS.split(",").map((host) => host.trim().toLowerCase());
  if (!isWelcome(c.req.header("Origin"), ownHosts))
    throw new ApiError(
      "forbidden",
      "A page of another origin may not call this. PUBLIC_HOSTS names the service's own.",
    );
  await next();
});

/** Whose request it is, and where it came from, stay as they are. */
const KEPT = ["Authorization", "CF-Connecting-IP"];

function sender(app: Hono<AppEnv>, c: AppContext): Send {
  const kept = KEPT.flatMap((name): [string, string][] => {
    const value = c.req.header(name);
    return value === undefined ? [] : [[name, value]];
  });
  return async (method, pathAndQuery, body) => {
    const headers = new Headers(kept);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    const url = new URL(pathAndQuery, c.req.url);
    return app.fetch(new Request(url, { method, headers, body: body ?? null }), c.env, c.executionCtx);
  };
}
