// What the service says about itself, without a key: what it is, its description in OpenAPI, and the page to read and try it.

import { type Context, Hono } from "hono";
import script from "rapidoc/dist/rapidoc-min.js.gz";
import type { AppEnv } from "../http/app-env.ts";
import { compressedScript } from "../http/compressed.ts";
import { done } from "../http/envelope.ts";
import { mustBeWell } from "../http/health.ts";
import { DATA_EXAMPLES } from "./data-examples.ts";
import { documentOf } from "./document.ts";
import { HOME_POLICY, homePage, REFERENCE_POLICY, referencePage } from "./pages.ts";

/** How long a client may keep what only a deployment changes. */
const MAX_AGE_SECONDS = 300;

/** @param app read on the first request for its description, when all its routes are mounted */
export function reference(app: Hono<AppEnv>): Hono<AppEnv> {
  let written: Promise<Written> | undefined;
  return new Hono<AppEnv>()
    .get("/", async (c) => {
      const healthy = await isWell(c);
      c.header("Vary", "Accept");
      if (!(c.req.header("Accept") ?? "").includes("text/html"))
        return done(c, "Chronos on the edge.", { ...DATA_EXAMPLES.About, healthy });
      c.header("Content-Security-Policy", HOME_POLICY);
      return c.html(homePage(healthy));
    })

    .get("/openapi.json", async (c) => {
      written ??= write(documentOf(app.routes));
      const { text, tag } = await written;
      return cached(c, tag) ?? c.body(text, 200, { "Content-Type": "application/json" });
    })

    .get("/docs", (c) => {
      c.header("Content-Security-Policy", REFERENCE_POLICY);
      return c.html(referencePage);
    })

    .get("/docs/reference.js", (c) => compressedScript(c, script, `public, max-age=${MAX_AGE_SECONDS}`));
}

interface Written {
  readonly text: string;
  readonly tag: string;
}

async function write(document: object): Promise<Written> {
  const text = JSON.stringify(document);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return { text, tag: `"${btoa(String.fromCharCode(...digest.slice(0, 12)))}"` };
}

/** 304 for a client that has this version; otherwise only the headers that let it keep what it gets. */
function cached(c: Context<AppEnv>, tag: string): Response | undefined {
  c.header("Cache-Control", `public, max-age=${MAX_AGE_SECONDS}`);
  c.header("ETag", tag);
  const known = (c.req.header("If-None-Match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  return known.includes(tag) ? c.body(null, 304) : undefined;
}

const isWell = (c: Context<AppEnv>): Promise<boolean> =>
  mustBeWell(c.env).then(
    () => true,
    () => false,
  );
