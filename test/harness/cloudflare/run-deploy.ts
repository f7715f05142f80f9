// `npm run deploy` as a process of its own, against the stand-in.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PROJECT } from "../../../local/settings.ts";
import type { StandIn } from "./stand-in.ts";
import { ACCOUNT } from "./state.ts";

export interface Ended {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly output: string;
}

export interface Run {
  readonly args?: readonly string[];
  readonly env?: Record<string, string | undefined>;
  /** The repository that is deployed: a copy of ours, or ours. */
  readonly project?: string;
  onStart?(child: ChildProcess): void;
}

/** Variables that a run inherits: nothing that could sign in. */
const PASSED_ON = ["PATH", "TMPDIR", "LANG"];

export async function runDeploy(standIn: StandIn, home: string, run: Run = {}): Promise<Ended> {
  const { args = [], env = {}, project = PROJECT, onStart } = run;
  const passed = Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
  const preload = pathToFileURL(join(import.meta.dirname, "reach.mjs")).href;
  const environment: Record<string, string | undefined> = {
    ...passed,
    HOME: home,
    TZ: "Europe/Berlin",
    NODE_OPTIONS: `--import ${preload}`,
    STAND_IN: standIn.url,
    CLOUDFLARE_API_BASE_URL: standIn.apiUrl,
    CLOUDFLARE_API_TOKEN: "a-token",
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    CHRONOS_TIMEOUT_SECONDS: "60",
    ...env,
  };
  const child = spawn(process.execPath, ["--no-warnings", join(project, "deploy/main.ts"), ...args], {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
    env: environment as NodeJS.ProcessEnv,
  });
  onStart?.(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  return { code, output };
}
