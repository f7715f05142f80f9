// How large a database is, and how long it takes to write.

import { sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { lookAhead } from "./schema.ts";
import { type Database, ONE_OF_SEVERAL_MS, type Stored, stored } from "./store.ts";

export interface Weight {
  readonly bytes: number;
  /** One row at most, written as it was: from the call to its answer. */
  readonly writeMs: number | null;
}

/** A database that answers and takes no write, because it is full for example, has no time of writing. */
export async function weigh(db: Database): Promise<Stored<Weight>> {
  const startedAt = performance.now();
  const written = await stored(() => db.run(sql`UPDATE ${lookAhead} SET id = id`), ONE_OF_SEVERAL_MS);
  if (!written.ok) {
    const read = await stored(() => db.run(sql`SELECT 1`), ONE_OF_SEVERAL_MS);
    return read.ok ? ok({ bytes: read.value.meta.size_after, writeMs: null }) : read;
  }
  return ok({ bytes: written.value.meta.size_after, writeMs: performance.now() - startedAt });
}
