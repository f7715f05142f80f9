// Jobs that come near: an hour before its time a row gets its owner. The look ahead walks in front of the clock and wakes the
// owners of the rows it passes.

import type { Allowance } from "../domain/allowance.ts";
import { log } from "../log.ts";
import { jobAt } from "../objects/addresses.ts";
import { approaching, horizonOf, keepPlace, placeKept } from "../store/approaching.ts";
import type { Here } from "./here.ts";
import { PAGE_SIZE, wakeAll } from "./wake-all.ts";

/** One run of the walk. Where it stops, the next goes on; a row it never reaches is the sweeper's when due. */
export async function wakeApproaching({ env, db, label }: Here, allowance: Allowance, now: number): Promise<void> {
  if (!allowance.take(2)) return; // the place, read and kept
  const began = await placeKept(db, now);
  if (!began.ok) return log("warn", "look_ahead_failed", { ...label, woken: 0 });
  let place = began.value;
  let woken = 0;
  for (;;) {
    const size = Math.min(PAGE_SIZE, allowance.left - 1);
    if (size < 1) break;
    const found = await approaching(db, place, now, size);
    if (!found.ok) {
      log("warn", "look_ahead_failed", { ...label, woken });
      break;
    }
    allowance.take(1 + found.value.length);
    const answered = await wakeAll(found.value.map((row) => () => jobAt(env, row).wake(row)));
    woken += answered;
    if (answered < found.value.length)
      log("warn", "look_ahead_failed", { ...label, woken, silent: found.value.length - answered });
    // If nobody answers, the next run tries again. A few silent owners must not hold up those behind them: the sweeper wakes them.
    if (answered === 0 && found.value.length > 0) break;
    place = found.value.at(-1) ?? place;
    if (found.value.length < size) {
      place = horizonOf(now);
      break;
    }
  }
  const kept = await keepPlace(db, place);
  if (!kept.ok) log("warn", "look_ahead_failed", { ...label, woken });
}
