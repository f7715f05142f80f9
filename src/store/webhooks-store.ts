// What is asked of the webhooks table.

import { and, asc, count, eq, sql } from "drizzle-orm";
import type { EventType } from "../domain/event.ts";
import { ok } from "../domain/result.ts";
import { ifThere } from "./existing-account.ts";
import { webhooks } from "./schema.ts";
import { type Database, type Stored, stored, storedPage } from "./store.ts";
import { bury, isNotDeleted } from "./tombstones.ts";

export type Webhook = typeof webhooks.$inferSelect;

export const MAX_WEBHOOKS = 20;

/** A webhook by its account. */
export interface WebhookRef {
  readonly accountId: string;
  readonly webhookId: string;
}

const is = ({ accountId, webhookId }: WebhookRef) => and(eq(webhooks.accountId, accountId), eq(webhooks.id, webhookId));

/**
 * Safe to repeat, also when it is deleted meanwhile.
 *
 * @returns false when the account has all the webhooks it may have, or is gone; decided in the statement, so no two slip in
 * together
 */
export async function insertWebhook(db: Database, webhook: Webhook): Promise<Stored<boolean>> {
  const { accountId, id } = webhook;
  const others = sql`(SELECT count(*) FROM ${webhooks} WHERE account_id = ${accountId} AND id <> ${id})`;
  const made = await stored(() =>
    db
      .insert(webhooks)
      .select(
        sql`${ifThere(webhooks, [webhook], accountId)} AND ${others} < ${MAX_WEBHOOKS} AND ${isNotDeleted(sql`${id}`)}`,
      )
      .onConflictDoUpdate({ target: [webhooks.accountId, webhooks.id], set: { id: sql`excluded.id` } })
      .returning({ id: webhooks.id }),
  );
  return made.ok ? ok(made.value.length > 0) : made;
}

export const readWebhook = (db: Database, ref: WebhookRef): Promise<Stored<Webhook | undefined>> =>
  stored(() => db.select().from(webhooks).where(is(ref)).get());

export function listWebhooks(
  db: Database,
  accountId: string,
  offset: number,
  size: number,
): Promise<Stored<[Webhook[], number]>> {
  const own = eq(webhooks.accountId, accountId);
  return storedPage(() =>
    db.batch([
      db.select().from(webhooks).where(own).orderBy(asc(webhooks.id)).limit(size).offset(offset),
      db.select({ total: count() }).from(webhooks).where(own),
    ]),
  );
}

/** What a person may change of a webhook. */
export type WebhookPatch = Partial<Pick<Webhook, "url" | "events" | "description" | "enabled">>;

/**
 * Changes what the patch names. Once it is enabled, or has another URL, its failures are counted from the beginning.
 *
 * @returns undefined when there is no such webhook
 */
export function changeWebhook(
  db: Database,
  ref: WebhookRef,
  patch: WebhookPatch,
  now: number,
): Promise<Stored<Webhook | undefined>> {
  const { url, enabled } = patch;
  const isFresh = url === undefined ? sql`${enabled === true}` : sql`${enabled === true} OR ${webhooks.url} <> ${url}`;
  return stored(() =>
    db
      .update(webhooks)
      .set({
        ...patch,
        ...(enabled !== undefined && { disabledReason: null }),
        failingSince: sql`CASE WHEN ${isFresh} THEN NULL ELSE ${webhooks.failingSince} END`,
        updatedAt: now,
      })
      .where(is(ref))
      .returning()
      .get(),
  );
}

/** @returns whether there was one. It is read first: a deletion whose first answer was lost finds nothing when it is sent again */
export async function deleteWebhook(db: Database, ref: WebhookRef, now: number): Promise<Stored<boolean>> {
  const known = await readWebhook(db, ref);
  if (!known.ok) return known;
  if (!known.value) return ok(false);
  const itself = sql`SELECT ${webhooks.id} FROM ${webhooks} WHERE ${is(ref)}`;
  const gone = await stored(() => db.batch([bury(db, itself, now), db.delete(webhooks).where(is(ref))]));
  return gone.ok ? ok(true) : gone;
}

/** Those that are told of what happens. */
export function enabledWebhooks(
  db: Database,
  accountId: string,
): Promise<Stored<{ readonly id: string; readonly url: string; readonly events: readonly EventType[] }[]>> {
  const { id, url, events } = webhooks;
  return stored(() =>
    db
      .select({ id, url, events })
      .from(webhooks)
      .where(and(eq(webhooks.accountId, accountId), eq(webhooks.enabled, true)))
      .all(),
  );
}
