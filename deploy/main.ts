// `npm run deploy`: the service on Cloudflare, made or upgraded. Exits with 0 when it serves, else with 1.
import { resolve } from "node:path";
import { askAtTerminal } from "./ask.ts";
import { DeployError, Stopped } from "./deploy-error.ts";
import { deploy } from "./deployment.ts";
import { HELP, readOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { openWrangler, type Wrangler } from "./wrangler.ts";

const project = resolve(import.meta.dirname, "..");
const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
const progress = new Progress({ write: (text) => process.stdout.write(text), isTerminal });
const opened: Wrangler[] = [];

try {
  const options = readOptions(process.argv.slice(2), process.env, isTerminal);
  if (options === null) {
    console.log(HELP);
    process.exit(0);
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      for (const wrangler of opened) wrangler.stop();
      progress.failed(new Stopped());
      process.exit(130);
    });
  const open = (accountId: string | null) => {
    const wrangler = openWrangler({ project, accountId, timeoutMs: options.timeoutMs });
    opened.push(wrangler);
    return wrangler;
  };
  await deploy({ project, env: process.env, options, progress, ask: askAtTerminal, open });
} catch (error) {
  for (const wrangler of opened) wrangler.stop();
  if (progress.hasBegun) progress.failed(error instanceof DeployError ? error : asUnexpected(error));
  else console.error(error instanceof DeployError ? error.message : error);
  process.exit(1);
}

/** A bug of ours, or a network that failed: the words of the error, and where it happened. */
function asUnexpected(error: unknown): Error {
  return error instanceof Error
    ? new Error(error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message)
    : new Error(`${error}`);
}
