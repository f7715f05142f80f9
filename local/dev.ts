// `npm run dev`: the service under `wrangler dev`, which rebuilds it at every change of its source. Same state, port and
// secrets as `npm start`; slower, and a reload loses the messages of a queue. The package has no source to reload: it starts.
import { buildDashboard } from "../dashboard/build.ts";
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
  const { state, stop } = prepared;
  await Promise.all([buildDashboard(), describe(state).then((known) => migrateDatabase(state, known))]);
  stop.throwIfAborted();
  const [{ configFor }, { serveUnderWrangler }] = await Promise.all([
    import("./wrangler.ts"),
    import("./wrangler-dev.ts"),
  ]);
  await serveUnderWrangler(prepared, [configFor(state.path)]);
}
