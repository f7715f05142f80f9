// What a database has not yet added to the overview of an account that leaves it: executions whose stamps are of epochs that nobody has
// counted. The move counts them, since their stamps mean nothing elsewhere.

import { and, eq, isNull, ne, sql } from "drizzle-orm";
import { type AccountMove, MAX_MOVED_AT_ONCE } from "../domain/account-move.ts";
import { ok } from "../domain/result.ts";
import { Tally } from "../domain/tally.ts";
import type { Stamped } from "./copy-account.ts";
import { listOf } from "./json-rows.ts";
import { goesOn, isArriving, isAt, standingHere } from "./move-stages.ts";
import { foundOfExecution, foundOfJob, isPassed, type Position, ROW, settledOf } from "./recount.ts";
import { accounts, executions, jobs, recountWalk, tallyEpochs } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { addTally } from "./tallies.ts";

/** The epochs that are left to count, and how far a walk that counts some of them has come. It stands still while the account is frozen. */
export interface Uncounted {
  readonly epochs: ReadonlySet<number>;
  readonly walked: ReadonlySet<number>;
  readonly place: Position | undefined;
}

export async function uncountedEpochs(db: Database): Promise<Stored<Uncounted>> {
  const open = db
    .select({ id: tallyEpochs.id, walk: tallyEpochs.walk })
    .from(tallyEpochs)
    .where(isNull(tallyEpochs.countedAt));
  const answer = await stored(() => db.batch([open, db.select().from(recountWalk)]));
  if (!answer.ok) return answer;
  const [epochs, [place]] = answer.value;
  const walked = epochs.filter(({ walk }) => walk !== null);
  return ok({
    epochs: new Set(epochs.map(({ id }) => id)),
    walked: new Set(walked.map(({ id }) => id)),
    place,
  });
}

/** Whether the walk has not added this one already. */
export function isUncounted(
  { walked, place }: Uncounted,
  accountId: string,
  { jobId, attempt, epoch }: Stamped,
): boolean {
  return !(walked.has(epoch) && place && isPassed({ accountId, jobId, attempt: attempt ?? ROW }, place));
}

/** What is to be added to the account's overview. */
export async function countsOf(db: Database, accountId: string, stamped: readonly Stamped[]): Promise<Stored<Tally>> {
  const tally = new Tally();
  for (let first = 0; first < stamped.length; first += MAX_MOVED_AT_ONCE) {
    const some = stamped.slice(first, first + MAX_MOVED_AT_ONCE);
    const found = await stored(() => db.batch([ofJobs(db, accountId, some), ofExecutions(db, accountId, some)]));
    if (!found.ok) return found;
    for (const { jobId, attempt, found: facts } of found.value.flat())
      if (facts !== null) tally.add(settledOf({ accountId, jobId, attempt }, facts));
  }
  return ok(tally);
}

function ofJobs(db: Database, accountId: string, stamped: readonly Stamped[]) {
  const ids = stamped.flatMap(({ jobId, attempt }) => (attempt === null ? [jobId] : []));
  return db
    .select({ jobId: jobs.id, attempt: sql<number>`${ROW}`, found: foundOfJob })
    .from(jobs)
    .where(and(eq(jobs.accountId, accountId), sql`${jobs.id} IN ${listOf(ids)}`, ne(jobs.origin, "event")));
}

function ofExecutions(db: Database, accountId: string, stamped: readonly Stamped[]) {
  const keys = stamped.flatMap(({ jobId, attempt }) => (attempt === null ? [] : [[jobId, attempt]]));
  const { jobId, attempt } = executions;
  return db
    .select({ jobId, attempt, found: foundOfExecution })
    .from(executions)
    .where(
      and(
        eq(executions.accountId, accountId),
        sql`(${jobId}, ${attempt}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(keys)}))`,
      ),
    );
}

/** Statements that write look for the account in their own database. */
const settleIn = (db: Database, resident: typeof accounts.$inferSelect) =>
  db.insert(accounts).values(resident).onConflictDoUpdate({ target: accounts.id, set: resident });

/**
 * Opens the target: the account is served there from now on, should anybody look for it there. What was left to count is added in the same
 * transaction, so it is added once.
 *
 * @param resident the account's row; null where the directory is
 * @returns whether it is open; false: a later try has been here
 */
export async function openWith(
  db: Database,
  { accountId, attempt }: Pick<AccountMove, "accountId" | "attempt">,
  resident: typeof accounts.$inferSelect | null,
  tally: Tally,
): Promise<Stored<boolean>> {
  const [first, ...more] = [
    ...(resident ? [settleIn(db, resident)] : []),
    ...addTally(db, tally, isArriving(accountId, attempt)),
    goesOn(db, accountId, "arriving", "here", attempt),
  ];
  if (!first) return ok(false);
  const answer = await stored(() => db.batch([first, ...more, standingHere(db, accountId)]));
  if (!answer.ok) return answer;
  return ok(isAt(answer.value.at(-1) as { stage: "here"; attempt: number }[], "here", attempt));
}
