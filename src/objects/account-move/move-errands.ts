// What an AccountMoveObject's alarm does: one step after the other, each written down when it is done. Every step may be done again.

import { type AccountMove, heldUp } from "../../domain/account-move.ts";
import { Allowance, callsAllowed } from "../../domain/allowance.ts";
import { log } from "../../log.ts";
import type { StateRecord } from "../state-record.ts";
import { callsFor, type MoveSteps } from "./move-steps.ts";

/** What of the calls an invocation may make is planned for. */
const SHARE = 0.9;

/** One ring of the alarm takes no longer than this, and the step under way. The platform ends it after 15 minutes. */
const RING_MS = 60_000;

/** Does steps until one fails, or this invocation has made all the calls it may make: then the alarm rings again. */
export async function runMoveErrands(
  record: StateRecord<AccountMove>,
  steps: MoveSteps,
  env: Cloudflare.Env,
): Promise<void> {
  const startedAt = Date.now();
  const allowance = new Allowance(callsAllowed(env.SUBREQUESTS) * SHARE);
  for (let done = 0; Date.now() < startedAt + RING_MS; done++) {
    const move = record.read();
    if (!move || move.goOnAt > Date.now()) return;
    if (!allowance.take(callsFor(move)) && done > 0) return; // every ring goes on by a step
    const next = await steps.take(move);
    const now = Date.now();
    if (!next.ok) {
      const { accountId, from, to, step, failures } = move;
      log("warn", "account_move_held", { account_id: accountId, from, to, step, failures: failures + 1 });
      record.write(heldUp(move, now), now);
    } else if (next.value) record.write(next.value, now);
    else return record.erase();
  }
}
