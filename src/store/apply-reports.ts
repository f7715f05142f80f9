// Applies owners' reports to D1: the highest revision wins in whatever order they come. A batch is one transaction of a few
// statements, however many reports are in it.

import { and, eq, getTableColumns, lt, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Receipt } from "../domain/reporting.ts";
import { ok } from "../domain/result.ts";
import { log } from "../log.ts";
import { excluded, givenValue, inValues, isAmong, jsonRows, setEach } from "./json-rows.ts";
import type { Asked, JobFacts, JobReport, Report, ScheduleReport } from "./report.ts";
import { scheduleRowOf } from "./schedules-store.ts";
import { executions, jobs, schedules, webhooks } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { askedFor, isNotAskedFor, noteHealth } from "./webhook-reports.ts";

/**
 * Applies a batch in one transaction. A statement that D1 refuses for good must not hold up the neighbours of the report it was
 * made for: then each is applied alone.
 *
 * @returns what became of each, in their order
 */
export async function applyReports(db: Database, reports: readonly Report[]): Promise<readonly Receipt[]> {
  const together = await apply(db, reports);
  if (together !== "refused") return together;
  const [first] = reports;
  if (first && reports.length === 1) return [refused(first)];
  const alone: Receipt[] = [];
  for (const report of reports) alone.push(...(await applyReports(db, [report])));
  return alone;
}

function refused({ kind, accountId, id, revision }: Report): Receipt {
  log("error", "report_refused", { account_id: accountId, [`${kind}_id`]: id, revision });
  return "refused";
}

async function apply(db: Database, reports: readonly Report[]): Promise<readonly Receipt[] | "refused"> {
  const known = await knownAfter(db, reports).catch(() => "refused" as const);
  if (known === "refused") return known;
  if (!known.ok) return reports.map(() => "unavailable");
  const { rows, wanted } = known.value;
  const isAskedFor = (report: Report) => report.announces.some((type) => wanted.has(`${type} ${report.accountId}`));
  const heldBack = new Set(newestOf(reports).filter(isAskedFor).map(keyOf));
  return reports.map((report) => {
    if (!rows.has(keyOf(report))) return "missing";
    if (!heldBack.has(keyOf(report))) return "stored";
    return isAskedFor(report) ? "announce" : "unavailable"; // the newest was in its place, and was not written
  });
}

interface Known {
  /** The rows there are, of those the reports are about. */
  readonly rows: ReadonlySet<string>;
  /** The events somebody asks for, each with its account. */
  readonly wanted: ReadonlySet<string>;
}

/** @returns what there is, read in the same transaction */
async function knownAfter(db: Database, reports: readonly Report[]): Promise<Stored<Known>> {
  const ofJobs = reports.filter((report) => report.kind === "job");
  const ofSchedules = reports.filter((report) => report.kind === "schedule");
  const announcing = reports.filter(({ announces }) => announces.length > 0);
  const writes: BatchItem<"sqlite">[] = [
    ...noteHealth(db, ofJobs),
    ...updateJobs(db, newestOf(ofJobs)),
    ...inValues(ofJobs.flatMap(executionsApart)).map((rows) => upsertExecutions(db, rows)),
    ...newestOf(ofSchedules).map((report) => updateSchedule(db, report)),
  ];
  const answer = await stored(() =>
    announcing.length === 0
      ? db.batch([knownJobs(db, ofJobs), knownSchedules(db, ofSchedules), ...writes])
      : db.batch([knownJobs(db, ofJobs), knownSchedules(db, ofSchedules), askedFor(db, announcing), ...writes]),
  );
  if (!answer.ok) return answer;
  const [jobRows, scheduleRows, third] = answer.value;
  const asked = announcing.length === 0 ? [] : (third as Awaited<ReturnType<typeof askedFor>>);
  const rows = new Set([
    ...jobRows.map((row) => keyOf({ kind: "job", ...row })),
    ...scheduleRows.map((row) => keyOf({ kind: "schedule", ...row })),
  ]);
  const wanted = new Set(asked.flatMap(({ accountId, events }) => events.map((type) => `${type} ${accountId}`)));
  return ok({ rows, wanted });
}

const keyOf = ({ kind, accountId, id }: Pick<Report, "kind" | "accountId" | "id">): string =>
  `${kind} ${accountId}/${id}`;

/** Of several reports on one job the newest counts: an update would take any of those that match. */
function newestOf<R extends Report>(reports: readonly R[]): R[] {
  const newest = new Map<string, R>();
  for (const report of reports)
    if ((newest.get(keyOf(report))?.revision ?? -1) < report.revision) newest.set(keyOf(report), report);
  return [...newest.values()];
}

const { accountId, id, revision } = jobs;
const FACTS = {
  status: jobs.status,
  reportDueAt: jobs.reportDueAt,
  runAt: jobs.runAt,
  expiresAt: jobs.expiresAt,
  trigger: jobs.trigger,
  operation: jobs.operation,
  attempt: jobs.attempt,
  started: jobs.started,
  tries: jobs.tries,
  interruptions: jobs.interruptions,
  lastError: jobs.lastError,
  result: jobs.result,
  updatedAt: jobs.updatedAt,
  completedAt: jobs.completedAt,
  executionId: jobs.executionId,
  executionTrigger: jobs.executionTrigger,
  executionStatus: jobs.executionStatus,
  workerId: jobs.workerId,
  dueAt: jobs.dueAt,
  startedAt: jobs.startedAt,
  settledAt: jobs.settledAt,
  response: jobs.response,
  progress: jobs.progress,
  revision,
} satisfies Record<keyof JobFacts | "revision", SQLiteColumn>;
const ASKED = {
  name: jobs.name,
  handler: jobs.handler,
  payload: jobs.payload,
  delivery: jobs.delivery,
  timeoutSeconds: jobs.timeoutSeconds,
  maxRetries: jobs.maxRetries,
  backoff: jobs.backoff,
  expiresAfterMs: jobs.expiresAfterMs,
  tags: jobs.tags,
  flow: jobs.flow,
  callbacks: jobs.callbacks,
  idempotencyKey: jobs.idempotencyKey,
  traceparent: jobs.traceparent,
  scheduledFor: jobs.scheduledFor,
} satisfies Record<keyof Asked, SQLiteColumn>;
const EXECUTIONS = getTableColumns(executions);

/** What was asked for is written only where somebody has changed it. */
function updateJobs(db: Database, reports: readonly JobReport[]) {
  const rows = reports.map(({ facts, asked, announces, ...report }) => ({
    ...facts,
    ...asked,
    ...report,
    events: typesIn(announces),
    isEdited: asked !== null,
  }));
  const edited = rows.filter(({ isEdited }) => isEdited);
  const others = rows.filter(({ isEdited }) => !isEdited);
  return [
    ...(others.length > 0 ? [updateColumns(db, FACTS, others)] : []),
    ...inValues(edited).map((some) => updateColumns(db, { ...FACTS, ...ASKED }, some)),
  ];
}

/** Account and id both come from the JSON: with a literal account SQLite scans all of its rows for each entry. */
function updateColumns(db: Database, columns: typeof FACTS, rows: readonly object[]) {
  const { events } = webhooks;
  const matches = [
    eq(accountId, givenValue(accountId)),
    eq(id, givenValue(id)),
    lt(revision, givenValue(revision)),
    isNotAskedFor(givenValue(accountId), givenValue(events)),
  ];
  return db
    .update(jobs)
    .set({ ...setEach(columns, givenValue), sweeps: 0 })
    .from(jsonRows({ accountId, id, events, ...columns }, rows))
    .where(and(...matches));
}

const executionsApart = ({ accountId, id, apart, announces }: JobReport) =>
  apart.map((execution) => ({ ...execution, accountId, jobId: id, events: typesIn(announces) }));

const typesIn = (announces: JobReport["announces"]) => (announces.length > 0 ? announces : null);

/**
 * A job whose row is gone gets no executions either: nobody would find or delete them. An execution that has ended replaces an
 * open one of any revision (`isAsNew` in domain/job.ts): an owner that was made from a row does not know the revision.
 */
function upsertExecutions(db: Database, rows: readonly ReturnType<typeof executionsApart>[number][]) {
  const { accountId: ofAccount, jobId: ofJob, attempt, ...changing } = EXECUTIONS;
  const { completedAt } = changing;
  const { events } = webhooks;
  const fields = sql.join(Object.values(EXECUTIONS).map(givenValue), sql`, `);
  const isWritten = isNotAskedFor(givenValue(ofAccount), givenValue(events));
  return db
    .insert(executions)
    .select(
      sql`SELECT ${fields} FROM ${jsonRows({ ...EXECUTIONS, events }, rows)} CROSS JOIN ${jobs}
          WHERE ${and(eq(accountId, givenValue(ofAccount)), eq(id, givenValue(ofJob)), isWritten)}`,
    )
    .onConflictDoUpdate({
      target: [ofAccount, ofJob, attempt],
      set: setEach(changing, excluded),
      setWhere: sql`CASE WHEN (${completedAt} IS NULL) = (${excluded(completedAt)} IS NULL)
        THEN ${changing.revision} < ${excluded(changing.revision)} ELSE ${completedAt} IS NULL END`,
    });
}

function updateSchedule(db: Database, { schedule, announces }: ScheduleReport) {
  const { accountId, id, revision, ...reported } = scheduleRowOf(schedule);
  return db
    .update(schedules)
    .set({ ...reported, revision })
    .where(
      and(
        eq(schedules.accountId, accountId),
        eq(schedules.id, id),
        lt(schedules.revision, revision),
        isNotAskedFor(sql`${accountId}`, announces.length > 0 ? sql`${JSON.stringify(announces)}` : sql`NULL`),
      ),
    );
}

const knownJobs = (db: Database, reports: readonly JobReport[]) =>
  db.select({ accountId, id }).from(jobs).where(isAmong(jobs, reports));

const knownSchedules = (db: Database, reports: readonly ScheduleReport[]) =>
  db.select({ accountId: schedules.accountId, id: schedules.id }).from(schedules).where(isAmong(schedules, reports));
