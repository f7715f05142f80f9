// What the service says about itself, without a key: what it is, its description in OpenAPI, and the page to read and try it.

import { type Context, Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { done } from "../http/envelope.ts";
import { mustBeWell } from "../http/health.ts";
import { originOf } from "../http/origin.ts";
import { DATA_EXAMPLES } from "./data-examples.ts";
import { documentOf } from "./document.ts";
import { guides } from "./guides.ts";
import { BASE } from "./pages/entry.ts";
import { HOME_STYLE, homePage } from "./pages/home.ts";
import { homePolicy, referencePolicy } from "./pages/policy.ts";
import { referencePage } from "./pages/reference-page.ts";
import { REFERENCE_STYLE } from "./pages/reference-style.ts";
import type { Document } from "./pages/shape.ts";
import { TRY_SCRIPT } from "./pages/try-script.ts";

/** How long a client may keep what only a deployment changes. */
const MAX_AGE_SECONDS = 300;

/** @param app read on the first request for its description, when all its routes are mounted */
export function reference(app: Hono<AppEnv>): Hono<AppEnv> {
  let document: Written | undefined;
  let reference: Written | undefined;
  let script: Written | undefined;
  return new Hono<AppEnv>()
    .get("/", async (c) => {
      const healthy = await isWell(c);
      c.header("Vary", "Accept");
      if (!(c.req.header("Accept") ?? "").includes("text/html"))
        return done(c, "Chronos on the edge.", { ...DATA_EXAMPLES.About, healthy });
      c.header("Content-Security-Policy", await homePolicy(HOME_STYLE));
      return c.html(homePage({ isWell: healthy, base: originOf(c), isLocal: isLocal(c) }));
    })

    .get("/openapi.json", async (c) => {
      document ??= await write(JSON.stringify(documentOf(app.routes)));
      const { text, tag } = document;
      return cached(c, tag) ?? c.body(text, 200, { "Content-Type": "application/json" });
    })

    .get("/docs", async (c) => {
      reference ??= await write(String(referencePage(documentOf(app.routes) as Document, isLocal(c))));
      c.header("Content-Security-Policy", await referencePolicy(REFERENCE_STYLE));
      return cached(c, reference.tag) ?? c.html(reference.text.replaceAll(BASE, originOf(c)));
    })

    .route("/docs/guides", guides)

    .get("/docs/reference.js", async (c) => {
      script ??= await write(TRY_SCRIPT);
      return cached(c, script.tag) ?? c.body(script.text, 200, { "Content-Type": "text/javascript; charset=utf-8" });
    });
}

const isLocal = (c: Context<AppEnv>): boolean => c.env.ALLOW_LOCAL_TARGETS === "true";

interface Written {
  readonly text: string;
  readonly tag: string;
}

async function write(text: string): Promise<Written> {
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
