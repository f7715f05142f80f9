// Asks the PullQueues of a claim's handlers for nominations: each at once, then, if nothing was due, waiting at each.

import type { Offer } from "../../delivery/enqueue.ts";
import type { Unavailable } from "../../domain/refusal.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { ask, pullQueueAt } from "../addresses.ts";
import { takeSettled } from "./settled.ts";

export interface Poll {
  readonly accountId: string;
  readonly handlers: readonly string[];
  /** How many jobs are wanted at most. */
  readonly most: number;
  readonly pollId: string;
  /** The worker's name for itself. */
  readonly workerId: string | null;
  /** Does what is left to do behind the answer. */
  readonly later: (work: Promise<unknown>) => void;
}

export type Nominated = Result<readonly Offer[], Unavailable>;

/** Calls that may wait at once: an invocation has six connections in production, and its leases need one. */
const MAX_OPEN = 5;

/** With more handlers than that, how long a call waits at one before it goes on to the next. */
const TURN_MS = 250;

/** How long a poll leaves a PullQueue alone that did not answer. */
const PAUSE_MS = 1_000;

/** What is due now, oldest first over all handlers. */
export async function nominateNow(env: Cloudflare.Env, poll: Poll): Promise<Nominated> {
  const shares = await sharesOf(env, poll);
  if (!shares.ok) return shares;
  const answers = await Promise.all(shares.value.map(([handler, most]) => nominateAt(env, poll, handler, most, 0)));
  return joined(answers);
}

/** The same, and if nothing is due, whatever is due first within `waitMs`. */
export async function nominateWithin(
  env: Cloudflare.Env,
  poll: Poll,
  waitMs: number,
  gone: AbortSignal,
): Promise<Nominated> {
  if (poll.handlers.length > 1) {
    const due = await nominateNow(env, poll);
    if (!due.ok || due.value.length > 0) return due;
  }
  return waitAtEach(env, poll, waitMs, gone);
}

export async function giveBack(env: Cloudflare.Env, accountId: string, offers: readonly Offer[]): Promise<void> {
  const byHandler = Map.groupBy(offers, ({ handler }) => handler);
  await Promise.all(
    [...byHandler].map(([handler, back]) => ask(() => pullQueueAt(env, accountId, handler).giveBack(back))),
  );
}

/** How many to take from whom, so that the oldest due come first. One PullQueue alone need not be asked. */
async function sharesOf(
  env: Cloudflare.Env,
  { accountId, handlers, most, workerId }: Poll,
): Promise<Result<readonly (readonly [handler: string, most: number])[], Unavailable>> {
  const [only, ...others] = handlers;
  if (only !== undefined && others.length === 0) return ok([[only, most]]);
  const answers = await Promise.all(
    handlers.map(async (handler) => {
      const due = await ask(() => pullQueueAt(env, accountId, handler).dueTimes(most, workerId));
      return due.ok ? ok(due.value.map((dueAt) => ({ handler, dueAt }))) : due;
    }),
  );
  const due = joined(answers);
  if (!due.ok) return due;
  const byHandler = Map.groupBy(due.value.slice(0, most), ({ handler }) => handler);
  return ok([...byHandler].map(([handler, taken]) => [handler, taken.length] as const));
}

async function nominateAt(
  env: Cloudflare.Env,
  { accountId, pollId, workerId }: Poll,
  handler: string,
  most: number,
  waitMs: number,
): Promise<Nominated> {
  const found = await ask(() =>
    pullQueueAt(env, accountId, handler).nominate(pollId, most, waitMs, takeSettled(accountId, handler), workerId),
  );
  return found.ok ? ok(found.value.map((entry) => ({ ...entry, handler }))) : found;
}

/**
 * Waits at each handler's PullQueue until one of them has something, or the time is over, or the client has gone. At more
 * than five handlers in turns: then a job may have to wait for its turn.
 */
function waitAtEach(env: Cloudflare.Env, poll: Poll, waitMs: number, gone: AbortSignal): Promise<Nominated> {
  const { accountId, handlers, most, pollId, later } = poll;
  const until = performance.now() + waitMs;
  const waitingAt = new Set<string>();
  const isOver = () => served || gone.aborted || performance.now() >= until;
  let served = false;
  const leave = () => {
    for (const handler of waitingAt) later(ask(() => pullQueueAt(env, accountId, handler).leave(pollId)));
  };
  return new Promise((resolve) => {
    const walk = async (group: readonly string[]) => {
      // Counted as well: a PullQueue that answers too early must not be asked without a pause.
      for (let turn = 0; !isOver() && turn * TURN_MS < waitMs; turn++) {
        const handler = group[turn % group.length] ?? "";
        const left = until - performance.now();
        waitingAt.add(handler);
        const found = await nominateAt(env, poll, handler, most, group.length > 1 ? Math.min(left, TURN_MS) : left);
        waitingAt.delete(handler);
        if (!found.ok) await scheduler.wait(Math.max(0, Math.min(PAUSE_MS, until - performance.now())));
        else if (found.value.length > 0 && served) await giveBack(env, accountId, found.value);
        else if (found.value.length > 0) {
          served = true;
          resolve(found);
          leave();
        } else if (group.length === 1) return;
      }
    };
    gone.addEventListener("abort", leave);
    const walks = Array.from({ length: Math.min(MAX_OPEN, handlers.length) }, (_, i) =>
      walk(handlers.filter((_, n) => n % MAX_OPEN === i)),
    );
    later(
      Promise.all(walks).then(() => {
        gone.removeEventListener("abort", leave);
        resolve(ok([]));
      }),
    );
  });
}

/** What those have said who answered, oldest due first; the fault if nobody did. */
function joined<T extends { readonly dueAt: number }>(
  answers: readonly Result<readonly T[], Unavailable>[],
): Result<readonly T[], Unavailable> {
  const silent = answers.find((answer) => !answer.ok);
  if (silent && !silent.ok && answers.every((answer) => !answer.ok)) return err(silent.error);
  return ok(answers.flatMap((answer) => (answer.ok ? answer.value : [])).sort((a, b) => a.dueAt - b.dueAt));
}
