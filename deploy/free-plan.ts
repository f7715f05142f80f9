// Settings that the Workers Free plan refuses. The service's own wrangler.toml has none of them.
import type { WranglerConfig } from "./config.ts";

/** Compressed. */
export const FREE_WORKER_BYTES = 3 * 1024 * 1024;
const FREE_CRONS = 5;

/** @returns one sentence for each setting that would be refused */
export function refusedOnFree(config: WranglerConfig): string[] {
  const refused: string[] = [];
  const given = (key: string) => config[key] !== undefined;
  if (given("limits")) refused.push("[limits] needs the Workers Paid plan");
  if (given("logpush")) refused.push("logpush needs the Workers Paid plan");
  if (given("tail_consumers")) refused.push("tail_consumers needs the Workers Paid plan");
  if (given("containers")) refused.push("containers need the Workers Paid plan");
  const { crons = [] } = (config.triggers ?? {}) as { crons?: string[] };
  if (crons.length > FREE_CRONS)
    refused.push(`${crons.length} crons are more than the ${FREE_CRONS} of an account on the Free plan`);
  const migrations = (config.migrations ?? []) as { tag: string; new_classes?: string[] }[];
  for (const { tag, new_classes = [] } of migrations)
    if (new_classes.length > 0)
      refused.push(`migration ${tag} has new_classes: the Free plan knows new_sqlite_classes only`);
  return refused;
}
