// Each end that a job wants to be called for is told once, and no other.

import type { World } from "../world.ts";
import type { Tenant } from "./ledger.ts";

export function checkCalls(
  { ledger, now }: World,
  tenant: Tenant,
  listed: ReadonlyMap<string, { readonly status: string }>,
): void {
  const byJob = Map.groupBy([...ledger.calls.values()], ({ about }) => about);
  for (const job of ledger.jobs.values()) {
    const shown = listed.get(job.id);
    if (job.tenant !== tenant || !shown || job.calls.length === 0) continue;
    const told = byJob.get(job.id) ?? [];
    const violated = (rule: string, what: string) => ledger.violated(rule, `job ${job.id}: ${what}`);
    for (const { type } of told)
      if (!job.calls.includes(type.replace("job.", "")))
        violated("a callback tells what it was asked to", `${type}, and it asks for ${job.calls.join(", ")}`);
    const last = told.filter(({ type }) => type === `job.${shown.status}`).length;
    if (job.calls.includes(shown.status) && last === 0)
      violated("each end has its callback", `nobody was called for ${shown.status}, at ${new Date(now).toISOString()}`);
    const expected = job.calls.includes(shown.status) ? 1 : 0;
    if (job.retries !== null && (told.length < expected || told.length > expected + job.retries))
      violated("a callback is made once", `${told.length} calls, ${shown.status} after ${job.retries} retries`);
  }
}
