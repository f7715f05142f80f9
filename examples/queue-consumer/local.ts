// Runs the consumer beside the service of this repository, both under one `wrangler dev`. The service gets a second
// configuration, made from its own, that binds the queue.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type DevAccount, devAccount, untilHealthy } from "../../local/account.ts";
import { banner } from "../../local/banner.ts";
import { everyMinute, ringCron } from "../../local/cron.ts";
import { descriptorLimit } from "../../local/descriptors.ts";
import { readableLine } from "../../local/log-lines.ts";
import { type Prepared, runMain } from "../../local/main.ts";
import { secretsFile } from "../../local/secrets.ts";
import { startServer } from "../../local/server.ts";
import { HOST, PROJECT, StartError } from "../../local/settings.ts";
import { buildWorker, CONFIG_FILE, migrate } from "../../local/wrangler.ts";

/** Another consumer of the same queue may be named instead. */
const consumerConfig = resolve(process.argv[2] ?? join(import.meta.dirname, "wrangler.toml"));

await runMain(serve);

async function serve(prepared: Prepared): Promise<void> {
  const { settings, state, secrets, stop } = prepared;
  const { api_key } = await firstAccount(prepared);
  // Where wrangler looks for the secrets of a Worker that runs beside another one.
  writeFileSync(join(dirname(consumerConfig), ".dev.vars"), `CHRONOS_API_KEY=${api_key}\n`, { mode: 0o600 });
  stop.throwIfAborted();

  const vars = Object.entries(settings.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const wrangler = spawn(
    process.execPath,
    [
      ...["--no-warnings", fileURLToPath(import.meta.resolve("wrangler")), "dev"],
      ...["-c", serviceConfig(state.path), "-c", consumerConfig],
      ...["--ip", HOST, "--port", `${settings.port}`, "--persist-to", state.path],
      ...["--env-file", secretsFile(state.path), "--show-interactive-dev-session=false", ...vars],
    ],
    {
      cwd: PROJECT,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // Ctrl-C in the terminal reaches only us.
      env: {
        ...process.env,
        CI: "true",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
        WRANGLER_REGISTRY_PATH: join(state.path, "registry"),
        WRANGLER_LOG_PATH: join(state.path, "wrangler-logs"),
      },
    },
  );
  if (wrangler.pid !== undefined) state.noteChild(wrangler.pid, "wrangler");
  for (const input of [wrangler.stdout, wrangler.stderr]) {
    createInterface({ input }).on("line", (line) => {
      const own = line.replace(/^\[[\w-]+\] /, ""); // which Worker wrote it
      const readable = readableLine(own, { at: Date.now(), color: settings.color, raw: settings.rawLogs });
      if (readable !== null) console.log(readable);
    });
  }
  const ended = once(wrangler, "close").then(() => {
    if (!stop.aborted) throw new StartError("wrangler dev has ended; its output above may say why");
  });

  const url = `http://${HOST}:${settings.port}`;
  const stopCron = everyMinute((at) => ringCron(url, at), console.error);
  try {
    await Promise.race([untilHealthy(url, stop), ended]);
    const account = await devAccount(state.path, url, secrets.ADMIN_TOKEN);
    console.log(
      banner({ account, stateFolder: state.path, descriptorLimit: descriptorLimit(), color: settings.color }),
    );
    if (!stop.aborted) await Promise.race([once(stop, "abort"), ended]);
  } finally {
    stopCron();
    wrangler.kill("SIGTERM");
    await ended.catch(() => {});
  }
}

/** The consumer is started with an API key, so there must be an account before: the service makes it, by itself. */
async function firstAccount({ settings, state, secrets, stop }: Prepared): Promise<DevAccount> {
  const [bundle] = await Promise.all([buildWorker(state.path), migrate(state.path)]);
  const server = await startServer({
    port: settings.port,
    stateFolder: state.path,
    bundle,
    bindings: { ...secrets, ...settings.vars },
    onLog: () => {},
    onRuntime: (pid) => state.noteChild(pid, "workerd"),
    onCrash: () => {},
  });
  try {
    await untilHealthy(server.url, stop);
    return await devAccount(state.path, server.url, secrets.ADMIN_TOKEN);
  } finally {
    await server.stop();
  }
}

/** The service's own configuration, its paths made absolute, with the queue bound to it. */
function serviceConfig(stateFolder: string): string {
  const absolute = (_: string, name: string, path: string) => `${name} = ${JSON.stringify(join(PROJECT, path))}`;
  const own = readFileSync(CONFIG_FILE, "utf8").replace(/^(main|migrations_dir) = "(.*)"$/gm, absolute);
  const path = join(stateFolder, "service.toml");
  writeFileSync(path, `${own}\n[[queues.producers]]\nbinding = "QUEUE_EMAILS"\nqueue = "emails"\n`);
  return path;
}
