// Calls the project's own wrangler: offline, without prompts, and with its files inside the state folder.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PROJECT, StartError } from "./settings.ts";

/** What every wrangler command here is told about its configuration. */
export const CONFIG_FILE = join(PROJECT, "wrangler.toml");

/** Bundles the Worker and answers the path of its module. */
export async function buildWorker(stateFolder: string): Promise<string> {
  const folder = join(stateFolder, "bundle");
  rmSync(folder, { recursive: true, force: true }); // files of an older bundle would be loaded with this one
  await run(stateFolder, ["deploy", "--dry-run", "--outdir", folder]);
  return join(folder, "index.js");
}

/** Applies the migrations that the local database has not had yet. */
export async function migrate(stateFolder: string): Promise<void> {
  await run(stateFolder, ["d1", "migrations", "apply", "DB", "--local", "--persist-to", stateFolder]);
}

/** Starts a wrangler command with its output piped. */
export function spawnWrangler(stateFolder: string, args: string[]): ChildProcess {
  // The package's main module is the CLI itself. Its bin only starts that in one more process, which no signal reaches.
  const cli = fileURLToPath(import.meta.resolve("wrangler"));
  return spawn(process.execPath, ["--no-warnings", cli, ...args, "--config", CONFIG_FILE], {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C in the terminal reaches only us, and a migration is never cut in the middle.
    detached: true,
    env: {
      ...process.env,
      CI: "true",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true", // the banner asks the npm registry for a newer version
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_REGISTRY_PATH: join(stateFolder, "registry"),
      WRANGLER_LOG_PATH: join(stateFolder, "wrangler-logs"),
    },
  });
}

async function run(stateFolder: string, args: string[]): Promise<void> {
  const child = spawnWrangler(stateFolder, args);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new StartError(`wrangler ${args.join(" ")} failed:\n${output.trim()}`);
}
