// The guides at /docs/guides, for whoever runs the service and has its source not at hand.

import { type Context, Hono } from "hono";
import zipped from "../../docs/dist/guides.json.gz";
import type { AppEnv } from "../http/app-env.ts";
import { ApiError } from "../http/errors.ts";
import { GUIDE_STYLE, type Guide, guidePage } from "./pages/guide-page.ts";
import { homePolicy } from "./pages/policy.ts";

let known: readonly Guide[] | undefined;

/** Unpacked on the first request for one. */
async function allGuides(): Promise<readonly Guide[]> {
  if (known) return known;
  const unpacked = new Response(new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip")));
  known = (await unpacked.json<{ guides: Guide[] }>()).guides;
  return known;
}

async function show(c: Context<AppEnv>, name: string): Promise<Response> {
  const all = await allGuides();
  const guide = all.find((one) => one.name === name);
  if (!guide) throw new ApiError("not_found", "There is no such guide.");
  c.header("Content-Security-Policy", await homePolicy(GUIDE_STYLE));
  return c.html(guidePage(guide, all));
}

export const guides = new Hono<AppEnv>()
  .get("/", (c) => show(c, ""))
  .get("/:name", (c) => show(c, c.req.param("name")));
