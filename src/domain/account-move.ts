// Moving an account from one database to another, as a state and its steps: no I/O, no clock, no chance. The rows are copied while the
// account works; then it is frozen for seconds, what has changed is copied, and the directory is switched.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * How an account stands in a database that it moves from or to, or has been in:
 * `here`: it lives there, or its move was given up; served as if there had never been a move.
 * `frozen`: it lives there and moves: its rows are read, and nothing is written.
 * `closed`: its rows are copied and the directory is about to be switched: nobody is answered.
 * `left`: it lives elsewhere. Its rows are being removed.
 * `gone`: they have been removed.
 * `arriving`: its rows are being copied to there.
 */
export type MoveStage = "here" | "frozen" | "closed" | "left" | "gone" | "arriving";

/** An instance from before a deployment is gone after so long. It does not know a database that was bound since. */
const UNAWARE_MS = 10 * MINUTE;

/** @param boundSince when a database was last bound, as an instant, or empty. @returns how long no account may move yet */
export function notBeforeMs(boundSince: string | undefined, now: number): number {
  const since = Date.parse(boundSince ?? "");
  return Number.isNaN(since) ? 0 : Math.max(0, since + UNAWARE_MS - now);
}

/** The order of the steps. What a step does may be done again, so an instance that dies repeats its step. */
export type MoveStep =
  /** The directory counts the try, the source serves the account, the target takes its rows. */
  | "beginning"
  /** Rows are copied and compared, pass by pass, while the account works. */
  | "copying"
  /** The source is frozen, and compared once more. */
  | "frozen"
  /** The source answers nobody. The target is opened: nobody knows it yet. */
  | "closed"
  /** The directory is switched. Before it the source is the truth, afterwards the target. */
  | "switching"
  /** Jobs that come near are woken: neither database's look ahead may have met them. */
  | "waking"
  /** The source is told that the account has left. */
  | "leaving";

/** Where a pass over the tables has come to. */
export interface Place {
  /** The number of the table. */
  readonly table: number;
  /** The key behind which the next page begins, as JSON; null: at the beginning. */
  readonly after: string | null;
}

export const START: Place = { table: 0, after: null };

/** Rows of one statement. */
export const MAX_MOVED_AT_ONCE = 500;

export interface AccountMove {
  readonly v: 1;
  readonly revision: number;
  readonly accountId: string;
  readonly from: number;
  readonly to: number;
  readonly step: MoveStep;
  /** Which try this is, as the directory counts them: whatever an earlier one has sent finds a higher number. */
  readonly attempt: number;
  readonly place: Place;
  /** Passes that have ended since the try began, and rows that the present one has changed. */
  readonly passes: number;
  readonly changed: number;
  /** Tries that were given up because the account would have been frozen for too long. */
  readonly thaws: number;
  /** Calls in a row that have failed. */
  readonly failures: number;
  /** When the account was frozen; null while it works. */
  readonly frozenAt: number | null;
  /** How far the source's look ahead had come when the account was frozen. */
  readonly aheadAt: number | null;
  readonly startedAt: number;
  readonly goOnAt: number;
}

export const begin = (accountId: string, from: number, to: number, now: number): AccountMove => ({
  v: 1,
  revision: 1,
  accountId,
  from,
  to,
  step: "beginning",
  attempt: 0,
  place: START,
  passes: 0,
  changed: 0,
  thaws: 0,
  failures: 0,
  frozenAt: null,
  aheadAt: null,
  startedAt: now,
  goOnAt: now,
});

export const moveWakeAt = ({ goOnAt }: AccountMove): number => goOnAt;

type Change = Partial<Omit<AccountMove, "v" | "revision" | "accountId">>;

/** The move after something has succeeded. */
export const goOn = (move: AccountMove, change: Change, now: number): AccountMove => ({
  ...move,
  failures: 0,
  goOnAt: now,
  ...change,
  revision: move.revision + 1,
});

/** So few changes are copied in a moment: another pass would find as many. */
const FEW_ROWS = 200;
/** An account that is changed faster than it is copied is frozen nevertheless. */
const MAX_PASSES = 5;

/** A page was compared. A pass that has ended is followed by another one while the account changes much. */
export function passed(move: AccountMove, next: Place | null, changed: number, now: number): AccountMove {
  const isFirst = move.place.table === 0 && move.place.after === null;
  const sum = (isFirst ? 0 : move.changed) + changed;
  if (next) return goOn(move, { place: next, changed: sum }, now);
  return goOn(move, { place: START, passes: move.passes + 1, changed: sum }, now);
}

/** True if the rows have been copied so far that the rest takes seconds. */
export const isNearlyCopied = ({ passes, changed }: AccountMove): boolean =>
  passes > 0 && (changed <= FEW_ROWS || passes >= MAX_PASSES);

/** How long an account is frozen at most. A try that is given up is followed by one that may take twice as long: large accounts need it. */
const FROZEN_MS = 15 * SECOND;
const MAX_DOUBLINGS = 5;

/** True if creation has been refused for as long as this try may refuse it. */
export const isFrozenTooLong = ({ frozenAt, thaws }: AccountMove, now: number): boolean =>
  frozenAt !== null && !(frozenAt <= now && now < frozenAt + FROZEN_MS * 2 ** Math.min(thaws, MAX_DOUBLINGS));

/** Nothing of an earlier try counts. */
const AFRESH = { place: START, passes: 0, changed: 0, frozenAt: null, aheadAt: null } as const;

/** A try begins. */
export const again = (move: AccountMove, attempt: number, now: number): AccountMove =>
  goOn(move, { ...AFRESH, step: "copying", attempt }, now);

/** How long an account whose move was given up works before the next try; of one that is closed nobody is answered, so that goes on at once. */
const restMs = ({ step, thaws }: AccountMove): number =>
  step === "frozen" ? Math.min(10 * SECOND * 2 ** thaws, 10 * MINUTE) : 0;

/** The try is given up: the account works, and another try begins. */
export const thawed = (move: AccountMove, now: number): AccountMove =>
  goOn(move, { ...AFRESH, step: "beginning", thaws: move.thaws + 1, goOnAt: now + restMs(move) }, now);

const MAX_PAUSE_MS = MINUTE;

/** After so many failures the rows are copied from the beginning: another try may have taken over the target. */
const MAX_FAILURES = 5;

/** A call has failed. While the account is frozen it is repeated within a second. */
export function heldUp(move: AccountMove, now: number): AccountMove {
  const failures = move.failures + 1;
  const pauseMs = move.frozenAt === null ? Math.min(SECOND * 2 ** move.failures, MAX_PAUSE_MS) : SECOND / 2;
  const step = move.step === "copying" && failures % MAX_FAILURES === 0 ? "beginning" : move.step;
  return goOn(move, { step, failures, goOnAt: now + pauseMs }, now);
}
