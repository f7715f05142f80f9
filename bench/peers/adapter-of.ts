// Finds the adapter of a peer by its name, and loads only that one: each brings its own client library.

import type { Adapter } from "./peer.ts";

export async function adapterOf(name: string): Promise<Adapter> {
  switch (name) {
    case "bullmq":
      return (await import("./adapters/bullmq.ts")).bullmq;
    case "pg-boss":
      return (await import("./adapters/pg-boss.ts")).pgBoss;
    case "graphile":
      return (await import("./adapters/graphile.ts")).graphile;
    default:
      throw new Error(`no peer ${name}`);
  }
}
