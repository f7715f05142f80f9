// Calls the project's own wrangler: offline, without prompts, and with everything it reads and writes inside the state folder.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { writeAtomically } from "./atomic-file.ts";
import { PROJECT } from "./packed.ts";
import { StartError } from "./settings.ts";

export interface ConfigCopy {
  /** The configuration that is copied: the service's own, unless told otherwise. */
  of?: string;
  /** What the copy is called, in the folder of the tools. */
  name?: string;
  /** TOML to add. */
  more?: string;
}

/**
 * A copy of a configuration inside the state folder. Beside a configuration wrangler looks for `.env` and `.dev.vars` and
 * puts its temporary files: there must be none of yours, and the project's own folder may be read-only.
 * @returns its path
 */
export function configFor(
  stateFolder: string,
  { of = join(PROJECT, "wrangler.toml"), name = "service", more = "" }: ConfigCopy = {},
): string {
  const absolute = (_: string, key: string, path: string) => `${key} = ${JSON.stringify(resolve(dirname(of), path))}`;
  const copied = readFileSync(of, "utf8").replace(/^(main|migrations_dir) = "(.*)"$/gm, absolute);
  const folder = join(stateFolder, "tools", name);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "wrangler.toml");
  writeAtomically(path, copied + more);
  return path;
}

/**
 * Bundles the Worker.
 * @param onStart a process that must not outlive us
 * @returns the path of its module
 */
export async function buildWorker(stateFolder: string, onStart: (pid: number) => void): Promise<string> {
  const folder = join(stateFolder, "bundle");
  rmSync(folder, { recursive: true, force: true }); // files of an older bundle would be loaded with this one
  const child = spawnWrangler(stateFolder, ["deploy", "--dry-run", "--outdir", folder]);
  if (child.pid !== undefined) onStart(child.pid);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new StartError(`The Worker cannot be built:\n${plain(output)}`);
  return join(folder, "index.js");
}

/** Starts a wrangler command with its output piped, on our own configuration unless the arguments name others. */
export function spawnWrangler(stateFolder: string, args: readonly string[]): ChildProcess {
  const named = args.includes("--config") ? [] : ["--config", configFor(stateFolder)];
  // The package's main module is the CLI itself. Its bin only starts that in one more process, which no signal reaches.
  const cli = fileURLToPath(import.meta.resolve("wrangler"));
  return spawn(process.execPath, ["--no-warnings", cli, ...args, ...named], {
    cwd: join(stateFolder, "tools"),
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C in the terminal reaches only us, and wrangler's workerd can be found by it.
    detached: true,
    env: {
      ...process.env,
      CI: "true",
      NO_COLOR: "1",
      FORCE_COLOR: "0",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true", // the banner asks the npm registry for a newer version
      WRANGLER_WRITE_LOGS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_REGISTRY_PATH: join(stateFolder, "registry"),
    },
  });
}

/** What wrangler says of a failure besides the failure: where to report it, and that there is a newer one. */
const NOTICES = /^(If you think this is a bug|Note that there is a newer version|There is a newer version|🪵).*$/gm;

function plain(output: string): string {
  return stripVTControlCharacters(output).replace(NOTICES, "").trim();
}
