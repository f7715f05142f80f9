// Deletes what ended long ago, a few pages a minute.

import { log } from "../log.ts";
import { retain } from "../store/retention.ts";
import { databaseOf } from "../store/store.ts";
import type { Allowance } from "./allowance.ts";

const DEFAULT_RETENTION_DAYS = 30;

export async function cleanUp(env: Cloudflare.Env, allowance: Allowance, now: number): Promise<void> {
  const days = Number(env.RETENTION_DAYS);
  const deleted = await retain(databaseOf(env.DB), days > 0 ? days : DEFAULT_RETENTION_DAYS, allowance.left, now);
  if (!deleted.ok) log("warn", "retention_failed", {});
  else if (deleted.value > 0) log("info", "retention", { deleted: deleted.value });
}
