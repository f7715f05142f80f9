// The built dashboard: one small file, made again only when something has changed, and nothing in it comes from elsewhere.

import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { buildDashboard, DASHBOARD_ASSET } from "../../dashboard/build.ts";
import { filesIn } from "../rules/source.ts";

/** All of it: script and styles. */
const BUDGET_BYTES = 60 * 1_024;

beforeAll(buildDashboard);

describe("the built file", () => {
  it("is at most 60 KB", () => {
    expect(statSync(DASHBOARD_ASSET).size).toBeLessThanOrEqual(BUDGET_BYTES);
  });

  it("is made again only when its sources have changed", async () => {
    const before = statSync(DASHBOARD_ASSET);
    await buildDashboard();
    expect(statSync(DASHBOARD_ASSET)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  it("names no other host", () => {
    const script = gunzipSync(readFileSync(DASHBOARD_ASSET)).toString();
    const hosts = [...script.matchAll(/\bhttps?:\/\/([\w.-]+)/g)].map(([, host]) => host);
    // The names of XML are no addresses, and an example in a field is nobody's.
    expect(new Set(hosts.filter((host) => host !== "www.w3.org" && host !== "example.com"))).toEqual(new Set());
  });

  it("has its styles inside", () => {
    const script = gunzipSync(readFileSync(DASHBOARD_ASSET)).toString();
    expect(script).toContain("adoptedStyleSheets");
    expect(script).toContain("light-dark(");
  });
});

describe("the dashboard's sources", () => {
  const files = filesIn("dashboard/src");

  it("are all seen", () => {
    expect(files.length).toBeGreaterThan(40);
  });

  it.each(files)("$path imports Preact, its own files, and what it shares with the SDK", ({ path, code }) => {
    const named = [...code.matchAll(/^(?:import|export)\s(?:[^;"]*\sfrom\s)?"([^"]+)"/gm)].map(([, name = ""]) => name);
    const imports = named.map((name) => (name.startsWith(".") ? join(dirname(path), name) : name));
    const own = (name: string) => name.startsWith("dashboard/src/") || SHARED.includes(name);
    expect(imports.filter((name) => !own(name) && !PACKAGES.includes(name))).toEqual([]);
  });

  it.each(files)("$path puts no text into the page as HTML, and no key into the browser", ({ code }) => {
    expect(code.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|sessionStorage|indexedDB/)).toBeNull();
    expect(code.match(/localStorage\.setItem\((?!KEPT_AS\b)/)).toBeNull();
  });
});

const PACKAGES = ["preact", "preact/hooks", "@preact/signals"];
const SHARED = ["json-scan", "raw-json", "wire", "wire-bulk", "wire-flow", "wire-schedule", "job"].map(
  (name) => `sdk/src/${name}.ts`,
);
