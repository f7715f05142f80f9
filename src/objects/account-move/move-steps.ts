// The steps of a move. Each leaves the account in one of the two databases, whole: the source's until the directory is switched, the target's
// from then on. Nobody is answered by both, and nothing is written in between.

import { type Account, deleteResident, readAccount } from "../../accounts/accounts-store.ts";
import {
  type AccountMove,
  again,
  goOn,
  isFrozenTooLong,
  isNearlyCopied,
  passed,
  START,
  thawed,
} from "../../domain/account-move.ts";
import { err, ok } from "../../domain/result.ts";
import type { Tally } from "../../domain/tally.ts";
import { log } from "../../log.ts";
import { lookAheadAt } from "../../store/approaching.ts";
import { CALLS_PER_PAGE, copyPage, type Stamped } from "../../store/copy-account.ts";
import {
  callOffMove,
  countTry,
  type Residing,
  readResidence,
  residesElsewhere,
  switchDatabase,
} from "../../store/directory.ts";
import { countsOf, isUncounted, openWith, type Uncounted, uncountedEpochs } from "../../store/move-counts.ts";
import { arrive, close, dismiss, freeze, leave, reopen, thaw } from "../../store/move-stages.ts";
import type { Database, Stored } from "../../store/store.ts";
import { flushNow } from "../projector/ask-flush.ts";
import { type Databases, databasesOf } from "./databases.ts";
import { CALLS_TO_WAKE, wakeNear } from "./wake-near.ts";

const CALLS_PER_STEP = 4;

/** How many calls the next step may make. */
export function callsFor({ step }: AccountMove): number {
  if (step === "waking") return CALLS_TO_WAKE;
  return CALLS_PER_STEP + (step === "beginning" || step === "switching" || step === "leaving" ? 0 : CALLS_PER_PAGE);
}

/** The move as it is after a step; null: it is over. */
type Step = Stored<AccountMove | null>;

/** What has been met since the account was frozen. An instance that does not know begins the last pass again. */
interface LastPass {
  readonly attempt: number;
  readonly uncounted: Uncounted;
  readonly stamped: Stamped[];
  isWhole: boolean;
  /** What the target is opened with, once the pass is whole. */
  opening?: Opening;
}

interface Opening {
  /** The account's row as the target is to have it; null where the directory is. */
  readonly resident: Account | null;
  readonly tally: Tally;
}

const NO_EPOCHS: ReadonlySet<number> = new Set();

export class MoveSteps {
  readonly #env: Cloudflare.Env;
  #lastPass: LastPass | undefined;

  constructor(env: Cloudflare.Env) {
    this.#env = env;
  }

  async take(move: AccountMove): Promise<Step> {
    const at = databasesOf(this.#env, move);
    if (!at.ok) return at;
    const { directory, source, target } = at.value;
    switch (move.step) {
      case "beginning":
        return beginTry(move, at.value);
      case "copying":
        return isNearlyCopied(move) ? this.#prepare(move, directory) : copy(move, source, target);
      case "frozen":
      case "closed":
        return this.#finish(move, at.value);
      case "switching":
        return switchOver(move, directory);
      case "waking":
        return wakeNear(this.#env, move, target);
      case "leaving":
        return leaveSource(move, at.value);
    }
  }

  /** The account is frozen in the next step: when that begins is written down first, so that it never lasts unseen. */
  async #prepare(move: AccountMove, directory: Database): Promise<Step> {
    const residing = await readResidence(directory, move.accountId);
    if (!residing.ok) return residing;
    if (!isToMove(residing.value, move)) return ok(goOn(move, { step: "beginning" }, Date.now()));
    await flushNow(this.#env, move.from); // little is left to be counted
    const now = Date.now();
    return ok(goOn(move, { step: "frozen", place: START, frozenAt: now }, now));
  }

  /** The last pass over a source that stands still. Then that is closed, and the target is opened. */
  async #finish(move: AccountMove, { directory, source, target }: Databases): Promise<Step> {
    const { accountId, attempt, step } = move;
    if (isFrozenTooLong(move, Date.now())) return giveUp(move, source);
    if (this.#lastPass?.attempt !== attempt) return this.#beginLastPass(move, source);
    const pass = this.#lastPass;
    if (!pass.isWhole) {
      const copied = await copyPage({ source, target, accountId, attempt }, move.place, pass.uncounted.epochs);
      if (!copied.ok) return copied;
      const { next, stamped } = copied.value;
      pass.stamped.push(...stamped.filter((one) => isUncounted(pass.uncounted, accountId, one)));
      pass.isWhole = next === null;
      return ok(goOn(move, { place: next ?? START }, Date.now()));
    }
    const opening = pass.opening ? ok(pass.opening) : await this.#openingAfter(pass, move, source, directory);
    if (!opening.ok) return opening;
    if (!opening.value) return ok(goOn(move, { step: "beginning" }, Date.now()));
    pass.opening = opening.value;
    if (step === "frozen") {
      const closed = await close(source, accountId, attempt);
      if (!closed.ok) return closed;
      return closed.value ? ok(goOn(move, { step: "closed" }, Date.now())) : giveUp(move, source);
    }
    const { resident, tally } = opening.value;
    const opened = await openWith(target, move, resident, tally);
    if (!opened.ok) return opened;
    return opened.value ? ok(goOn(move, { step: "switching" }, Date.now())) : giveUp(move, source);
  }

  /**
   * All that the target is opened with is put together while the source is still read: from its closing on nobody is answered until the
   * target is opened and the directory switched, so nothing else is done in between, and the directory has answered just before.
   *
   * @returns null when the account is not to move any more
   */
  async #openingAfter(
    { stamped }: LastPass,
    { accountId, to, from }: AccountMove,
    source: Database,
    directory: Database,
  ): Promise<Stored<Opening | null>> {
    if (!(await flushNow(this.#env, to))) return err({ code: "unavailable", retryAfterSeconds: 1 });
    const tally = await countsOf(source, accountId, stamped);
    if (!tally.ok) return tally;
    const row = await readAccount(directory, accountId);
    if (!row.ok) return row;
    if (!isToMove(row.value, { from, to })) return ok(null);
    return ok({ resident: to === 0 ? null : { ...row.value, database: to, movingTo: null }, tally: tally.value });
  }

  async #beginLastPass(move: AccountMove, source: Database): Promise<Step> {
    const { accountId, attempt, step } = move;
    const stop = step === "closed" ? reopen : freeze; // no switch has been sent yet: the source is read meanwhile
    const frozen = await stop(source, accountId, attempt);
    if (!frozen.ok) return frozen;
    if (!frozen.value) return giveUp(move, source);
    const ahead = await lookAheadAt(source);
    if (!ahead.ok) return ahead;
    const uncounted = await uncountedEpochs(source);
    if (!uncounted.ok) return uncounted;
    this.#lastPass = { attempt, uncounted: uncounted.value, stamped: [], isWhole: false };
    return ok(goOn(move, { step: "frozen", place: START, aheadAt: move.aheadAt ?? ahead.value }, Date.now()));
  }
}

const isToMove = <R extends Residing>(
  residing: R | undefined,
  { from, to }: Pick<AccountMove, "from" | "to">,
): residing is R =>
  residing !== undefined && residing.status !== "deleted" && residing.database === from && residing.movingTo === to;

/** Earlier tries end here: whatever they may have sent does nothing from now on, unless the directory was switched. */
async function beginTry(move: AccountMove, { directory, source, target }: Databases): Promise<Step> {
  const { accountId, to } = move;
  const counted = await countTry(directory, accountId, to);
  if (!counted.ok) return counted;
  const residing = counted.value;
  if (residing?.database === to) return ok(goOn(move, { step: "waking", place: START }, Date.now()));
  const attempt = residing?.moveAttempt ?? move.attempt;
  const elsewhere = to === 0 ? ok(null) : await residesElsewhere(target, accountId, move.from);
  if (!elsewhere.ok) return elsewhere;
  const isWanted = isToMove(residing, move);
  const working = await thaw(source, accountId, isWanted ? attempt - 1 : attempt);
  if (!working.ok) return working;
  if (isWanted) {
    const arriving = await arrive(target, accountId, attempt);
    if (!arriving.ok) return arriving;
    return ok(again(move, attempt, Date.now()));
  }
  const dismissed = await dismiss(target, accountId, attempt);
  if (!dismissed.ok) return dismissed;
  const calledOff = residing ? await callOffMove(directory, accountId, to, attempt) : ok(null);
  if (!calledOff.ok) return calledOff;
  log("info", "account_move_called_off", { account_id: accountId, from: move.from, to });
  return ok(null);
}

async function copy(move: AccountMove, source: Database, target: Database): Promise<Step> {
  const { accountId, attempt, place } = move;
  const copied = await copyPage({ source, target, accountId, attempt }, place, NO_EPOCHS);
  return copied.ok ? ok(passed(move, copied.value.next, copied.value.changed, Date.now())) : copied;
}

/** Before the directory may have been switched the account works again at once; afterwards the directory has to tell. */
async function giveUp(move: AccountMove, source: Database): Promise<Step> {
  const { accountId, from, to, attempt, step } = move;
  if (step === "frozen") {
    const working = await thaw(source, accountId, attempt);
    if (!working.ok) return working;
  }
  log("warn", "account_move_again", { account_id: accountId, from, to, step });
  return ok(thawed(move, Date.now()));
}

/** The one statement that moves the account. */
async function switchOver(move: AccountMove, directory: Database): Promise<Step> {
  const { accountId, to, attempt } = move;
  const switched = await switchDatabase(directory, accountId, to, attempt);
  if (!switched.ok) return switched;
  const now = Date.now();
  if (switched.value?.database !== to) return ok(goOn(move, { step: "beginning" }, now));
  const { from, startedAt, frozenAt, thaws } = move;
  const times = { duration_ms: now - startedAt, frozen_ms: now - (frozenAt ?? now) };
  log("info", "account_moved", { account_id: accountId, from, to, ...times, tries: thaws + 1 });
  return ok(goOn(move, { step: "waking", place: START, frozenAt: null }, now));
}

/** What is left behind is removed by retention. */
async function leaveSource(move: AccountMove, { directory, source, target }: Databases): Promise<Step> {
  const { accountId, from, to, attempt } = move;
  const residing = await readResidence(directory, accountId);
  if (!residing.ok) return residing;
  // Deleted while it moved: the target has to hear of it.
  const isGone = residing.value === undefined || residing.value.status === "deleted";
  const heard = isGone && to !== 0 ? await deleteResident(target, accountId) : ok(null);
  if (!heard.ok) return heard;
  const elsewhere = from === 0 ? ok(null) : await residesElsewhere(source, accountId, to);
  if (!elsewhere.ok) return elsewhere;
  const left = await leave(source, accountId, attempt);
  return left.ok ? ok(null) : left;
}
