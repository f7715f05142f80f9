// What the cron does each minute for each database: it wakes the owners of jobs that come near, asks those that are overdue,
// deletes old rows, and counts what a crash has left uncounted. Each goes its own way: a fault in one is logged and stops none of the others.

import { Allowance, callsAllowed, whoseTurn } from "../domain/allowance.ts";
import { log, nameOf } from "../log.ts";
import { everywhere, type Here } from "./here.ts";
import { wakeApproaching } from "./look-ahead.ts";
import { recountLost } from "./recount.ts";
import { cleanUp } from "./retention.ts";
import { sweep } from "./sweep.ts";

/** How the calls of an invocation are shared out. What is left goes to requests of other kinds. */
const SHARE = { lookAhead: 0.4, sweep: 0.3, retention: 0.2, recount: 0.06 } as const;

export async function everyMinute(env: Cloudflare.Env, now: number): Promise<void> {
  const calls = callsAllowed(env.SUBREQUESTS);
  const these = whoseTurn(everywhere(env), calls, now);
  await Promise.all(these.map((here) => minuteOf(here, calls / these.length, now)));
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
