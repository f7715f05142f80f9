// What the dashboard's addresses answer: one page, its script, its icon.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { api, app, ORIGIN, requestOf } from "../harness/api.ts";

const get = async (path: string, headers: Record<string, string> = {}) =>
  app.fetch(requestOf("GET", path, { headers }), env, createExecutionContext());

/** The addresses on a page, as a browser resolves them. */
const addressesOn = (html: string, path: string): string[] =>
  [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address = ""]) => new URL(address, ORIGIN + path).pathname);

const scriptOf = async (): Promise<string> => {
  const addresses = addressesOn(await (await get("/dashboard")).text(), "/dashboard");
  return addresses.find((address) => address.endsWith(".js")) ?? "";
};

describe("the page", () => {
  it.each([
    "/dashboard",
    "/dashboard/",
    "/dashboard/jobs",
    `/dashboard/jobs/${crypto.randomUUID()}`,
    "/dashboard/a/b/c",
  ])("is the same at %s, and finds its script and icon from there", async (path) => {
    const response = await get(path);
    const html = await response.text();
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/html; charset=UTF-8"]);
    for (const part of [
      '<html lang="en-GB">',
      'name="viewport"',
      'content="light dark"',
      "<noscript>",
      '<div id="app">',
    ])
      expect(html).toContain(part);
    expect(addressesOn(html, path)).toEqual(["/dashboard/icon.svg", await scriptOf()]);
    for (const address of addressesOn(html, path)) expect((await get(address)).status).toBe(200);
  });

  it("lets no foreign or inline script run, is shown in no frame, and tells nobody its address", async () => {
    const { headers } = await get("/dashboard/jobs");
    const policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).not.toContain("unsafe");
    for (const rule of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "img-src 'self' data:"])
      expect(policy.split("; ")).toContain(rule);
    for (const rule of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
      expect(policy.split("; ")).toContain(rule);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
    expect(headers.get("Cache-Control")).toBe("no-cache");
  });
});

describe("the script", () => {
  it("is named after its content and kept for ever, compressed for those who can read it", async () => {
    const address = await scriptOf();
    expect(address).toMatch(/^\/dashboard\/app\.[0-9a-f]{12}\.js$/);
    const [zipped, plain] = [await get(address, { "Accept-Encoding": "gzip, br" }), await get(address)];
    expect(zipped.headers.get("Content-Encoding")).toBe("gzip");
    expect(plain.headers.get("Content-Encoding")).toBeNull();
    for (const { headers } of [zipped, plain]) {
      expect(headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
      expect(headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
      expect(headers.get("Vary")).toBe("Accept-Encoding");
    }
    const text = await new Response(zipped.body?.pipeThrough(new DecompressionStream("gzip"))).text();
    expect(await plain.text()).toBe(text);
  });

  it("of another version is not kept", async () => {
    const { status, headers } = await get("/dashboard/app.0123456789ab.js");
    expect([status, headers.get("Cache-Control")]).toEqual([200, "no-store"]);
  });
});

it("other methods are refused with 405, which names those that are served", async () => {
  const page = await api("POST", "/dashboard/jobs");
  expect([page.status, page.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
  const session = await api("PUT", "/dashboard/session");
  expect([session.status, session.headers.get("Allow")]).toEqual([405, "DELETE, GET, HEAD, POST"]);
});
