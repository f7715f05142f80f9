// The only door to D1: each call through it has a time limit, one retry where that is safe, and a refusal instead of an
// exception when the store cannot answer. What drizzle says of an error holds SQL and bound values; it stops here.

import { sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { Unavailable } from "../domain/refusal.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { within } from "./time-limit.ts";

export type Database = DrizzleD1Database;

export type Stored<T> = Result<T, Unavailable>;

/** How long we wait for D1. A query that is answered later has still happened. */
export const STORE_TIMEOUT_MS = 10_000;

/** How long a row is waited for while its owner, who does not need the database, could answer. */
export const ROW_MS = 1_500;

/** Errors after which the same statement may be sent again at once (Cloudflare's own list). */
const PASSING = ["Network connection lost", "storage caused object to be reset", "reset because its code was updated"];

/** What a database says of an account that does not live there, or is not to change while it moves. */
export const MOVING = "account is moving";

/** A move refuses writes for seconds. */
const MOVING_RETRY_SECONDS = 2;

/** What is said of a query whose rows would lose a column. */
export const SHARED_NAME = "Two columns of a query share a name";

/** Bugs of ours, not transient failures. */
const MISTAKES = [
  SHARED_NAME,
  "SQLITE_ERROR",
  "SQLITE_CONSTRAINT",
  "SQLITE_MISMATCH",
  "Wrong number of parameter",
  "D1_TYPE_ERROR",
];

/**
 * Runs a query that may be repeated without harm: a read, or a write that says the same when said twice.
 *
 * @param query true the second time: then the first may have been applied, and its answer was lost
 */
export async function stored<T>(
  query: (isRepeated: boolean) => Promise<T>,
  limitMs = STORE_TIMEOUT_MS,
): Promise<Stored<T>> {
  try {
    return ok(await within(limitMs, () => query(false)));
  } catch (first) {
    if (!speaksOf(first, PASSING)) return refused(first);
  }
  try {
    return ok(await within(limitMs, () => query(true)));
  } catch (second) {
    return refused(second);
  }
}

/** How long one of several databases is waited for by those who ask all of them: a probe, a scrape, a new account. */
export const ONE_OF_SEVERAL_MS = 2_000;

/** Whether D1 answers at all. */
export const canAnswer = (db: Database, limitMs = STORE_TIMEOUT_MS): Promise<Stored<unknown>> =>
  stored(() => db.run(sql`SELECT 1`), limitMs);

function refused(error: unknown): Stored<never> {
  if (speaksOf(error, [MOVING]))
    return err({ code: "unavailable", retryAfterSeconds: MOVING_RETRY_SECONDS, isMoving: true });
  if (speaksOf(error, MISTAKES)) throw new Error(`D1 refused a statement: ${mistakeIn(error)}`);
  return err({ code: "unavailable", retryAfterSeconds: speaksOf(error, ["overloaded"]) ? 10 : 5 });
}

const speaksOf = (error: unknown, words: readonly string[]): boolean =>
  words.some((word) => causeOf(error).includes(word));

const mistakeIn = (error: unknown): string => MISTAKES.find((word) => causeOf(error).includes(word)) ?? "unknown";

/** D1's own words. Drizzle wraps them in an error whose message we never read. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** The same for a page of a list: its rows, and how many there are in all. */
export async function storedPage<T>(query: () => Promise<[T[], { total: number }[]]>): Promise<Stored<[T[], number]>> {
  const answer = await stored(query);
  if (!answer.ok) return answer;
  const [rows, [counted]] = answer.value;
  return ok([rows, counted?.total ?? 0]);
}
