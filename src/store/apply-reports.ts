// Applies owners' reports to D1: the highest revision wins in whatever order they come. A batch is one transaction of a few
// statements, however many reports are in it.

import { and, eq, getTableColumns, lt, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Execution } from "../domain/job.ts";
import type { Applied, Receipt } from "../domain/reporting.ts";
import { ok } from "../domain/result.ts";
import { log } from "../log.ts";
import { type Counting, type Epoch, type FailingJob, failingJobs, hasFailed, newsIn, stampFor } from "./counting.ts";
import { isAlone } from "./databases.ts";
import { excluded, givenValue, inValues, isAmong, jsonRows, setEach } from "./json-rows.ts";
import { mayWrite, movingAmong } from "./move-stages.ts";
import type { Asked, JobFacts, JobReport, Report, ScheduleReport } from "./report.ts";
import { scheduleRowOf } from "./schedules-store.ts";
import { executions, jobs, schedules, webhooks } from "./schema.ts";
import { settledIn } from "./settled.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { countExpired } from "./tallies.ts";
import { claimOthers, isOpen, openEpoch, openNow } from "./tally-epochs.ts";
import { askedFor, isNotAskedFor, noteHealth } from "./webhook-reports.ts";

/**
 * Applies a batch in one transaction. A statement that D1 refuses for good must not hold up the neighbours of the report it was
 * made for: then each is applied alone.
 *
 * @returns what became of each, in their order
 */
export async function applyReports(
  db: Database,
  reports: readonly Report[],
  counting: Counting,
): Promise<readonly Applied[]> {
  if (reports.length === 0) return [];
  const together = await apply(db, reports, counting);
  if (together.includes("moving")) return applyOthers(db, reports, counting);
  if (together !== "refused") return together;
  const [first] = reports;
  if (first && reports.length === 1) return [refused(first)];
  const alone: Applied[] = [];
  for (const report of reports) alone.push(...(await applyReports(db, [report], counting)));
  return alone;
}

/** Nothing was applied, since an account of the batch moves: the others' reports are applied without it. */
async function applyOthers(db: Database, reports: readonly Report[], counting: Counting): Promise<readonly Applied[]> {
  const found = await movingAmong(db, accountsOf(reports));
  if (!found.ok) return reports.map(() => "unavailable");
  const moving = new Set(found.value);
  const others = reports.filter(({ accountId }) => !moving.has(accountId));
  const applied = others.length > 0 && moving.size > 0 ? await applyReports(db, others, counting) : [];
  const outcomes = new Map(others.map((report, i) => [report, applied[i] ?? "moving"]));
  return reports.map((report) => outcomes.get(report) ?? "moving");
}

function refused({ kind, accountId, id, revision }: Report): Receipt {
  log("error", "report_refused", { account_id: accountId, [`${kind}_id`]: id, revision });
  return "refused";
}

async function apply(
  db: Database,
  reports: readonly Report[],
  counting: Counting,
): Promise<readonly Applied[] | "refused"> {
  const known = await knownAfter(db, reports, counting).catch(() => "refused" as const);
  if (known === "refused") return known;
  if (known === "claimed") return counting.claimed() ? apply(db, reports, counting) : reports.map(() => "unavailable");
  if (!known.ok) return reports.map(() => (known.error.isMoving ? "moving" : "unavailable"));
  const { rows, heldBack, isAskedFor } = known.value;
  return reports.map((report) => {
    if (!rows.has(keyOf(report))) return "missing";
    if (!heldBack.has(keyOf(report))) return "stored";
    return isAskedFor(report) ? "announce" : "unavailable"; // the newest was in its place, and was not written
  });
}

const accountsOf = (reports: readonly Report[]): string[] => [...new Set(reports.map(({ accountId }) => accountId))];

interface Known {
  /** The rows there are, of those the reports are about. */
  readonly rows: ReadonlySet<string>;
  /** Those that nothing was written of, since somebody asks for what they announce. */
  readonly heldBack: ReadonlySet<string>;
  readonly isAskedFor: (report: Report) => boolean;
}

/** @returns what there is, read in the same transaction; "claimed" if nothing was applied */
async function knownAfter(
  db: Database,
  reports: readonly Report[],
  counting: Counting,
): Promise<Stored<Known> | "claimed"> {
  const ofJobs = reports.filter((report) => report.kind === "job");
  const newestOfJobs = newestOf(ofJobs);
  const ofSchedules = reports.filter((report) => report.kind === "schedule");
  const announcing = newestOf(reports).filter(({ announces }) => announces.length > 0);
  const isStamped = ofJobs.some((report) => settledIn(report).length > 0);
  const epoch = isStamped ? counting.epoch : null;
  const onlyIf = epoch ? isOpen(epoch.id) : sql`true`;
  const failing = epoch ? newestOfJobs.filter(hasFailed) : [];
  // A statement about nothing is not sent: most batches are of jobs that went well, and none of schedules.
  const [hasJobs, hasSchedules, hasFailing] = [ofJobs.length > 0, ofSchedules.length > 0, failing.length > 0];
  const statements: BatchItem<"sqlite">[] = [
    ...(hasJobs ? [knownJobs(db, ofJobs)] : []),
    ...(hasSchedules ? [knownSchedules(db, ofSchedules)] : []),
    ...(hasFailing ? [failingJobs(db, failing)] : []),
    ...(epoch && !epoch.isKnown ? [openEpoch(db, epoch.id, epoch.openedAt)] : []),
    ...(epoch?.claimsOthers ? [claimOthers(db, epoch.id, epoch.openedAt)] : []),
    ...noteHealth(db, ofJobs),
    ...countExpired(db, newestOfJobs, onlyIf),
    // Before the jobs: a superseded execution takes its stamp with it from the row that is about to be overwritten.
    ...inValues(executionsApart(ofJobs, newestOfJobs, epoch)).map((rows) => upsertExecutions(db, rows, onlyIf)),
    ...updateJobs(db, newestOfJobs, epoch, onlyIf),
    ...newestOf(ofSchedules).map((report) => updateSchedule(db, report)),
    // Behind them: it has to see the webhooks as they do.
    ...(announcing.length > 0 ? [askedFor(db, announcing)] : []),
    ...(epoch ? [openNow(db, epoch.id)] : []),
  ];
  const guard = isAlone(db) ? [] : [mayWrite(db, accountsOf(reports))];
  const [first, ...more] = [...guard, ...statements] as [BatchItem<"sqlite">, ...BatchItem<"sqlite">[]];
  let sent = 0;
  const answer = await stored(() => {
    sent += 1;
    return db.batch([first, ...more]);
  });
  const isCertain = sent === 1 && (answer.ok || answer.error.isMoving === true);
  if (epoch && !isCertain) counting.uncertain();
  if (!answer.ok) return answer;
  const answers: unknown[] = answer.value.slice(guard.length);
  const jobRows = (hasJobs ? answers.shift() : []) as Awaited<ReturnType<typeof knownJobs>>;
  const scheduleRows = (hasSchedules ? answers.shift() : []) as Awaited<ReturnType<typeof knownSchedules>>;
  const failingRows = (hasFailing ? answers.shift() : []) as FailingJob[];
  if (epoch && (answers.at(-1) as unknown[]).length === 0) return "claimed";
  const asked = announcing.length > 0 ? (answers.at(epoch ? -2 : -1) as Awaited<ReturnType<typeof askedFor>>) : [];
  const wanted = new Set(asked.flatMap(({ accountId, events }) => events.map((type) => `${type} ${accountId}`)));
  const isAskedFor = (report: Report) => report.announces.some((type) => wanted.has(`${type} ${report.accountId}`));
  const heldBack = new Set(announcing.filter(isAskedFor).map(keyOf));
  const written = newestOfJobs.filter((report) => !heldBack.has(keyOf(report)));
  if (epoch && isCertain) counting.applied(newsIn(written, jobRows, failingRows));
  const rows = [
    ...jobRows.map((row) => keyOf({ kind: "job", ...row })),
    ...scheduleRows.map((row) => keyOf({ kind: "schedule", ...row })),
  ];
  return ok({ rows: new Set(rows), heldBack, isAskedFor });
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
function updateJobs(db: Database, reports: readonly JobReport[], epoch: Epoch | null, onlyIf: SQL) {
  const rows = reports.map((given) => {
    const { facts, asked, announces, ...report } = given;
    const stamps = { tally: stampFor(given, facts.attempt, epoch), events: typesIn(announces) };
    return { ...facts, ...asked, ...report, ...stamps, isEdited: asked !== null };
  });
  const edited = rows.filter(({ isEdited }) => isEdited);
  const others = rows.filter(({ isEdited }) => !isEdited);
  return [
    ...(others.length > 0 ? [updateColumns(db, FACTS, others, onlyIf)] : []),
    ...inValues(edited).map((some) => updateColumns(db, { ...FACTS, ...ASKED }, some, onlyIf)),
  ];
}

/** Whether the row's newest execution has been counted: then it keeps its stamp. */
const isCounted = (attempt: SQL) => sql`${jobs.attempt} = ${attempt} AND ${jobs.settledAt} IS NOT NULL`;

/** Account and id both come from the JSON: with a literal account SQLite scans all of its rows for each entry. */
function updateColumns(db: Database, columns: typeof FACTS, rows: readonly object[], onlyIf: SQL) {
  const { tally } = jobs;
  const { events } = webhooks;
  const stamp = sql`CASE WHEN ${isCounted(givenValue(jobs.attempt))} THEN ${tally} ELSE ${givenValue(tally)} END`;
  const matches = [
    ...[eq(accountId, givenValue(accountId)), eq(id, givenValue(id)), lt(revision, givenValue(revision))],
    isNotAskedFor(givenValue(accountId), givenValue(events)),
    onlyIf,
  ];
  return db
    .update(jobs)
    .set({ ...setEach(columns, givenValue), tally: stamp, sweeps: 0 })
    .from(jsonRows({ accountId, id, tally, events, ...columns }, rows))
    .where(and(...matches));
}

/** All of a job's reports are held back with its newest: an execution is stored and counted with the row, or not yet. */
function executionsApart(reports: readonly JobReport[], newest: readonly JobReport[], epoch: Epoch | null) {
  const announced = new Map(newest.map((report) => [keyOf(report), report.announces]));
  return reports.flatMap((report) =>
    report.apart.map((execution: Execution) => ({
      ...execution,
      accountId: report.accountId,
      jobId: report.id,
      tally: stampFor(report, execution.attempt, epoch),
      events: typesIn(announced.get(keyOf(report)) ?? []),
    })),
  );
}

const typesIn = (announces: JobReport["announces"]) => (announces.length > 0 ? announces : null);

/**
 * A job whose row is gone gets no executions either: nobody would find or delete them. An execution that has ended replaces an
 * open one of any revision (`isAsNew` in domain/job.ts): an owner that was made from a row does not know the revision.
 */
function upsertExecutions(db: Database, rows: readonly ReturnType<typeof executionsApart>[number][], onlyIf: SQL) {
  const { accountId: ofAccount, jobId: ofJob, attempt, tally, ...changing } = EXECUTIONS;
  const { completedAt } = changing;
  const { events } = webhooks;
  const given = givenValue(attempt);
  // One from before the row's newest has been counted and is here already, with its stamp.
  const stamp = sql`CASE WHEN ${isCounted(given)} THEN ${jobs.tally} WHEN ${given} >= ${jobs.attempt} THEN ${givenValue(tally)} END`;
  const fields = sql.join(
    Object.values(EXECUTIONS).map((column) => (column === tally ? stamp : givenValue(column))),
    sql`, `,
  );
  const isWritten = isNotAskedFor(givenValue(ofAccount), givenValue(events));
  return db
    .insert(executions)
    .select(
      sql`SELECT ${fields} FROM ${jsonRows({ ...EXECUTIONS, events }, rows)} CROSS JOIN ${jobs}
          WHERE ${and(eq(accountId, givenValue(ofAccount)), eq(id, givenValue(ofJob)), isWritten, onlyIf)}`,
    )
    .onConflictDoUpdate({
      target: [ofAccount, ofJob, attempt],
      set: {
        ...setEach(changing, excluded),
        tally: sql`CASE WHEN ${completedAt} IS NULL THEN ${excluded(tally)} ELSE ${tally} END`,
      },
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

/** The rows as they are before the batch. */
const knownJobs = (db: Database, reports: readonly JobReport[]) =>
  db
    .select({ accountId, id, revision, attempt: jobs.attempt, settledAt: jobs.settledAt, origin: jobs.origin })
    .from(jobs)
    .where(isAmong(jobs, reports));

const knownSchedules = (db: Database, reports: readonly ScheduleReport[]) =>
  db.select({ accountId: schedules.accountId, id: schedules.id }).from(schedules).where(isAmong(schedules, reports));
