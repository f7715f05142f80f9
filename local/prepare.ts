// What comes before serving: the Worker is built while its database is looked at and migrated.
import { join } from "node:path";
import { buildDashboard } from "../dashboard/build.ts";
import { repair } from "./damage.ts";
import { removeEmptyObjects } from "./empty-objects.ts";
import type { StateFolder } from "./state-folder.ts";
import { buildWorker } from "./wrangler.ts";

/** @returns the path of the built Worker */
export async function prepare(state: StateFolder): Promise<string> {
  // If one fails, the other still has to end.
  const steps = [build(state), migrateDatabase(state)] as const;
  await Promise.allSettled(steps);
  const [bundle] = await Promise.all(steps);
  return bundle;
}

async function build(state: StateFolder): Promise<string> {
  await buildDashboard();
  try {
    return await buildWorker(state.path, (pid) => state.noteChild("wrangler", pid));
  } finally {
    state.forgetChild("wrangler");
  }
}

export async function migrateDatabase(state: StateFolder): Promise<void> {
  repair(state.path);
  removeEmptyObjects(join(state.path, "v3/do"));
  // Loading wrangler and Miniflare takes half a second: beside the build it costs nothing.
  const { migrate } = await import("./migrations.ts");
  try {
    await migrate(state.path, (pid) => state.noteChild("workerd", pid));
  } finally {
    state.forgetChild("workerd");
  }
}
