// `npm run dev`: the service under `wrangler dev`, which rebuilds it at every change of its source. Same state, port and
// secrets as `npm start`; slower, and a reload loses the messages of a queue. The package has no source to reload: it starts.
import { buildDashboard } from "../dashboard/build.ts";
import { withDatabases } from "./build.ts";
import { type Prepared, runMain } from "./main.ts";
import { IS_PACKED } from "./packed.ts";
import { describe, migrateDatabase } from "./prepare.ts";

if (IS_PACKED) {
  console.log("This package has no source to reload: dev is start here. A clone of the repository reloads.");
  await import("./start.ts");
} else {
  await runMain(serve);
}

async function serve(prepared: Prepared): Promise<void> {
  const { settings, state, stop } = prepared;
  const description = describe(state).then((known) => withDatabases(known, settings.databases));
  await Promise.all([buildDashboard(), description.then((known) => migrateDatabase(state, known))]);
  stop.throwIfAborted();
  const [{ moreDatabases }, { configFor }, { serveUnderWrangler }] = await Promise.all([
    import("./describe.ts"),
    import("./wrangler.ts"),
    import("./wrangler-dev.ts"),
  ]);
  await serveUnderWrangler(prepared, [configFor(state.path, { more: moreDatabases(state.path, settings.databases) })]);
}
