// Applies snapshots to D1: the highest revision wins in whatever order they come. Answers which owners may be told that
// the read model holds what they sent, and which rows are gone.

import { and, eq, lt, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import type { JobRef } from "./jobs-store.ts";
import { executions, jobs } from "./schema.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** What an owner is told after its snapshot was applied. */
export type Receipt =
  | { readonly ref: JobRef; readonly kind: "confirmed"; readonly revision: number; readonly throughAttempt: number }
  | { readonly ref: JobRef; readonly kind: "missing" };

/** Applies a batch in one transaction, or each alone when that fails: one bad snapshot must not hold up its neighbours. */
export async function project(db: Database, snapshots: readonly Snapshot[]): Promise<Receipt[]> {
  const together = await attempt(db, snapshots);
  if (together.ok) return together.value;
  const alone = await Promise.all(snapshots.map((snapshot) => attempt(db, [snapshot])));
  return alone.flatMap((one) => (one.ok ? one.value : []));
}

/** A job whose row is gone gets no executions either: nobody would find or delete them. */
async function attempt(db: Database, snapshots: readonly Snapshot[]): Promise<Stored<Receipt[]>> {
  const rows = await stored(() => knownOf(db, snapshots).all());
  if (!rows.ok) return rows;
  const known = new Set(rows.value.map(({ accountId, id }) => key(accountId, id)));
  const isKnown = ({ accountId, jobId }: Snapshot) => known.has(key(accountId, jobId));
  const [first, ...rest] = snapshots
    .filter(isKnown)
    .flatMap((snapshot) => [...factsUpdate(db, snapshot), ...executionUpserts(db, snapshot)]);
  const applied = first ? await stored(() => db.batch([first, ...rest])).catch(() => unprojectable) : rows;
  if (!applied.ok) return applied;
  return ok(snapshots.flatMap((snapshot) => receipt(snapshot, isKnown(snapshot))));
}

/** A statement that D1 refuses for good: its owner sends the snapshot again, and the log of the owner tells of it. */
const unprojectable: Stored<never> = { ok: false, error: { code: "unavailable", retryAfterSeconds: 0 } };

const key = (accountId: string, jobId: string): string => `${accountId}/${jobId}`;

function receipt({ accountId, jobId, revision, executions, confirm }: Snapshot, found: boolean): Receipt[] {
  const ref = { accountId, jobId };
  if (!found) return [{ ref, kind: "missing" }];
  if (!confirm) return [];
  return [{ ref, kind: "confirmed", revision, throughAttempt: executions.at(-1)?.attempt ?? 0 }];
}

function knownOf(db: Database, snapshots: readonly Snapshot[]) {
  const named = snapshots.map(({ accountId, jobId }) => ({ accountId, jobId }));
  const wanted = sql`(SELECT value ->> 'accountId', value ->> 'jobId' FROM json_each(${JSON.stringify(named)}))`;
  return db
    .select({ accountId: jobs.accountId, id: jobs.id })
    .from(jobs)
    .where(sql`(${jobs.accountId}, ${jobs.id}) IN ${wanted}`);
}

function factsUpdate(db: Database, { accountId, jobId, revision, facts }: Snapshot) {
  if (facts === null) return [];
  const own = and(eq(jobs.accountId, accountId), eq(jobs.id, jobId), lt(jobs.revision, revision));
  return [
    db
      .update(jobs)
      .set({ ...facts, revision, sweeps: 0 })
      .where(own),
  ];
}

function executionUpserts(db: Database, { accountId, jobId, executions: list }: Snapshot) {
  return list.map((execution) => {
    const row = { ...execution, accountId, jobId };
    const { attempt, ...changing } = execution;
    return db
      .insert(executions)
      .values(row)
      .onConflictDoUpdate({
        target: [executions.accountId, executions.jobId, executions.attempt],
        set: changing,
        setWhere: lt(executions.revision, execution.revision),
      });
  });
}
