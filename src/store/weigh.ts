// How large a database is, and how long it takes to write.

import { sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { lookAhead } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

export interface Weight {
  readonly bytes: number;
  /** One row, written as it was: from the call to its answer. */
  readonly writeMs: number;
}

export async function weigh(db: Database): Promise<Stored<Weight>> {
  const startedAt = performance.now();
  const written = await stored(() => db.run(sql`UPDATE ${lookAhead} SET id = id`));
  if (!written.ok) return written;
  return ok({ bytes: written.value.meta.size_after, writeMs: performance.now() - startedAt });
}
