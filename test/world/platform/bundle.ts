// The Worker as one script, made of `src/` as it is, or as a fault has changed it. `cloudflare:workers` is left to the isolate.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../../..");

/** Names that a script of the Worker finds in its isolate and not in Node. */
export const GLOBALS = [
  "Date",
  "Math",
  "performance",
  "crypto",
  "fetch",
  "console",
  "scheduler",
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "queueMicrotask",
  "AbortSignal",
  "process",
  "setImmediate",
  "navigator",
] as const;

export type Globals = Record<(typeof GLOBALS)[number], unknown>;

type Script = (
  require: (name: string) => unknown,
  module: { exports: Record<string, unknown> },
  exports: object,
  ...globals: unknown[]
) => void;

/** A script that may be run many times: each run has module state of its own. */
export interface Bundle {
  readonly name: string;
  readonly script: Script;
}

/** A piece of a source file that is to be another one. */
export interface Change {
  /** From the root of the repository. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * @param entry another Worker than the service's
 * @throws when a change does not fit its file: the source has moved on, and the change has to follow
 */
export async function bundle(
  name: string,
  changes: readonly Change[] = [],
  entry = join(ROOT, "src/index.ts"),
): Promise<Bundle> {
  const byFile = Map.groupBy(changes, ({ file }) => join(ROOT, file));
  const unused = new Set(byFile.keys());
  const built = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "cjs",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers"],
    loader: { ".gz": "binary" },
    legalComments: "none",
    plugins: [
      {
        name: "changes",
        setup({ onLoad }) {
          // The reference's script is data of 218 KB that nobody here looks at.
          onLoad({ filter: /\.gz$/ }, () => ({ contents: new Uint8Array([0x1f, 0x8b]), loader: "binary" }));
          onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
            const wanted = byFile.get(path);
            if (!wanted) return undefined;
            unused.delete(path);
            return { contents: changed(readFileSync(path, "utf8"), wanted), loader: "ts" };
          });
        },
      },
    ],
  });
  if (unused.size > 0) throw new Error(`${name}: not part of the Worker: ${[...unused].join(", ")}`);
  const [file] = built.outputFiles;
  if (!file) throw new Error("nothing was built");
  const parameters = ["require", "module", "exports", ...GLOBALS];
  return { name, script: compileFunction(file.text, parameters, { filename: `${name}.js` }) as Script };
}

function changed(source: string, changes: readonly Change[]): string {
  let text = source;
  for (const { file, from, to } of changes) {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`${file} holds this ${parts.length - 1} times, not once:\n${from}`);
    text = parts.join(to);
  }
  return text;
}
