// The handlers that an account has used of late, by name. What waits for them, and who asks, their PullQueues know.

import { and, asc, count, eq, lt, sql } from "drizzle-orm";
import { HANDLER_LIFE_MS, MAX_HANDLERS } from "../domain/handler.ts";
import { ok } from "../domain/result.ts";
import { livesHere } from "./existing-account.ts";
import { handlers } from "./schema.ts";
import { type Database, type Stored, stored, storedPage } from "./store.ts";

export interface HandlerRef {
  readonly accountId: string;
  readonly handler: string;
}

/**
 * Notes that a handler is in use; safe to repeat. Nothing is written for an account that is gone, and none beyond the
 * thousandth: names of an account that has so many are listed again once others have been forgotten.
 */
export function registerHandler(
  db: Database,
  { accountId, handler }: HandlerRef,
  now: number,
): Promise<Stored<unknown>> {
  const of = eq(handlers.accountId, accountId);
  const isKnown = sql`EXISTS (SELECT 1 FROM ${handlers} WHERE ${and(of, eq(handlers.handler, handler))})`;
  const isRoom = sql`(SELECT count(*) FROM ${handlers} WHERE ${of}) < ${MAX_HANDLERS}`;
  return stored(() =>
    db
      .insert(handlers)
      .select(sql`SELECT ${accountId}, ${handler}, ${now} WHERE ${livesHere(accountId)} AND (${isKnown} OR ${isRoom})`)
      .onConflictDoUpdate({
        target: [handlers.accountId, handlers.handler],
        set: { seenAt: now },
        setWhere: lt(handlers.seenAt, now),
      }),
  );
}

export interface HandlerPage {
  readonly names: readonly string[];
  readonly total: number;
}

/** An account's handlers, by name. */
export async function listHandlers(
  db: Database,
  accountId: string,
  offset: number,
  size: number,
): Promise<Stored<HandlerPage>> {
  const own = eq(handlers.accountId, accountId);
  const page = db
    .select({ handler: handlers.handler })
    .from(handlers)
    .where(own)
    .orderBy(asc(handlers.handler))
    .limit(size)
    .offset(offset);
  const listed = await storedPage(() => db.batch([page, db.select({ total: count() }).from(handlers).where(own)]));
  if (!listed.ok) return listed;
  const [rows, total] = listed.value;
  return ok({ names: rows.map(({ handler }) => handler), total });
}

/** Deletes the handlers of an account that have not been used for a week. */
export const deleteUnusedHandlers = (db: Database, accountId: string, now: number) =>
  db.delete(handlers).where(and(eq(handlers.accountId, accountId), lt(handlers.seenAt, now - HANDLER_LIFE_MS)));
