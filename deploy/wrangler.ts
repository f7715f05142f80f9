// Calls the project's own wrangler against your account: no prompts, nothing of our secrets in its environment, and
// never longer than said.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { DeployError } from "./deploy-error.ts";
import { errorIn } from "./wrangler-words.ts";

export interface Wrangler {
  /** @throws {WranglerError} when it fails */
  run(args: readonly string[], more?: Record<string, string>): Promise<string>;
  /** The JSON that a command prints. */
  json<T>(args: readonly string[]): Promise<T>;
  /** Ends what runs. */
  stop(): void;
}

/** A command that failed, in wrangler's own words without their decoration. */
export class WranglerError extends DeployError {}

export interface WranglerOptions {
  /** Where `.env` is looked for, and relative paths begin. */
  project: string;
  accountId: string | null;
  timeoutMs: number;
}

export function openWrangler({ project, accountId, timeoutMs }: WranglerOptions): Wrangler {
  const running = new Set<ChildProcess>();
  const run = async (args: readonly string[], more: Record<string, string> = {}): Promise<string> => {
    // The package's main module is the CLI itself. Its bin only starts that in one more process, which no signal reaches.
    const cli = fileURLToPath(import.meta.resolve("wrangler"));
    const child = spawn(process.execPath, ["--no-warnings", cli, ...args], {
      cwd: project,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own: what it starts is ended with it
      env: {
        ...environmentOf(process.env),
        ...(accountId === null ? {} : { CLOUDFLARE_ACCOUNT_ID: accountId }),
        ...more,
      },
    });
    running.add(child);
    let printed = "";
    let complaints = "";
    child.stdout?.on("data", (chunk) => (printed += chunk));
    child.stderr?.on("data", (chunk) => (complaints += chunk));
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      end(child);
    }, timeoutMs);
    const [code] = await once(child, "close");
    clearTimeout(limit);
    running.delete(child);
    if (timedOut)
      throw new WranglerError(`wrangler ${args.slice(0, 2).join(" ")} was not done after ${timeoutMs / 1_000} s.`);
    if (code !== 0) throw new WranglerError(errorIn(`${printed}\n${complaints}`));
    return stripVTControlCharacters(printed);
  };
  return {
    run,
    async json(args) {
      const printed = await run(args);
      try {
        return JSON.parse(printed.slice(printed.search(/^[[{]/m)));
      } catch {
        throw new WranglerError(`wrangler ${args.slice(0, 2).join(" ")} answered something else than JSON.`);
      }
    },
    stop: () => running.forEach(end),
  };
}

function end(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended in this moment.
  }
}

/** Ours is not wrangler's business: a log or a crash report of it must not hold a secret. */
export function environmentOf(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { MASTER_KEY: _, MASTER_KEY_PREVIOUS: __, ADMIN_TOKEN: ___, CHRONOS_API_KEY: ____, ...rest } = own;
  return {
    ...rest,
    NO_COLOR: "1",
    FORCE_COLOR: "0",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true", // the banner asks the npm registry for a newer version
    WRANGLER_WRITE_LOGS: "false",
  };
}
