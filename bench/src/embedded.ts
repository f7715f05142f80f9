// Serves another Worker than the service's in exactly the service's embedding: the same wrangler, the same workerd, the
// same bindings and options. Only the code differs.  embedded.ts <state folder> <port> <entry>

import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describeService } from "../../local/describe.ts";
import { migrate } from "../../local/migrations.ts";
import { startServer } from "../../local/server.ts";
import { spawnWrangler } from "../../local/wrangler.ts";

const [stateFolder = "", port = "", entry = ""] = process.argv.slice(2);

const outdir = join(stateFolder, "bundle");
rmSync(outdir, { recursive: true, force: true });
const build = spawnWrangler(stateFolder, ["deploy", entry, "--dry-run", "--outdir", outdir]);
for (const stream of [build.stdout, build.stderr]) stream?.on("data", (chunk) => process.stdout.write(chunk));
const [code] = await once(build, "close");
if (code !== 0) throw new Error(`wrangler could not build ${entry}`);
const description = describeService(stateFolder);
await migrate(stateFolder, description, () => {});

const server = await startServer({
  host: "127.0.0.1",
  port: Number(port),
  targets: "any",
  stateFolder,
  build: { bundle: join(outdir, "worker.js"), description },
  bindings: {
    ALLOW_LOCAL_TARGETS: "true",
    MASTER_KEY: "a key of the benchmark, for the benchmark only",
    ADMIN_TOKEN: "adm_bench_that_is_as_long_as_an_operator_makes_it",
  },
  onLog: () => {},
  onRuntime: () => {},
  onCrash: (reason) => console.error(`workerd ended: ${reason}`),
});
const end = async () => {
  await server.stop();
  process.exit(0);
};
process.on("SIGTERM", end);
process.on("SIGINT", () => {}); // the benchmark says when
process.on("disconnect", end);
process.send?.("ready");
