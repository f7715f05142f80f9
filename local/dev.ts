// `npm run dev`: the service under `wrangler dev`, which rebuilds it at every change of its source. Same state, port and
// secrets as `npm start`; slower, and what is in a queue is lost at a reload.
import { buildDashboard } from "../dashboard/build.ts";
import { type Prepared, runMain } from "./main.ts";
import { migrateDatabase } from "./prepare.ts";
import { configFor } from "./wrangler.ts";
import { serveUnderWrangler } from "./wrangler-dev.ts";

await runMain(serve);

async function serve(prepared: Prepared): Promise<void> {
  const { state, stop } = prepared;
  await Promise.all([buildDashboard(), migrateDatabase(state)]);
  stop.throwIfAborted();
  await serveUnderWrangler(prepared, [configFor(state.path)]);
}
