// Which jobs of an account match a filter, for lists and bulk actions alike. However little matches, a look reads a bounded number
// of rows: it walks along the one index that the filter has, newest first, and says where it stopped.

import { and, desc, eq, gt, gte, inArray, isNull, lt, ne, type SQL, sql } from "drizzle-orm";
import type { JobFilter } from "../domain/bulk-action.ts";
import { lowestIdAt } from "../domain/ids.ts";
import type { JobStatus, JobView } from "../domain/job.ts";
import { ok } from "../domain/result.ts";
import { viewOfRow } from "./rows.ts";
import { jobs, UNUSUAL } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Where a page of a list begins. */
export type ListStart = { readonly offset: number } | { readonly after: string };

/** How many rows a count looks at, and a page beside its own: beyond, it costs more than it tells. */
export const MAX_COUNTED = 10_000;

export interface JobPage {
  readonly jobs: readonly JobView[];
  /** Exact up to `MAX_COUNTED`: how many match among as many rows from the newest on. */
  readonly total: number;
  /** The id behind which the next page goes on; null on the last one. */
  readonly next: string | null;
  /** The last row that was looked at, if the look ended there and not with the page or the list. */
  readonly stoppedAt: string | null;
}

/** One page of an account's jobs, newest first, from an offset or behind an id. */
export async function listJobs(
  db: Database,
  accountId: string,
  filter: JobFilter,
  from: ListStart,
  size: number,
): Promise<Stored<JobPage>> {
  const [after, offset] = "after" in from ? [from.after, 0] : [undefined, from.offset];
  const most = MAX_COUNTED + size; // a list in which every row matches fills even its last numbered page
  const walk = walkOf(accountId, filter, after);
  const page = db
    .select()
    .from(jobs)
    .where(and(eq(jobs.accountId, accountId), sql`${jobs.id} IN (${matching(walk, most, size + 1, offset)})`))
    .orderBy(desc(jobs.id));
  const counted = matching(walkOf(accountId, filter), MAX_COUNTED, MAX_COUNTED);
  const total = db.select({ total: sql<number>`count(*)` }).from(sql`(${counted})`);
  const answer = await stored(() => db.batch([page, total, stopOf(db, walk, most)]));
  if (!answer.ok) return answer;
  const [rows, [count], stop] = answer.value;
  const shown = rows.slice(0, size);
  const last = rows.length > size ? (shown.at(-1)?.id ?? null) : null;
  const stoppedAt = last === null ? idOf(stop) : null;
  return ok({ jobs: shown.map(viewOfRow), total: count?.total ?? 0, next: last ?? stoppedAt, stoppedAt });
}

/** Ids that match, newest first. */
export interface MatchingIds {
  readonly ids: readonly string[];
  /** The id behind which the rest lies, whether it matched or not; null when all has been looked at. */
  readonly next: string | null;
}

/**
 * The ids of jobs that match, up to `limit` of them. May find none and still have a `next`: 10,000 rows are read at most.
 *
 * @param after the id behind which to begin, as `next` gave it; null: with the newest
 */
export async function idsMatching(
  db: Database,
  accountId: string,
  filter: JobFilter,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<Stored<MatchingIds>> {
  const walk = walkOf(accountId, filter, after ?? undefined);
  const found = db.select({ id: sql<string>`id` }).from(sql`(${matching(walk, MAX_COUNTED, limit + 1)})`);
  const answer = await stored(() => db.batch([found, stopOf(db, walk, MAX_COUNTED)]));
  if (!answer.ok) return answer;
  const [rows, stop] = answer.value;
  const ids = rows.slice(0, limit).map(({ id }) => id);
  return ok({ ids, next: rows.length > limit ? (ids.at(-1) ?? null) : idOf(stop) });
}

/** A walk along an index, newest first, and what it looks for. */
interface Walk {
  /** The table by that index, and the range of it. */
  readonly range: SQL;
  readonly wanted: SQL | undefined;
}

/** The order of the walk is that of the index, so nothing is sorted, and what it skips is read no further than the limit. */
const matching = ({ range, wanted }: Walk, mostRows: number, limit: number, offset = 0): SQL =>
  sql`SELECT id FROM (SELECT id, ${wanted ?? sql`1`} AS wanted FROM ${range} ORDER BY id DESC LIMIT ${mostRows})
    WHERE wanted LIMIT ${limit} OFFSET ${offset}`;

/** The last row of a walk over so many, and the one behind it. */
const stopOf = (db: Database, { range }: Walk, mostRows: number) =>
  db
    .select({ id: sql<string>`id` })
    .from(sql`(SELECT id FROM ${range} ORDER BY id DESC LIMIT 2 OFFSET ${mostRows - 1})`);

/** Without a row behind it the last one was the end of the list. */
const idOf = ([last, behind]: readonly { id: string }[]): string | null => (last && behind ? last.id : null);

/**
 * Names the index, and keeps what it cannot answer out of its range. Left to itself SQLite walks the primary key, which is in
 * the order of the list as well, through all of the account's rows.
 */
function walkOf(accountId: string, filter: JobFilter, after?: string): Walk {
  const { idempotencyKey, scheduleId, status } = filter;
  const range = (index: SQL, ...conditions: (SQL | undefined)[]): SQL => {
    const all = and(eq(jobs.accountId, accountId), ...conditions, ...betweenIds(filter, after));
    return sql`${jobs} ${index} WHERE ${all}`;
  };
  if (idempotencyKey !== undefined)
    return {
      range: range(sql`INDEXED BY jobs_idempotency`, eq(jobs.idempotencyKey, idempotencyKey)),
      wanted: and(ofStatus(status), ofSchedule(scheduleId), ...ofRest(filter)),
    };
  if (typeof scheduleId === "string")
    return {
      range: range(sql`INDEXED BY jobs_schedule`, eq(jobs.scheduleId, scheduleId)),
      wanted: and(ofStatus(status), ...ofRest(filter)),
    };
  const [only, ...more] = new Set(status);
  if (only !== undefined && more.length === 0 && isUnusual(only))
    return {
      range: range(sql`INDEXED BY jobs_status`, eq(jobs.status, only), UNUSUAL),
      wanted: and(ofSchedule(scheduleId), ...ofRest(filter)),
    };
  return { range: range(sql``), wanted: and(ofStatus(status), ofSchedule(scheduleId), ...ofRest(filter)) };
}

/** One bound on each side: of two, SQLite takes one for the index and reads up to the other. */
function betweenIds({ createdAfter, createdBefore }: JobFilter, after: string | undefined): SQL[] {
  const below = [after, createdBefore === undefined ? undefined : lowestIdAt(createdBefore)]
    .filter((id) => id !== undefined)
    .sort()[0];
  return [
    ...(createdAfter === undefined ? [] : [gte(jobs.id, lowestIdAt(createdAfter + 1))]),
    ...(below === undefined ? [] : [lt(jobs.id, below)]),
  ];
}

const isUnusual = (status: JobStatus): boolean => status !== "pending" && status !== "completed";

const ofStatus = (status: readonly JobStatus[] = []): SQL | undefined =>
  status.length === 0 ? undefined : inArray(jobs.status, [...new Set(status)]);

function ofSchedule(scheduleId: string | null | undefined): SQL | undefined {
  if (scheduleId === undefined) return undefined;
  return scheduleId === null ? isNull(jobs.scheduleId) : eq(jobs.scheduleId, scheduleId);
}

/** What no index answers. */
function ofRest(filter: JobFilter) {
  const { handler, tags = [], flow, name, scheduledAfter, scheduledBefore, origin, errorCode, host } = filter;
  return [
    handler === undefined ? undefined : eq(jobs.handler, handler),
    name === undefined ? undefined : eq(jobs.name, name),
    flow === undefined ? undefined : eq(jobs.flow, flow),
    scheduledAfter === undefined ? undefined : gt(jobs.scheduledFor, scheduledAfter),
    scheduledBefore === undefined ? undefined : lt(jobs.scheduledFor, scheduledBefore),
    origin === undefined ? ne(jobs.origin, "event") : inArray(jobs.origin, [...new Set(origin)]),
    errorCode === undefined ? undefined : sql`${jobs.lastError} ->> 'code' = ${errorCode}`,
    host === undefined ? undefined : ofHost(host),
    ...tags.map((tag) => sql`EXISTS (SELECT 1 FROM json_each(${jobs.tags}) AS tag WHERE tag.value = ${tag})`),
  ];
}

/** A URL is stored as it was given, which is how the URL parser writes it but for case and the port that goes without saying. */
function ofHost(host: string): SQL {
  const url = sql`lower(replace(replace(${jobs.delivery} ->> 'url', ${"?"}, '/'), '#', '/') || '/')`;
  const starts = [`https://${host}/`, `http://${host}/`, `https://${host}:443/`, `http://${host}:80/`];
  // Not `substr() IN (…)`: SQLite would look into a table of its own for each row.
  const begins = starts.map((start) => sql`substr(${url}, 1, ${[...start].length}) = ${start}`);
  return sql`(${sql.join(begins, sql` OR `)})`;
}
