// `chronos-edge/testing` of the package: for ES modules and for CommonJS, with types. It runs on the Node of the user's tests.
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { PROJECT } from "../packed.ts";

const ENTRY = "testing/testing.ts";

/** @param out the folder beside `bin`, where the launcher is */
export async function bundleTesting(out: string): Promise<void> {
  const shared: BuildOptions = {
    absWorkingDir: PROJECT,
    entryPoints: [ENTRY],
    outdir: out,
    bundle: true,
    platform: "node",
    target: "node20",
    legalComments: "none",
    logLevel: "warning",
  };
  const ofCommonJs: BuildOptions = {
    banner: { js: 'const __url = require("node:url").pathToFileURL(__filename).href;' },
    define: { "import.meta.url": "__url" },
  };
  await Promise.all([
    build({ ...shared, format: "esm" }),
    build({ ...shared, ...ofCommonJs, format: "cjs", outExtension: { ".js": ".cjs" } }),
  ]);
  declareTypes(out);
  // A program of plain JavaScript.
  copyFileSync(join(PROJECT, "testing/guard.js"), join(out, "guard.js"));
}

/** Of the entry alone, unresolved: it imports types from the SDK, which the user has. */
function declareTypes(out: string): void {
  const alone = ["--ignoreConfig", "--noResolve", "--noCheck", "--skipLibCheck", "--target", "es2022", "--types", "*"];
  const declarations = ["--declaration", "--emitDeclarationOnly", "--outDir", out];
  const tsc = join(PROJECT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, ...alone, ...declarations, join(PROJECT, ENTRY)], { stdio: "inherit" });
  copyFileSync(join(out, "testing.d.ts"), join(out, "testing.d.cts"));
}
