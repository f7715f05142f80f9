// A script that the bundle carries compressed, sent as it is to those who can read it.

import type { AppContext } from "./app-env.ts";

/** @param zipped gzip */
export function compressedScript(c: AppContext, zipped: ArrayBuffer, cacheControl: string): Response {
  c.header("Content-Type", "text/javascript; charset=utf-8");
  c.header("Vary", "Accept-Encoding");
  c.header("Cache-Control", cacheControl);
  if (!/\bgzip\b/.test(c.req.header("Accept-Encoding") ?? ""))
    return c.body(new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip")));
  c.header("Content-Encoding", "gzip");
  return new Response(zipped, { headers: c.res.headers, encodeBody: "manual" });
}
