// Runs the consumer beside the service of this repository, both under one `wrangler dev`. The service gets a second
// configuration, made from its own, that binds the queue.

import { join, resolve } from "node:path";
import { type DevAccount, devAccount, untilHealthy } from "../../local/account.ts";
import { writeAtomically } from "../../local/atomic-file.ts";
import { moreDatabases } from "../../local/describe.ts";
import { type Prepared, runMain } from "../../local/main.ts";
import { prepare } from "../../local/prepare.ts";
import { configFor } from "../../local/wrangler.ts";
import { serveUnderWrangler } from "../../local/wrangler-dev.ts";

/** Another consumer of the same queue may be named instead. */
const consumerConfig = resolve(process.argv[2] ?? join(import.meta.dirname, "wrangler.toml"));

const QUEUE = `
[[queues.producers]]
binding = "QUEUE_EMAILS"
queue = "emails"
`;

await runMain(serve);

async function serve(prepared: Prepared): Promise<void> {
  const { state, stop } = prepared;
  const { api_key } = await firstAccount(prepared);
  const service = configFor(state.path, {
    name: "service-and-queue",
    more: QUEUE + moreDatabases(state.path, prepared.settings.databases),
  });
  const consumer = configFor(state.path, { name: "consumer", of: consumerConfig });
  // Where wrangler looks for the secrets of a Worker that runs beside another one.
  writeAtomically(join(consumer, "../.dev.vars"), `CHRONOS_API_KEY=${api_key}\n`);
  stop.throwIfAborted();
  await serveUnderWrangler(prepared, [service, consumer]);
}

/** The consumer is started with an API key, so there must be an account before: the service makes it, by itself. */
async function firstAccount({ settings, state, secrets, stop }: Prepared): Promise<DevAccount> {
  const build = await prepare(state, settings.databases);
  const { startServer } = await import("../../local/server.ts");
  const server = await startServer({
    host: settings.host,
    port: settings.port,
    targets: settings.targets,
    stateFolder: state.path,
    build,
    bindings: { ...secrets, ...settings.vars },
    onLog: () => {},
    onRuntime: (pid) => state.noteChild("workerd", pid),
    onCrash: () => {},
  });
  try {
    await untilHealthy(server.url, stop);
    return await devAccount(state.path, server.url, secrets.ADMIN_TOKEN);
  } finally {
    await server.stop();
    state.forgetChild("workerd");
  }
}
