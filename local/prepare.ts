// Prepares a state folder for serving: a clone builds the Worker, and the database is looked at and migrated meanwhile.
import { join } from "node:path";
import { buildDashboard } from "../dashboard/build.ts";
import { type Build, type Description, readBuild, withDatabases } from "./build.ts";
import { repair } from "./damage.ts";
import { removeEmptyObjects } from "./empty-objects.ts";
import { IS_PACKED, PACKED_WORKER } from "./packed.ts";
import type { StateFolder } from "./state-folder.ts";

/** @param databases how many there are at least */
export async function prepare(state: StateFolder, databases: number): Promise<Build> {
  if (IS_PACKED) {
    const { bundle, description: packed } = readBuild(PACKED_WORKER);
    const description = withDatabases(packed, databases);
    await migrateDatabase(state, description);
    return { bundle, description };
  }
  // If one fails, the other still has to end.
  const description = describe(state).then((known) => withDatabases(known, databases));
  const steps = [build(state), description.then((known) => migrateDatabase(state, known))] as const;
  await Promise.allSettled(steps);
  const [bundle] = await Promise.all(steps);
  return { bundle, description: await description };
}

/** Loading wrangler and Miniflare takes half a second: beside the build it costs nothing. */
export async function describe(state: StateFolder): Promise<Description> {
  const { describeService } = await import("./describe.ts");
  return describeService(state.path);
}

async function build(state: StateFolder): Promise<string> {
  const { buildWorker } = await import("./wrangler.ts");
  await buildDashboard();
  try {
    return await buildWorker(state.path, (pid) => state.noteChild("wrangler", pid));
  } finally {
    state.forgetChild("wrangler");
  }
}

export async function migrateDatabase(state: StateFolder, description: Description): Promise<void> {
  repair(state.path);
  removeEmptyObjects(join(state.path, "v3/do"));
  const { migrate } = await import("./migrations.ts");
  try {
    await migrate(state.path, description, (pid) => state.noteChild("workerd", pid));
  } finally {
    state.forgetChild("workerd");
  }
}
