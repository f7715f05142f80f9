// Builds the dashboard into one file, `dist/dashboard.js.gz`: an ES module with its CSS inside, which the Worker carries as
// it is. Called by whatever builds the Worker; when nothing has changed since the last build, it costs a few milliseconds.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { buildGuides, writeWhole } from "../docs/build.ts";

const HERE = import.meta.dirname;
const DIST = join(HERE, "dist");

/** The built file. */
export const DASHBOARD_ASSET = join(DIST, "dashboard.js.gz");
/** A digest of what that was made from. */
const STAMP = join(DIST, "made-from");

/** Besides the dashboard's own sources: what it shares with the SDK, and the versions of what it is built with. */
const SOURCES = [join(HERE, "src"), join(HERE, "..", "sdk", "src")];
const SINGLE_FILES = [join(HERE, "build.ts"), join(HERE, "package.json")];

/** The browsers it is written for: they know nesting, `light-dark()`, container queries and popovers. */
const BROWSERS = ["chrome130", "firefox130", "safari18"];

/** Brings `dist/dashboard.js.gz` up to date, and the guides, which the Worker carries as well. */
export async function buildDashboard(): Promise<void> {
  await buildGuides();
  const digest = digestOfSources();
  if (existsSync(DASHBOARD_ASSET) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest) return;
  const script = gzipSync(await bundle(), { level: 9 });
  mkdirSync(DIST, { recursive: true });
  writeWhole(DASHBOARD_ASSET, script);
  writeWhole(STAMP, digest);
}

async function bundle(): Promise<string> {
  const { build } = await import("vite");
  const built = await build({
    root: HERE,
    configFile: false,
    envDir: false,
    logLevel: "warn",
    publicDir: false,
    // The same script whatever NODE_ENV says, which vitest sets.
    oxc: { jsx: { runtime: "automatic", importSource: "preact", development: false } },
    build: {
      target: BROWSERS,
      cssTarget: BROWSERS,
      write: false,
      modulePreload: false,
      rolldownOptions: { input: join(HERE, "src", "main.tsx"), output: { format: "es", codeSplitting: false } },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ("output" in one ? one.output : []));
  const [script, ...others] = outputs;
  if (script?.type !== "chunk" || others.length > 0)
    throw new Error(`The dashboard has to be one script, and is ${outputs.map(({ fileName }) => fileName).join(", ")}`);
  return script.code;
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const path of [...SINGLE_FILES, ...SOURCES.flatMap(filesIn)]) {
    hash.update(`${relative(HERE, path)}\0`);
    hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

if (import.meta.main) await buildDashboard();
