// Rows of the read model put there by hand: many at once, of any age and status, that no owner knows.

import { env } from "cloudflare:workers";
import type { JobStatus } from "../../../src/domain/job.ts";
import { newJobId } from "../../../src/objects/new-id.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import type { NewJobRow } from "../../../src/store/rows.ts";
import { jobs } from "../../../src/store/schema.ts";
import type { Account } from "./account.ts";
import { NOON } from "./clock.ts";
import { TARGET } from "./receiver.ts";

const ENDED: readonly JobStatus[] = ["completed", "failed", "cancelled"];

/** What a test says of a row: `createdAt` is in its id. */
export type RowValues = Partial<NewJobRow> & { readonly createdAt?: number };

export function rowOf(account: Account, given: RowValues = {}): NewJobRow {
  const { createdAt = NOON, ...values } = given;
  const { status = "pending" } = values;
  const ended = ENDED.includes(status);
  return {
    accountId: account.id,
    id: newJobId(createdAt),
    name: "a row",
    origin: "api",
    delivery: { type: "push", url: TARGET, method: "POST", headers: {} },
    timeoutSeconds: 30,
    maxRetries: 3,
    scheduledFor: createdAt,
    updatedAt: createdAt,
    status,
    runAt: ended ? null : createdAt,
    completedAt: ended ? createdAt : null,
    revision: 1,
    reportDueAt: ended ? null : createdAt,
    ...values,
  };
}

/** @returns their ids, in the order given */
export async function insertRows(account: Account, rows: readonly RowValues[]): Promise<string[]> {
  const db = directoryOf(env);
  const all = rows.map((row) => rowOf(account, row));
  const inserts = all.map((row) => db.insert(jobs).values(row));
  const [first, ...rest] = inserts;
  if (first) await db.batch([first, ...rest]);
  return all.map(({ id }) => id);
}

/** So many copies of one row, their ids counted up from 0. */
export async function insertMany(account: Account, count: number, values: RowValues = {}): Promise<void> {
  const [id] = await insertRows(account, [values]);
  const columns = (await env.DB.prepare("SELECT name FROM pragma_table_info('jobs')").all<{ name: string }>()).results
    .map(({ name }) => name)
    .filter((name) => name !== "id");
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 2)
     INSERT INTO jobs (id, ${columns.join(", ")})
     SELECT printf('00000000-0000-4000-8000-%012x', i), ${columns.map((name) => `jobs.${name}`).join(", ")}
     FROM n, jobs WHERE jobs.account_id = ?1 AND jobs.id = ?3`,
  )
    .bind(account.id, count, id)
    .run();
}
