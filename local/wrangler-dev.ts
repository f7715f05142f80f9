// Workers under `wrangler dev` until we are asked to stop: the service, alone or with others beside it.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { isLoopback, originOf } from "./addresses.ts";
import { ringCron } from "./cron.ts";
import { readableLine } from "./log-lines.ts";
import type { Prepared } from "./main.ts";
import { printableLines } from "./printable.ts";
import { endAll } from "./processes.ts";
import { writeForWrangler } from "./secrets.ts";
import { serveUntilStopped } from "./serve.ts";
import { StartError } from "./settings.ts";
import { spawnWrangler } from "./wrangler.ts";

/** @param configs the configuration files of the Workers; the first one's is the service, and has the port */
export async function serveUnderWrangler(prepared: Prepared, configs: readonly string[]): Promise<void> {
  const { settings, state, secrets, stop } = prepared;
  const { color, rawLogs: raw, host, port } = settings;
  if (!isLoopback(host))
    throw new StartError(`wrangler dev is for development and serves this machine alone. Unset HOST, or use npm start`);
  const vars = Object.entries(settings.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const wrangler = spawnWrangler(state.path, [
    ...["dev", ...configs.flatMap((path) => ["--config", path])],
    ...["--ip", host, "--port", `${port}`, "--persist-to", state.path],
    ...["--env-file", writeForWrangler(state.path, secrets), "--show-interactive-dev-session=false", ...vars],
  ]);
  const group = wrangler.pid === undefined ? [] : [state.noteChild("wrangler", wrangler.pid)];
  for (const input of [wrangler.stdout, wrangler.stderr]) {
    if (input === null) continue;
    createInterface({ input }).on("line", (line) => {
      const own = stripVTControlCharacters(line).replace(/^\[[\w-]+\] /, ""); // which Worker wrote it
      const readable = readableLine(own, { at: Date.now(), color, raw });
      if (readable !== null) console.log(readable);
    });
  }
  const closed = once(wrangler, "close"); // not before its children, which write where it writes, have ended as well
  const ended = once(wrangler, "exit").then(() => {
    if (!stop.aborted) throw new StartError("wrangler dev has ended; its output above may say why");
  });

  const url = originOf(host, port);
  try {
    await serveUntilStopped(prepared, {
      url,
      ring: (at) => ringCron(url, at),
      onCronError: (error) => console.error(printableLines(`The cron could not be rung: ${error}`)),
      ended,
    });
  } finally {
    wrangler.kill("SIGTERM");
    await ended.catch(() => {});
    await endAll(group); // a wrangler that was killed has left its workerd behind
    await closed;
    state.forgetChild("wrangler");
  }
}
