// What the overview counts: attempts that started and how they ended, per account and minute, and failures in groups. An execution
// is counted once, when its end first reaches the read model; the stamp it gets there says in which epoch that was.

import type { Delivery, ExecutionStatus, FaultCode } from "./job.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** The bounds of the lateness histogram, inclusive, in milliseconds. */
export const LATENESS_BOUNDS_MS = [
  10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000,
] as const;

/** In the place of a minute: everything that was ever counted. */
export const TOTAL = 0;

export const minuteOf = (at: number): number => at - (at % MINUTE);

/** Failures are grouped for a quarter of an hour at a time. */
export const SLOT_MS = 15 * MINUTE;

export const slotOf = (at: number): number => at - (at % SLOT_MS);

/** Groups of failures that an account has in one slot. Those beyond share one more. */
export const MAX_GROUPS = 20;

/** The error code of the group that takes what does not fit into the others. */
export const OTHER = "other";

export type FailureCode = FaultCode | typeof OTHER;

/** An execution that started and is over. */
export interface Settled {
  readonly status: ExecutionStatus;
  readonly dueAt: number;
  readonly startedAt: number;
  readonly completedAt: number;
  readonly errorCode: FaultCode | null;
  /** Whether its job ended with it, or is tried again. */
  readonly endsJob: boolean;
}

/** The same, as it is counted. */
export interface SettledExecution extends Settled {
  readonly accountId: string;
  readonly jobId: string;
  readonly handler: string | null;
  /** Where it was pushed to; null for pull. */
  readonly host: string | null;
}

/** The counts of an account for a minute. */
export interface Counts {
  readonly accountId: string;
  readonly minute: number;
  started: number;
  completed: number;
  failed: number;
  retried: number;
  lateSum: number;
  lateMax: number;
  /** Starts for each bound, each in one place only. */
  readonly late: number[];
}

/** Failures of an account in one slot that have all of this in common. A text that there is none of is empty. */
export interface FailureGroup {
  readonly accountId: string;
  readonly slot: number;
  readonly errorCode: FailureCode;
  readonly handler: string;
  readonly host: string;
  count: number;
  lastAt: number;
  jobId: string;
}

/** How a started attempt is counted; null: as a start alone. */
export function outcomeOf({
  status,
  endsJob,
}: Pick<Settled, "status" | "endsJob">): "completed" | "failed" | "retried" | null {
  switch (status) {
    case "completed":
      return "completed";
    case "failed":
    case "timed_out":
    case "interrupted":
      return endsJob ? "failed" : "retried";
    case "cancelled":
    case "queued":
    case "running":
      return null;
  }
}

/** An interruption is the service's own, and shown only if a job ended with it. */
export const isFailure = ({ status, endsJob }: Pick<Settled, "status" | "endsJob">): boolean =>
  status === "failed" || status === "timed_out" || (status === "interrupted" && endsJob);

export const hostOf = (delivery: Delivery): string | null =>
  delivery.type === "push" && URL.canParse(delivery.url) ? new URL(delivery.url).host : null;

/** Counts in memory, until they are written. */
export class Tally {
  readonly #counts = new Map<string, Counts>();
  readonly #groups = new Map<string, FailureGroup>();
  readonly #groupsInSlot = new Map<string, number>();

  add(one: SettledExecution): void {
    const latenessMs = Math.max(0, one.startedAt - one.dueAt);
    const bound = LATENESS_BOUNDS_MS.findIndex((ms) => latenessMs <= ms);
    for (const counts of this.#of(one.accountId, one.startedAt)) {
      counts.started += 1;
      counts.lateSum += latenessMs;
      counts.lateMax = Math.max(counts.lateMax, latenessMs);
      if (bound >= 0) counts.late[bound] = (counts.late[bound] ?? 0) + 1;
    }
    const outcome = outcomeOf(one);
    if (outcome !== null) for (const counts of this.#of(one.accountId, one.completedAt)) counts[outcome] += 1;
    if (isFailure(one)) this.#fail(one);
  }

  get counts(): readonly Counts[] {
    return [...this.#counts.values()];
  }

  get failures(): readonly FailureGroup[] {
    return [...this.#groups.values()];
  }

  /** The row of the moment's minute, and the total. */
  #of(accountId: string, at: number): Counts[] {
    return [TOTAL, minuteOf(at)].map((minute) => {
      const key = `${accountId} ${minute}`;
      const known = this.#counts.get(key);
      if (known) return known;
      const none = { started: 0, completed: 0, failed: 0, retried: 0, lateSum: 0, lateMax: 0 };
      const fresh: Counts = { accountId, minute, ...none, late: LATENESS_BOUNDS_MS.map(() => 0) };
      this.#counts.set(key, fresh);
      return fresh;
    });
  }

  #fail({ accountId, jobId, completedAt, errorCode, handler, host }: SettledExecution): void {
    const slot = slotOf(completedAt);
    const own = this.#groupOf({
      ...{ accountId, slot, errorCode: errorCode ?? "platform", handler: handler ?? "", host: host ?? "" },
      ...{ count: 0, lastAt: 0, jobId },
    });
    own.count += 1;
    if (completedAt >= own.lastAt) Object.assign(own, { lastAt: completedAt, jobId });
  }

  #groupOf(group: FailureGroup): FailureGroup {
    const { accountId, slot, errorCode, handler, host } = group;
    const key = JSON.stringify([accountId, slot, errorCode, handler, host]);
    const known = this.#groups.get(key);
    if (known) return known;
    const place = `${accountId} ${slot}`;
    const groups = this.#groupsInSlot.get(place) ?? 0;
    if (errorCode !== OTHER && groups >= MAX_GROUPS)
      return this.#groupOf({ ...group, errorCode: OTHER, handler: "", host: "" });
    if (errorCode !== OTHER) this.#groupsInSlot.set(place, groups + 1);
    this.#groups.set(key, group);
    return group;
  }
}

/** Epochs of projectors begin here; below are those of owners that wrote their reports themselves. */
export const FIRST_HELD_EPOCH = 2 ** 40;

/** So that a stamp is a safe integer. */
const EPOCHS_END = 2 ** 52;

/** An epoch of a projector. Nobody needs to ask whether another has it: there are too many for that. */
export const heldEpoch = (chance: number): number =>
  FIRST_HELD_EPOCH + Math.floor(chance * (EPOCHS_END - FIRST_HELD_EPOCH));

/** The epoch that all share who write a report themselves in this minute: nobody holds its counts, they are recounted. */
export const sharedEpochAt = (now: number): number => Math.floor(now / MINUTE);

/** A stamp also keeps how a failure was counted: what becomes of the job later does not change it. */
export const stampOf = (epoch: number, { endsJob }: Pick<Settled, "endsJob">): number => 2 * epoch + (endsJob ? 1 : 0);

export const endsJobBy = (stamp: number): boolean => stamp % 2 === 1;
