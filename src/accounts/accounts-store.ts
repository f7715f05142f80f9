// What is asked of the accounts and API key tables.

import { and, asc, count, eq, isNotNull, isNull, lte, ne, or, type SQL, sql } from "drizzle-orm";
import type { KeyScope } from "../domain/key-scope.ts";
import { ok } from "../domain/result.ts";
import { isThere } from "../store/existing-account.ts";
import { accounts, apiKeys } from "../store/schema.ts";
import { type Database, type Stored, stored, storedPage } from "../store/store.ts";
import { bury, isNotDeleted } from "../store/tombstones.ts";

export type Account = typeof accounts.$inferSelect;
export type ApiKey = Omit<typeof apiKeys.$inferSelect, "hash">;

export const MAX_KEYS = 50;

const shownKey = {
  id: apiKeys.id,
  accountId: apiKeys.accountId,
  name: apiKeys.name,
  prefix: apiKeys.prefix,
  scope: apiKeys.scope,
  expiresAt: apiKeys.expiresAt,
  createdAt: apiKeys.createdAt,
};

/** The facts of a key that decide what its holder may do. */
export interface HeldKey {
  readonly id: string;
  readonly scope: KeyScope;
  readonly expiresAt: number | null;
}

const heldKey = { id: apiKeys.id, scope: apiKeys.scope, expiresAt: apiKeys.expiresAt };

/** A key with the account it opens. */
export interface KeyHolder {
  readonly key: HeldKey;
  readonly hash: string;
  readonly account: Account;
}

/** Who holds a key. One of the few queries without an account: it is how the account is found. */
export const accountOfKey = (db: Database, hash: string): Promise<Stored<KeyHolder | undefined>> =>
  holderWhere(db, eq(apiKeys.hash, hash));

/** The same by the key's id, for a session that was opened with the key. */
export const accountOfKeyId = (
  db: Database,
  accountId: string,
  keyId: string,
): Promise<Stored<KeyHolder | undefined>> =>
  holderWhere(db, and(eq(apiKeys.accountId, accountId), eq(apiKeys.id, keyId)));

const holderWhere = (db: Database, isWanted: SQL | undefined): Promise<Stored<KeyHolder | undefined>> =>
  stored(() =>
    db
      .select({ key: heldKey, hash: apiKeys.hash, account: accounts })
      .from(apiKeys)
      .innerJoin(accounts, eq(accounts.id, apiKeys.accountId))
      .where(isWanted)
      .get(),
  );

export const readAccount = (db: Database, accountId: string): Promise<Stored<Account | undefined>> =>
  stored(() => db.select().from(accounts).where(eq(accounts.id, accountId)).get());

/** Gives an account its place in a database beside the directory, where its rows are to be: without it none is written there. */
export async function insertResident(db: Database, account: typeof accounts.$inferInsert): Promise<Stored<void>> {
  const made = await stored(() => db.insert(accounts).values(account).onConflictDoNothing());
  return made.ok ? ok(undefined) : made;
}

/** Nothing is written for the account there any more; its rows follow in bounded steps (retention). */
export const deleteResident = (db: Database, accountId: string): Promise<Stored<unknown>> =>
  stored(() => db.update(accounts).set({ status: "deleted" }).where(eq(accounts.id, accountId)));

/** Makes an account with its first key, both or neither. Applied once more after its deletion, this makes no key. */
export async function insertAccount(
  db: Database,
  account: typeof accounts.$inferInsert,
  key: typeof apiKeys.$inferInsert,
): Promise<Stored<void>> {
  const made = await stored(() =>
    db.batch([
      db.insert(accounts).values(account).onConflictDoNothing(),
      db
        .insert(apiKeys)
        .select(keyIf(key, isThere(key.accountId)))
        .onConflictDoNothing(),
    ]),
  );
  return made.ok ? ok(undefined) : made;
}

/** The row of a key for `insert(apiKeys).select(…)`, or none. */
function keyIf(key: typeof apiKeys.$inferInsert, condition: SQL): SQL {
  const { hash, accountId, id, name, prefix, scope, expiresAt, createdAt } = key;
  return sql`SELECT ${hash}, ${accountId}, ${id}, ${name}, ${prefix}, ${scope}, ${expiresAt ?? null}, ${createdAt} WHERE ${condition}`;
}

export function listAccounts(db: Database, offset: number, size: number): Promise<Stored<[Account[], number]>> {
  return storedPage(() =>
    db.batch([
      db
        .select()
        .from(accounts)
        .where(ne(accounts.status, "deleted"))
        .orderBy(asc(accounts.createdAt), asc(accounts.id))
        .limit(size)
        .offset(offset),
      db.select({ total: count() }).from(accounts).where(ne(accounts.status, "deleted")),
    ]),
  );
}

/** @returns undefined when there is no such account */
export function setAccountStatus(
  db: Database,
  accountId: string,
  status: Account["status"],
): Promise<Stored<Account | undefined>> {
  return stored(() =>
    db
      .update(accounts)
      .set({ status })
      .where(and(eq(accounts.id, accountId), ne(accounts.status, "deleted")))
      .returning()
      .get(),
  );
}

/**
 * Marks an account deleted and revokes its keys; its rows follow in bounded steps (retention). Sent twice, it may have been the first
 * that did it.
 *
 * @returns undefined when there was no such account
 */
export function deleteAccount(db: Database, accountId: string): Promise<Stored<Account | undefined>> {
  return stored(async (isRepeated) => {
    const [[gone]] = await db.batch([
      db
        .update(accounts)
        .set({ status: "deleted" })
        .where(and(eq(accounts.id, accountId), ne(accounts.status, "deleted")))
        .returning(),
      db.delete(apiKeys).where(eq(apiKeys.accountId, accountId)),
    ]);
    return gone || !isRepeated ? gone : db.select().from(accounts).where(eq(accounts.id, accountId)).get();
  });
}

/**
 * Counts the signing secret up, unless the last rotation still overlaps. Sent twice, that may be this one.
 *
 * @returns undefined when another does
 */
export function rotateSecret(
  db: Database,
  accountId: string,
  masterKeyId: string,
  overlapEndsAt: number,
  now: number,
): Promise<Stored<Account | undefined>> {
  const isAccount = eq(accounts.id, accountId);
  return stored(async (isRepeated) => {
    const rotated = await db
      .update(accounts)
      .set({
        signingVersion: sql`${accounts.signingVersion} + 1`,
        overlapEndsAt,
        masterKeyId,
        previousMasterKeyId: accounts.masterKeyId,
      })
      .where(and(isAccount, or(isNull(accounts.overlapEndsAt), lte(accounts.overlapEndsAt, now))))
      .returning()
      .get();
    if (rotated || !isRepeated) return rotated;
    const isSame = and(isAccount, eq(accounts.overlapEndsAt, overlapEndsAt), eq(accounts.masterKeyId, masterKeyId));
    return db.select().from(accounts).where(isSame).get();
  });
}

export function listKeys(
  db: Database,
  accountId: string,
  offset: number,
  size: number,
): Promise<Stored<[ApiKey[], number]>> {
  return storedPage(() =>
    db.batch([
      db
        .select(shownKey)
        .from(apiKeys)
        .where(eq(apiKeys.accountId, accountId))
        .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id))
        .limit(size)
        .offset(offset),
      db.select({ total: count() }).from(apiKeys).where(eq(apiKeys.accountId, accountId)),
    ]),
  );
}

/**
 * Makes a key. The account's keys that have expired by then are deleted: their places are free.
 *
 * @returns false when the account has all the keys it may have, or is gone; decided in the statement, so no two slip in together
 */
export async function insertKey(db: Database, key: typeof apiKeys.$inferInsert): Promise<Stored<boolean>> {
  const { accountId, id, createdAt } = key;
  const held = sql`(SELECT count(*) FROM ${apiKeys} WHERE account_id = ${accountId})`;
  const made = await stored(() =>
    db.batch([
      db.delete(apiKeys).where(and(eq(apiKeys.accountId, accountId), lte(apiKeys.expiresAt, createdAt))),
      db
        .insert(apiKeys)
        .select(keyIf(key, sql`${held} < ${MAX_KEYS} AND ${isThere(accountId)} AND ${isNotDeleted(sql`${id}`)}`))
        .onConflictDoUpdate({ target: apiKeys.hash, set: { id: sql`excluded.id` } })
        .returning({ id: apiKeys.id }),
    ]),
  );
  return made.ok ? ok(made.value[1].length > 0) : made;
}

/**
 * Revokes a key, unless it is the last of scope `full` that does not expire: then nobody could make another one. It is read first: a
 * deletion whose first answer was lost finds nothing when it is sent again.
 *
 * @returns the hash of the key that is gone, or why none is
 */
export async function deleteKey(
  db: Database,
  accountId: string,
  id: string,
  now: number,
): Promise<Stored<{ hash: string } | "missing" | "last">> {
  const own = and(eq(apiKeys.accountId, accountId), eq(apiKeys.id, id));
  const another = sql`EXISTS (SELECT 1 FROM ${apiKeys} AS other WHERE other.account_id = ${accountId} AND other.id <> ${id}
    AND other.scope = 'full' AND other.expires_at IS NULL)`;
  const isSpare = or(ne(apiKeys.scope, "full"), isNotNull(apiKeys.expiresAt), another);
  const present = db.select({ hash: apiKeys.hash }).from(apiKeys).where(own);
  const known = await stored(() => present.get());
  if (!known.ok) return known;
  if (!known.value) return ok("missing");
  const itself = sql`SELECT ${apiKeys.id} FROM ${apiKeys} WHERE ${and(own, isSpare)}`;
  const deletion = db.delete(apiKeys).where(and(own, isSpare));
  const left = await stored(() => db.batch([bury(db, itself, now), deletion, present]));
  if (!left.ok) return left;
  return ok(left.value[2].length > 0 ? "last" : known.value);
}
