// Wakes the owners of jobs that come near while their account moves: the look ahead of the one database may not have come to them yet, and
// that of the other may be past them. To be woken twice changes nothing.

import { type AccountMove, goOn } from "../../domain/account-move.ts";
import { ok } from "../../domain/result.ts";
import { nearJobs } from "../../store/approaching.ts";
import type { Database, Stored } from "../../store/store.ts";
import { ask, jobAt } from "../addresses.ts";
import { atOnce } from "../at-once.ts";

/** Rows of one look. Each of their owners is an object that is opened. */
const PAGE_SIZE = 25;

export const CALLS_TO_WAKE = PAGE_SIZE + 1;

/** One page; the place is the last row of it. One that does not answer is the sweeper's. */
export async function wakeNear(env: Cloudflare.Env, move: AccountMove, db: Database): Promise<Stored<AccountMove>> {
  const { accountId, aheadAt, place } = move;
  const now = Date.now();
  const after = place.after === null ? [aheadAt ?? now, ""] : (JSON.parse(place.after) as [number, string]);
  const found = await nearJobs(db, accountId, { dueAt: Number(after[0]), jobId: String(after[1]) }, now, PAGE_SIZE);
  if (!found.ok) return found;
  await atOnce(PAGE_SIZE, found.value, ({ jobId }) =>
    ask(() => jobAt(env, { accountId, jobId }).wake({ accountId, jobId })),
  );
  const last = found.value.length === PAGE_SIZE ? found.value.at(-1) : undefined;
  if (!last) return ok(goOn(move, { step: "leaving" }, Date.now()));
  return ok(goOn(move, { place: { table: 0, after: JSON.stringify([last.dueAt, last.jobId]) } }, Date.now()));
}
