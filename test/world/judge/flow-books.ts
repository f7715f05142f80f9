// The books of flows, as they are stored: looked at every second, in whatever weather. People see starts late, and outside calm worlds
// not exactly; between two looks at the books nothing may have been given that there was no room for, and no place is left free while
// somebody waits.

import type { Flow } from "../../../src/domain/flow.ts";
import type { StoredObject } from "../platform/stored-object.ts";
import type { World } from "../world.ts";

const LOOK_EVERY_MS = 1_000;

interface Place {
  readonly jobId: string;
  readonly attempt: number;
  readonly dueAt: number;
}

/** What one flow has stored at a moment. */
export interface Books {
  readonly at: number;
  readonly flow: Flow;
  readonly slots: readonly Place[];
  readonly line: readonly Place[];
  /** Stored by a newer deployment: an older one cannot go on with it. */
  readonly isNewer: boolean;
}

type Violated = (rule: string, what: string) => void;

/** Looks again and again until the world closes. */
export function watchFlows(world: World, seen: ReadonlyMap<string, Books> = new Map()): void {
  world.platform.timeline.after(LOOK_EVERY_MS, () => {
    const next = new Map<string, Books>();
    for (const [name, stored] of world.platform.objects.stored()) {
      const books = name.startsWith("FlowObject ") ? booksOf(stored, world.now) : null;
      if (books === null) continue;
      const before = seen.get(name);
      if (before) compare(before, books, world.skewMs, (rule, what) => world.ledger.violated(rule, `${name}: ${what}`));
      next.set(name, books);
    }
    if (world.isOpen) watchFlows(world, next);
  });
}

/** @returns null as well while something is not confirmed: a death may undo it */
function booksOf(stored: StoredObject, at: number): Books | null {
  if (stored.unconfirmed > 0) return null;
  const state = stored.get("state") as Flow | { readonly newer: Flow } | undefined;
  const isNewer = state !== undefined && "newer" in state;
  const flow = isNewer ? state.newer : state;
  if (!flow || flow.isDeleted || !stored.hasTables) return null;
  const places = (table: string) =>
    stored.exec(`SELECT job_id, attempt, due_at FROM ${table} ORDER BY due_at, job_id`).map(
      ({ job_id, attempt, due_at }): Place => ({
        jobId: String(job_id),
        attempt: Number(attempt),
        dueAt: Number(due_at),
      }),
    );
  return { at, flow, slots: places("slots"), line: places("line"), isNewer };
}

/** Two looks at the same flow. One that was changed in between is not judged. */
export function compare(before: Books, now: Books, skewMs: number, violated: Violated): void {
  const { flow } = now;
  if (flow.revision !== before.flow.revision || flow.openUntil !== before.flow.openUntil) return;
  const fresh = now.slots.filter((slot) => !before.slots.some((other) => isSame(slot, other)));
  const names = fresh.map(({ jobId }) => jobId).join(", ");
  const stayed = now.line.filter((place) => before.line.some((other) => isSame(place, other)));
  const most = flow.concurrency ?? Number.POSITIVE_INFINITY;
  if (fresh.length > 0) {
    if (flow.paused) violated("a paused flow starts nothing", `${names} got a slot`);
    if (now.slots.length > most)
      violated("a flow runs so many at once", `${now.slots.length} slots, and ${most} may be`);
    if (flow.openUntil !== null && now.at < flow.openUntil - skewMs)
      violated(
        "an open breaker starts nothing",
        `${names} got a slot ${flow.openUntil - now.at} ms before its pause is over`,
      );
    if (flow.openUntil !== null && fresh.length > 1) violated("one attempt at a time tries", `${names} got slots`);
    const late = fresh.find((slot) => stayed.some((place) => isBefore(place, slot)));
    if (late) violated("first due, first served", `${late.jobId} got a slot, and ${stayed[0]?.jobId} waits still`);
  }
  const hasRoom = (books: Books) => books.slots.length < most && books.line.length > 0;
  const mayWait = now.isNewer || flow.paused || flow.rate !== null || flow.openUntil !== null;
  if (!mayWait && hasRoom(before) && hasRoom(now) && stayed.length > 0)
    violated("no place is free while somebody waits", `${now.slots.length} slots, ${stayed[0]?.jobId} waits`);
}

const isSame = (one: Place, other: Place): boolean => one.jobId === other.jobId && one.attempt === other.attempt;

const isBefore = (one: Place, other: Place): boolean =>
  one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.jobId < other.jobId);
