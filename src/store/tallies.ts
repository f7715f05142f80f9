// Counts on their way into the overview. What is counted in memory is stamped with its epoch on the rows that are written anyway;
// adding the counts and ending the epoch are one transaction, so an epoch is added once, or is left to the recount.

import { and, eq, getTableColumns, isNull, ne, type SQL, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import {
  type Counts,
  type FailureGroup,
  LATENESS_BOUNDS_MS,
  MAX_GROUPS,
  minuteOf,
  OTHER,
  slotOf,
  type Tally,
  TOTAL,
} from "../domain/tally.ts";
import { isAlone } from "./databases.ts";
import { excluded, givenValue, inValues, jsonRows, setEach } from "./json-rows.ts";
import { IS_LEAVING, isServedHere, mayCount } from "./move-stages.ts";
import type { JobReport } from "./report.ts";
import { accountMoves, accounts, failures, jobs, overview, tallyEpochs } from "./schema.ts";
import { hasExpired } from "./settled.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { isOpen } from "./tally-epochs.ts";
import { isNotAskedFor } from "./webhook-reports.ts";

const COUNTS = getTableColumns(overview);
const FAILURES = getTableColumns(failures);

/** The columns of the histogram, by its bounds. */
export const LATE_COLUMNS = LATENESS_BOUNDS_MS.map((bound) => overview[`late${bound}`]);

/**
 * Adds the counts of an epoch and ends it, or does nothing if that has been done or the epoch was claimed.
 *
 * @returns false while an account leaves this database: its counts are being copied, and none are added meanwhile
 */
export async function flushTally(db: Database, epoch: number, tally: Tally): Promise<Stored<boolean>> {
  const mayAdd = and(isOpen(epoch), mayCount(db)) ?? isOpen(epoch);
  const isOfEpoch = and(eq(tallyEpochs.id, epoch), isNull(tallyEpochs.claimedAt));
  const end = db.delete(tallyEpochs).where(and(isOfEpoch, mayCount(db)));
  const held = isAlone(db) ? [] : [leavingNow(db)];
  const [first, ...more] = [...addOwnTally(db, tally, mayAdd), end, ...held];
  const answer = await stored(() => db.batch([first ?? end, ...more]));
  if (!answer.ok) return answer;
  return ok(held.length === 0 || (answer.value.at(-1) as unknown[]).length === 0);
}

const leavingNow = (db: Database) => db.select({ held: sql<number>`1` }).from(accountMoves).where(IS_LEAVING).limit(1);

/** @param onlyIf holds or not for all of it */
export const addTally = (db: Database, tally: Tally, onlyIf: SQL) => [
  ...inValues(tally.counts.map(rowOfCounts)).map((rows) => addCounts(db, rows, onlyIf)),
  ...inValues(tally.failures).map((rows) => addFailures(db, rows, onlyIf)),
];

/** The same for what was counted here: an account that lives elsewhere has taken it along, since its move has counted it as well. */
export const addOwnTally = (db: Database, tally: Tally, onlyIf: SQL) =>
  addTally(db, tally, and(onlyIf, isServedHere(db, sql.raw("given.value ->> 'account_id'"))) ?? onlyIf);

const rowOfCounts = ({ late, ...counts }: Counts) => ({
  ...counts,
  ...Object.fromEntries(LATENESS_BOUNDS_MS.map((bound, i) => [`late${bound}`, late[i] ?? 0])),
});

const isThere = (accountId: SQL): SQL => sql`EXISTS (SELECT 1 FROM ${accounts} WHERE ${accounts.id} = ${accountId})`;

function addCounts(db: Database, rows: readonly object[], onlyIf: SQL) {
  const fields = sql.join(Object.values(COUNTS).map(givenValue), sql`, `);
  return db
    .insert(overview)
    .select(
      sql`SELECT ${fields} FROM ${jsonRows(COUNTS, rows)} WHERE ${onlyIf} AND ${isThere(givenValue(COUNTS.accountId))}`,
    )
    .onConflictDoUpdate({ target: [COUNTS.accountId, COUNTS.minute], set: added() });
}

/** What an upsert adds to a row of the overview that is there. */
function added() {
  const { accountId: _, minute: __, lateMax, ...sums } = COUNTS;
  return {
    ...setEach(sums, (column) => sql`${column} + ${excluded(column)}`),
    lateMax: sql`max(${lateMax}, ${excluded(lateMax)})`,
  };
}

const KEY = [FAILURES.accountId, FAILURES.slot, FAILURES.errorCode, FAILURES.handler, FAILURES.host];

function addFailures(db: Database, rows: readonly FailureGroup[], onlyIf: SQL) {
  const fields = sql.join(
    Object.values(FAILURES).map((column) => sql`${givenValue(column)} AS ${sql.identifier(column.name)}`),
    sql`, `,
  );
  return upsertFailures(
    db,
    sql`SELECT ${fields} FROM ${jsonRows(FAILURES, rows)} WHERE ${onlyIf} AND ${isThere(givenValue(FAILURES.accountId))}`,
  );
}

/** A new group beyond the limit is counted with the others. The statement sees the groups as they were before it. */
function upsertFailures(db: Database, groups: SQL) {
  const isKnown = sql`EXISTS (SELECT 1 FROM ${failures} WHERE ${and(...KEY.map((column) => eq(column, ofGroup(column))))})`;
  const place = [FAILURES.accountId, FAILURES.slot];
  const known = sql`(SELECT count(*) FROM ${failures} WHERE ${and(
    ...place.map((column) => eq(column, ofGroup(column))),
    ne(FAILURES.errorCode, OTHER),
  )})`;
  const isNth = sql`row_number() OVER (PARTITION BY ${sql.join([...place.map(ofGroup), isKnown], sql`, `)})`;
  const own = sql`grouped.error_code = ${OTHER} OR ${isKnown} OR ${known} + ${isNth} <= ${MAX_GROUPS}`;
  const either = (column: SQL, otherwise: string) => sql`CASE WHEN is_own THEN ${column} ELSE ${otherwise} END`;
  return db
    .insert(failures)
    .select(
      sql`SELECT account_id, slot, ${either(sql`error_code`, OTHER)}, ${either(sql`handler`, "")}, ${either(sql`host`, "")},
            count, last_at, job_id
          FROM (SELECT grouped.*, ${own} AS is_own FROM (${groups}) AS grouped) WHERE true`,
    )
    .onConflictDoUpdate({
      target: KEY,
      set: {
        count: sql`${FAILURES.count} + ${excluded(FAILURES.count)}`,
        jobId: sql`CASE WHEN ${excluded(FAILURES.lastAt)} >= ${FAILURES.lastAt} THEN ${excluded(FAILURES.jobId)} ELSE ${FAILURES.jobId} END`,
        lastAt: sql`max(${FAILURES.lastAt}, ${excluded(FAILURES.lastAt)})`,
      },
    });
}

const ofGroup = (column: { readonly name: string }): SQL => sql`grouped.${sql.identifier(column.name)}`;

/**
 * Jobs that failed with `expired`: counted in the transaction of their report, since no execution carries a stamp for them. They
 * are few, and the row tells whether this end is known.
 */
export function countExpired(db: Database, reports: readonly JobReport[], onlyIf: SQL) {
  const expired = reports.filter(hasExpired).map(({ accountId, id, revision, facts, announces }) => {
    const events = announces.length > 0 ? announces : null;
    const completedAt = facts.completedAt ?? 0;
    return { accountId, id, revision, events, completedAt, minute: minuteOf(completedAt), slot: slotOf(completedAt) };
  });
  const isWritten = isNotAskedFor(sql`given.value ->> 'accountId'`, sql`given.value ->> 'events'`);
  return inValues(expired).flatMap((some) => {
    const given = (rows: readonly object[]) => sql`json_each(${JSON.stringify(rows)}) AS given CROSS JOIN ${jobs}
      WHERE ${jobs.accountId} = given.value ->> 'accountId' AND ${jobs.id} = given.value ->> 'id'
        AND ${jobs.revision} < given.value ->> 'revision' AND ${jobs.completedAt} IS NOT given.value ->> 'completedAt'
        AND ${jobs.origin} <> 'event' AND ${isWritten} AND ${onlyIf}`;
    const counts = some.flatMap((one) => [one, { ...one, minute: TOTAL }]);
    const zeros = sql.join(
      Object.values(COUNTS)
        .map((column) => (column === COUNTS.failed ? sql`count(*)` : sql`0`))
        .slice(2),
      sql`, `,
    );
    const totals = db
      .insert(overview)
      .select(sql`SELECT ${jobs.accountId}, given.value ->> 'minute', ${zeros} FROM ${given(counts)} GROUP BY 1, 2`)
      .onConflictDoUpdate({ target: [COUNTS.accountId, COUNTS.minute], set: added() });
    const groups = sql`SELECT ${jobs.accountId} AS account_id, given.value ->> 'slot' AS slot, 'expired' AS error_code,
        coalesce(${jobs.handler}, '') AS handler, '' AS host, count(*) AS count, max(given.value ->> 'completedAt') AS last_at,
        ${jobs.id} AS job_id FROM ${given(some)} GROUP BY 1, 2, 4`;
    return [totals, upsertFailures(db, groups)];
  });
}
