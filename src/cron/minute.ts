// What the cron does each minute for each database: it wakes the owners of jobs that come near, asks those that are overdue,
// deletes old rows, and counts what a crash has left uncounted. Each goes its own way: a fault in one is logged and stops none of the others.

import { Allowance, callsAllowed, whoseTurn } from "../domain/allowance.ts";
import { log, nameOf } from "../log.ts";
import { everywhere, type Here } from "./here.ts";
import { wakeApproaching } from "./look-ahead.ts";
import { clearMoves, wakeMoves } from "./moves.ts";
import { recountLost } from "./recount.ts";
import { cleanUp } from "./retention.ts";
import { sweep } from "./sweep.ts";

/** How the calls of an invocation are shared out. What is left goes to requests of other kinds. */
const SHARE = { lookAhead: 0.4, sweep: 0.3, retention: 0.2, recount: 0.06 } as const;

/** With several databases, for accounts that move between them: this twice. */
const SHARE_OF_MOVES = 0.05;

export async function everyMinute(env: Cloudflare.Env, now: number): Promise<void> {
  const all = everywhere(env);
  const calls = callsAllowed(env.SUBREQUESTS);
  const [directory, ...others] = all;
  if (!directory) return;
  if (others.length === 0) return minuteOf(directory, calls, now);
  const these = whoseTurn(all, calls, now);
  const each = calls / these.length;
  await Promise.all([
    apart("moves", directory, () => wakeMoves(env, new Allowance(calls * SHARE_OF_MOVES))),
    ...these.map((here) => apart("moves", here, () => clearMoves(here, new Allowance(each * SHARE_OF_MOVES)))),
    ...these.map((here) => minuteOf(here, each * (1 - 2 * SHARE_OF_MOVES), now)),
  ]);
}

async function minuteOf(here: Here, calls: number, now: number): Promise<void> {
  const alone = (task: string, run: () => Promise<void>) => apart(task, here, run);
  await Promise.all([
    alone("look_ahead", () => wakeApproaching(here, new Allowance(calls * SHARE.lookAhead), now)),
    alone("sweep", () => sweep(here, new Allowance(calls * SHARE.sweep), now)),
    alone("retention", () => cleanUp(here, new Allowance(calls * SHARE.retention), now)),
    alone("recount", () => recountLost(here, new Allowance(calls * SHARE.recount), now)),
  ]);
}

async function apart(task: string, { label }: Here, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    log("error", "cron_fault", { task, ...label, error: nameOf(thrown) });
  }
}
