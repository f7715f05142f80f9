// The dashboard: one page for all its addresses, its script, and the session. The script is a client of the public API.

import { Hono } from "hono";
import script from "../../dashboard/dist/dashboard.js.gz";
import type { AppEnv } from "../http/app-env.ts";
import { compressedScript } from "../http/compressed.ts";
import { session } from "./session.ts";
import { ICON, POLICY, shell } from "./shell.ts";

const FOR_EVER = "public, max-age=31536000, immutable";
const A_DAY = "public, max-age=86400";

let scriptFile: string | undefined;

/** Named after its content, so that a browser may keep it for ever. */
async function nameOfScript(): Promise<string> {
  scriptFile ??= `app.${await fingerprintOf(script)}.js`;
  return scriptFile;
}

async function fingerprintOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.slice(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const dashboard = new Hono<AppEnv>()
  .route("/session", session)

  // A page of another version asks for another file while a deployment spreads. This one is better than none, and is not kept.
  .get("/:file{app\\.[0-9a-f]+\\.js}", async (c) =>
    compressedScript(c, script, c.req.param("file") === (await nameOfScript()) ? FOR_EVER : "no-store"),
  )

  .get("/icon.svg", (c) => c.body(ICON, 200, { "Content-Type": "image/svg+xml", "Cache-Control": A_DAY }))

  .get("/*", async (c) => {
    c.header("Content-Security-Policy", POLICY);
    c.header("Referrer-Policy", "same-origin");
    c.header("Cross-Origin-Opener-Policy", "same-origin");
    c.header("Cache-Control", "no-cache");
    return c.html(shell(c.req.path, await nameOfScript()));
  });
