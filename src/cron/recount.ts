// Adds to the overview what died with the memory of a projector, a few pages a minute. In a healthy service there is nothing to add.

import type { Allowance } from "../domain/allowance.ts";
import { log } from "../log.ts";
import { recount } from "../store/recount.ts";
import type { Here } from "./here.ts";

export async function recountLost({ db, label }: Here, allowance: Allowance, now: number): Promise<void> {
  if (allowance.left < 1) return;
  const counted = await recount(db, allowance.left, now);
  if (!counted.ok) log("warn", "recount_failed", label);
  else if (counted.value > 0) log("info", "recount", { ...label, executions: counted.value });
}
