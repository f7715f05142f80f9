// `npm run build:package`: everything the published package runs, in build/. Our own programs are bundled, since Node refuses
// TypeScript under node_modules; the Worker is built by wrangler, so that whoever installs the package needs neither.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { buildDashboard } from "../../dashboard/build.ts";
import { descriptionFile } from "../build.ts";
import { describeService } from "../describe.ts";
import { dropForeignSettings } from "../environment.ts";
import { PROJECT } from "../packed.ts";
import { buildWorker } from "../wrangler.ts";
import { bundleTesting } from "./testing.ts";

const OUT = join(PROJECT, "build");

/** Programs that run as processes of their own. */
const PROGRAMS = { main: "cli/main.ts", start: "local/start.ts", keeper: "local/keeper.ts" };

/** Modules that workerd loads from their files. */
const MODULES = ["local/cron.worker.js", "local/outbound.worker.js", "local/rate-limits.worker.js"];

dropForeignSettings(process.env);
rmSync(OUT, { recursive: true, force: true });
mkdirSync(join(OUT, "worker"), { recursive: true });
await buildDashboard(); // the Worker imports it
await Promise.all([bundlePrograms(), bundleTesting(OUT), packWorker()]);
for (const path of MODULES) copyFileSync(join(PROJECT, path), join(OUT, basename(path)));

async function bundlePrograms(): Promise<void> {
  await build({
    absWorkingDir: PROJECT,
    entryPoints: PROGRAMS,
    outdir: OUT,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    // miniflare is installed beside the package. The others are not: only a clone comes to the code that loads them.
    external: ["miniflare", "wrangler", "vite", "marked"],
    // Libraries in the older form ask for Node's modules by `require`.
    banner: {
      js: 'import { createRequire as __require } from "node:module"; const require = __require(import.meta.url);',
    },
    chunkNames: "part-[hash]",
    legalComments: "none",
    logLevel: "warning",
  });
}

/** wrangler works inside a state folder; this one is gone afterwards. */
async function packWorker(): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "chronos-package-"));
  const end = () => rmSync(state, { recursive: true, force: true });
  process.once("exit", end);
  const bundle = await buildWorker(state, () => {});
  const folder = dirname(bundle);
  const carried = readdirSync(folder).filter((name) => name === basename(bundle) || name.endsWith(".gz"));
  for (const name of carried) copyFileSync(join(folder, name), join(OUT, "worker", name));
  const description = JSON.stringify(describeService(state), null, 1);
  writeFileSync(descriptionFile(join(OUT, "worker/index.js")), `${description}\n`);
}
