// `npm run dev`: the service under `wrangler dev`, which rebuilds it at every change of its source. Same state, port and
// secrets as `npm start`; slower, and what is in a queue is lost at a reload.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { devAccount, untilHealthy } from "./account.ts";
import { banner } from "./banner.ts";
import { everyMinute, ringCron } from "./cron.ts";
import { descriptorLimit } from "./descriptors.ts";
import { readableLine } from "./log-lines.ts";
import { type Prepared, runMain } from "./main.ts";
import { printableLines } from "./printable.ts";
import { secretsFile } from "./secrets.ts";
import { HOST, StartError } from "./settings.ts";
import { migrate, spawnWrangler } from "./wrangler.ts";

await runMain(serve);

async function serve({ settings, state, secrets, stop }: Prepared): Promise<void> {
  const { color, rawLogs: raw, port } = settings;
  await migrate(state.path);
  stop.throwIfAborted();

  const vars = Object.entries(settings.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const wrangler = spawnWrangler(state.path, [
    ...["dev", "--ip", HOST, "--port", `${port}`, "--persist-to", state.path],
    ...["--env-file", secretsFile(state.path), "--show-interactive-dev-session=false", ...vars],
  ]);
  if (wrangler.pid !== undefined) state.noteChild(wrangler.pid, "wrangler");
  for (const input of [wrangler.stdout, wrangler.stderr]) {
    if (input === null) continue;
    createInterface({ input }).on("line", (line) => {
      const readable = readableLine(line, { at: Date.now(), color, raw });
      if (readable !== null) console.log(readable);
    });
  }
  const ended = once(wrangler, "close").then(() => {
    if (!stop.aborted) throw new StartError("wrangler dev has ended; its output above may say why");
  });

  const url = `http://${HOST}:${port}`;
  let stopCron = () => {};
  try {
    await Promise.race([untilHealthy(url, stop), ended]);
    stopCron = everyMinute(
      (at) => ringCron(url, at),
      (error) => console.error(printableLines(`The cron could not be rung: ${error}`)),
    );
    const account = await devAccount(state.path, url, secrets.ADMIN_TOKEN);
    console.log(banner({ account, stateFolder: state.path, descriptorLimit: descriptorLimit(), color }));
    if (!stop.aborted) await Promise.race([once(stop, "abort"), ended]);
  } finally {
    stopCron();
    wrangler.kill("SIGTERM");
    await ended.catch(() => {});
  }
}
