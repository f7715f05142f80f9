// `npm start`: the whole service on this machine, with everything embedded. Builds the Worker, migrates its database,
// serves it, rings its cron, and shows how to use it.
import { unlimited } from "./build.ts";
import { watchExhaustion } from "./exhaustion.ts";
import { readableLine } from "./log-lines.ts";
import { type Prepared, runMain } from "./main.ts";
import { prepare } from "./prepare.ts";
import { serveUntilStopped } from "./serve.ts";

await runMain(serve);

async function serve(prepared: Prepared): Promise<void> {
  const { settings, state, secrets, stop } = prepared;
  const { color, rawLogs: raw } = settings;
  const log = (line: string, at: number) => {
    const readable = readableLine(line, { at, color, raw });
    if (readable !== null) console.log(readable);
  };
  const note = (event: string, level: "info" | "warn" | "error", facts: object) =>
    log(JSON.stringify({ level, event, ...facts }), Date.now());

  const [build, { startServer }] = await Promise.all([prepare(state, settings.databases), import("./server.ts")]);
  stop.throwIfAborted();

  const exhaustion = watchExhaustion(() => {
    note("descriptors_exhausted", "warn", { restarts: "workerd" });
    server.renew();
  });
  const server = await startServer({
    host: settings.host,
    port: settings.port,
    targets: settings.targets,
    stateFolder: state.path,
    build: settings.rateLimits ? build : unlimited(build),
    bindings: { ...secrets, ...settings.vars },
    onLog(line, at) {
      exhaustion.hear(line);
      log(line, at);
    },
    onRuntime(pid) {
      exhaustion.reset();
      state.noteChild("workerd", pid);
    },
    onCrash: (reason) => note("runtime_restart", "warn", { reason }),
  });
  try {
    await serveUntilStopped(prepared, {
      url: server.url,
      ring: server.ring,
      onCronError: (error) => note("cron_failed", "error", { error: `${error}` }),
    });
  } finally {
    exhaustion.reset();
    await server.stop();
  }
}
