// Workers of our own beside the service: each is one file, in the same folder as this one.
import { join } from "node:path";

/** Options of a Worker that is this file. A module is named by its path below the root, whatever folder we are started in. */
export const ownModule = (name: string) => ({
  modulesRoot: import.meta.dirname,
  modules: [{ type: "ESModule" as const, path: join(import.meta.dirname, name) }],
});
