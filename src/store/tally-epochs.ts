// The epochs of the overview: under which stamps may be given and counts be added, and which are left to the recount. A row is one that
// is open, or was claimed; one that was flushed has none.

import { and, eq, gte, isNull, lt, ne, or, type SQL, sql } from "drizzle-orm";
import { FIRST_HELD_EPOCH } from "../domain/tally.ts";
import { tallyEpochs } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Whether batches may be stamped with this epoch, and its counts be added. */
export const isOpen = (epoch: number): SQL =>
  sql`EXISTS (SELECT 1 FROM ${tallyEpochs} WHERE ${and(eq(tallyEpochs.id, epoch), isNull(tallyEpochs.claimedAt))})`;

/** Written with the first batch that is stamped with it. */
export const openEpoch = (db: Database, id: number, now: number) =>
  db.insert(tallyEpochs).values({ id, openedAt: now }).onConflictDoNothing();

/** The epoch as a row, while it is open. One that is gone with a database that was taken back in time is not. */
export const openNow = (db: Database, epoch: number) =>
  db
    .select({ id: tallyEpochs.id })
    .from(tallyEpochs)
    .where(and(eq(tallyEpochs.id, epoch), isNull(tallyEpochs.claimedAt)));

/** The epochs that projectors have left: none but this one is held in memory. */
export const claimOthers = (db: Database, epoch: number, now: number) =>
  db
    .update(tallyEpochs)
    .set({ claimedAt: now })
    .where(and(isNull(tallyEpochs.claimedAt), ne(tallyEpochs.id, epoch), gte(tallyEpochs.id, FIRST_HELD_EPOCH)));

/** The epochs that projectors left when they died, claimed by the one that has come after them. */
export const claimLeftEpochs = (db: Database, epoch: number, now: number): Promise<Stored<unknown>> =>
  stored(() => claimOthers(db, epoch, now));

/** Far longer than a projector holds counts. */
const LEFT_AFTER_MS = 10 * 60_000;
const SHARED_OVER_AFTER_MS = 2 * 60_000;

/** Epochs that nobody will flush. Should a projector still hold one of them, it begins another. */
export const claimOld = (db: Database, now: number) =>
  db
    .update(tallyEpochs)
    .set({ claimedAt: now })
    .where(
      and(
        isNull(tallyEpochs.claimedAt),
        or(
          lt(tallyEpochs.openedAt, now - LEFT_AFTER_MS),
          and(lt(tallyEpochs.id, FIRST_HELD_EPOCH), lt(tallyEpochs.openedAt, now - SHARED_OVER_AFTER_MS)),
        ),
      ),
    );
