// Who may import whom, and what the domain may not know: the architecture as a test.

import { describe, expect, it } from "vitest";
import { filesIn, type SourceFile } from "./source.ts";

const FOLDERS = [
  "domain",
  "accounts",
  "store",
  "delivery",
  "http",
  "objects",
  "cron",
  "routes",
  "openapi",
  "mcp",
  "dashboard",
] as const;
type Folder = (typeof FOLDERS)[number];

/** Beside itself, each folder may import these. */
const MAY_IMPORT: Record<Folder, readonly Folder[]> = {
  domain: [],
  store: ["domain"],
  accounts: ["domain", "store"],
  delivery: ["domain", "accounts"],
  http: ["domain", "accounts", "store"],
  objects: ["domain", "accounts", "delivery", "store"],
  cron: ["domain", "objects", "store"],
  routes: ["domain", "accounts", "delivery", "http", "objects", "store"],
  openapi: ["domain", "accounts", "store", "http", "routes"],
  mcp: ["domain", "http", "openapi"],
  dashboard: ["domain", "accounts", "http"],
};

const ANYTHING = ["src/index.ts", "src/app.ts"];
const LOG = "src/log.ts";

const source = filesIn("src");
const sdk = filesIn("sdk/src");
const cli = filesIn("cli");
const deploying = filesIn("deploy");
const testing = filesIn("testing");

const folderOf = (path: string): string => path.split("/")[1] ?? "";
const isFolder = (name: string): name is Folder => FOLDERS.some((folder) => folder === name);

/** What a file imports and must not. */
function forbidden({ path, imports }: SourceFile): string[] {
  const folder = folderOf(path);
  if (ANYTHING.includes(path)) return [];
  const own = imports.filter((name) => name.startsWith("src/") || name.startsWith("sdk/"));
  if (!isFolder(folder)) return own;
  return own.filter((name) => {
    if (name === LOG) return folder === "domain";
    const target = folderOf(name);
    return !(isFolder(target) && name.startsWith("src/") && (target === folder || MAY_IMPORT[folder].includes(target)));
  });
}

describe("a file imports only what the table allows", () => {
  it("sees the whole source", () => {
    const folders = new Set(source.map(({ path }) => folderOf(path)).filter((name) => !name.endsWith(".ts")));
    expect([...folders].sort()).toEqual([...FOLDERS].sort());
    expect(source.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
    expect(sdk.length).toBeGreaterThan(10);
    expect(cli.length).toBeGreaterThan(10);
    expect(testing.length).toBeGreaterThan(2);
  });

  it.each(source)("$path", (file) => {
    expect(forbidden(file)).toEqual([]);
  });

  it.each(sdk)("$path knows nothing of the service, and no package", ({ imports }) => {
    expect(imports.filter((name) => !name.startsWith("sdk/src/"))).toEqual([]);
  });

  it.each(cli)("$path uses the service as anybody does: over the SDK", ({ imports }) => {
    const own = imports.filter((name) => /^(src|sdk|test)\//.test(name));
    expect(own.filter((name) => name !== "sdk/src/index.ts")).toEqual([]);
  });

  it.each(deploying)("$path deploys the service without being a part of it", ({ path, imports }) => {
    const shared = [
      "dashboard/build.ts",
      "local/atomic-file.ts",
      "src/accounts/service-secrets.ts",
      "src/domain/databases.ts",
    ];
    const allowed = (name: string) => name.startsWith("deploy/") || name.startsWith("node:") || shared.includes(name);
    expect(imports.filter((name) => !allowed(name))).toEqual(path === "deploy/config.ts" ? ["smol-toml"] : []);
  });

  it.each(testing)("$path knows nothing of the service, which it runs as a process", ({ imports }) => {
    const own = imports.filter((name) => /^(src|sdk|cli|local|test)\//.test(name));
    expect(own.filter((name) => name !== "sdk/src/index.ts")).toEqual([]);
  });

  it("no folder reaches itself through others", () => {
    const reach = (from: Folder): Folder[] => MAY_IMPORT[from].flatMap((next) => [next, ...reach(next)]);
    for (const folder of FOLDERS) expect(reach(folder)).not.toContain(folder);
  });
});

describe("the domain is pure", () => {
  const domain = source.filter(({ path }) => folderOf(path) === "domain");

  it.each(domain)("$path has no clock, no chance, no I/O", ({ code }) => {
    const impure =
      /\b(?:Date\.now|Math\.random|performance|crypto|fetch|setTimeout|setInterval|console|process)\b|new Date\(\)/g;
    expect(code.match(impure)).toBeNull();
  });

  it.each(domain)("$path uses no platform", ({ imports }) => {
    expect(imports.filter((name) => name.startsWith("node:") || name.startsWith("cloudflare:"))).toEqual([]);
  });
});

it("only one file knows time zones, and it does not ask two authorities", () => {
  const asks = (name: string) => source.filter(({ imports }) => imports.includes(name)).map(({ path }) => path);
  expect(asks("temporal-polyfill")).toEqual(["src/domain/time-zone.ts"]);
  expect(source.filter(({ code }) => /\bIntl\b|toLocale\w*String/.test(code)).map(({ path }) => path)).toEqual([]);
});

describe("types are not talked away", () => {
  it.each([...source, ...sdk])("in $path", ({ code }) => {
    expect(code.match(/\bas unknown as\b|@ts-(?:ignore|expect-error|nocheck)/g)).toBeNull();
    expect(code.match(/(?:[:<|&,]|\bas|=>)\s*any\b(?!\()|\bany\[\]/g)).toBeNull();
  });
});
