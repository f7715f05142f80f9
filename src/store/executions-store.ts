// What is asked of the executions table: attempts of one job that have no place in its row.

import { and, asc, between, eq } from "drizzle-orm";
import type { Execution } from "../domain/job.ts";
import type { JobRef } from "./jobs-store.ts";
import { executions } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Those numbered `first` to `last`, oldest first. */
export function readExecutions(
  db: Database,
  { accountId, jobId }: JobRef,
  first: number,
  last: number,
): Promise<Stored<Execution[]>> {
  return stored(() =>
    db
      .select()
      .from(executions)
      .where(
        and(eq(executions.accountId, accountId), eq(executions.jobId, jobId), between(executions.attempt, first, last)),
      )
      .orderBy(asc(executions.attempt))
      .all(),
  );
}

/** One execution by its id; a job has few. */
export function readExecution(
  db: Database,
  { accountId, jobId }: JobRef,
  executionId: string,
): Promise<Stored<Execution | undefined>> {
  return stored(() =>
    db
      .select()
      .from(executions)
      .where(and(eq(executions.accountId, accountId), eq(executions.jobId, jobId), eq(executions.id, executionId)))
      .get(),
  );
}
