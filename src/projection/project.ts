// Applies snapshots to D1: the highest revision wins in whatever order they come. Answers which owners may be told that
// the read model holds what they sent, and which rows are gone. A batch is three statements, however many jobs are in it.

import { and, eq, getTableColumns, lt, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { ok } from "../domain/result.ts";
import type { JobRef } from "./jobs-store.ts";
import { executions, jobs } from "./schema.ts";
import type { JobFacts, Snapshot } from "./snapshot.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { arriving, isAmong, mapped, tellingOf, toldOf } from "./telling.ts";

/** What an owner is told after its snapshot was applied. */
export type Receipt =
  | { readonly ref: JobRef; readonly kind: "confirmed"; readonly revision: number; readonly throughAttempt: number }
  | { readonly ref: JobRef; readonly kind: "missing" };

/** A value D1 takes may have 2 MB; a snapshot has at most 100 KB. */
const MAX_BATCH_BYTES = 1_000_000;

/** Applies a batch in one transaction, or each alone when that fails: one bad snapshot must not hold up its neighbours. */
export async function project(db: Database, snapshots: readonly Snapshot[]): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for (const portion of portionsOf(snapshots)) {
    const together = await attempt(db, portion);
    const each = together.ok ? [together] : await Promise.all(portion.map((snapshot) => attempt(db, [snapshot])));
    receipts.push(...each.flatMap((one) => (one.ok ? one.value : [])));
  }
  return receipts;
}

/** A job whose row is gone gets no executions either: nobody would find or delete them. */
async function attempt(db: Database, snapshots: readonly Snapshot[]): Promise<Stored<Receipt[]>> {
  const statements = [factsUpdate(db, snapshots), executionUpserts(db, snapshots), knownOf(db, snapshots)] as const;
  const applied = await stored(() => db.batch(statements)).catch(() => unprojectable);
  if (!applied.ok) return applied;
  const known = new Set(applied.value[2].map(({ accountId, id }) => key(accountId, id)));
  return ok(snapshots.flatMap((snapshot) => receipt(snapshot, known.has(keyOf(snapshot)))));
}

/** A statement that D1 refuses for good: its owner sends the snapshot again, and the log of the owner tells of it. */
const unprojectable: Stored<never> = { ok: false, error: { code: "unavailable", retryAfterSeconds: 0 } };

const key = (accountId: string, jobId: string): string => `${accountId}/${jobId}`;
const keyOf = ({ accountId, jobId }: Snapshot): string => key(accountId, jobId);

function receipt({ accountId, jobId, revision, executions, confirm }: Snapshot, found: boolean): Receipt[] {
  const ref = { accountId, jobId };
  if (!found) return [{ ref, kind: "missing" }];
  if (!confirm) return [];
  return [{ ref, kind: "confirmed", revision, throughAttempt: executions.at(-1)?.attempt ?? 0 }];
}

function portionsOf(snapshots: readonly Snapshot[]): Snapshot[][] {
  const portions: Snapshot[][] = [];
  let room = 0;
  for (const snapshot of snapshots) {
    const bytes = new TextEncoder().encode(JSON.stringify(snapshot)).byteLength;
    if (bytes > room) {
      portions.push([]);
      room = MAX_BATCH_BYTES;
    }
    room -= bytes;
    portions.at(-1)?.push(snapshot);
  }
  return portions;
}

const { accountId, id, revision } = jobs;
const FACTS = {
  status: jobs.status,
  runAt: jobs.runAt,
  attempt: jobs.attempt,
  started: jobs.started,
  tries: jobs.tries,
  interruptions: jobs.interruptions,
  lastError: jobs.lastError,
  result: jobs.result,
  updatedAt: jobs.updatedAt,
  completedAt: jobs.completedAt,
  attentionAt: jobs.attentionAt,
  revision,
} satisfies Record<keyof JobFacts | "revision", SQLiteColumn>;
const EXECUTIONS = getTableColumns(executions);

/** Of several reports on one job the newest counts: an update would take any of those that match. */
function factsUpdate(db: Database, snapshots: readonly Snapshot[]) {
  const newest = new Map<string, Snapshot>();
  for (const snapshot of snapshots.filter(({ facts }) => facts !== null))
    if ((newest.get(keyOf(snapshot))?.revision ?? 0) < snapshot.revision) newest.set(keyOf(snapshot), snapshot);
  const rows = [...newest.values()].map((one) => ({ ...one.facts, ...one, id: one.jobId }));
  const matches = [eq(accountId, toldOf(accountId)), eq(id, toldOf(id)), lt(revision, toldOf(revision))];
  return db
    .update(jobs)
    .set({ ...mapped(FACTS, toldOf), sweeps: 0 })
    .from(tellingOf({ accountId, id, ...FACTS }, rows))
    .where(and(...matches));
}

function executionUpserts(db: Database, snapshots: readonly Snapshot[]) {
  const rows = snapshots.flatMap(({ accountId, jobId, executions }) =>
    executions.map((execution) => ({ ...execution, accountId, jobId })),
  );
  const { accountId: ofAccount, jobId: ofJob, attempt, ...changing } = EXECUTIONS;
  const fields = sql.join(Object.values(EXECUTIONS).map(toldOf), sql`, `);
  return db
    .insert(executions)
    .select(
      sql`SELECT ${fields} FROM ${tellingOf(EXECUTIONS, rows)} CROSS JOIN ${jobs}
          WHERE ${and(eq(accountId, toldOf(ofAccount)), eq(id, toldOf(ofJob)))}`,
    )
    .onConflictDoUpdate({
      target: [ofAccount, ofJob, attempt],
      set: mapped(changing, arriving),
      setWhere: lt(changing.revision, arriving(changing.revision)),
    });
}

function knownOf(db: Database, snapshots: readonly Snapshot[]) {
  const named = snapshots.map(({ accountId, jobId }) => ({ accountId, id: jobId }));
  return db.select({ accountId, id }).from(jobs).where(isAmong(jobs, named));
}
