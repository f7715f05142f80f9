// What must go on while D1 is away: claims, reports and cancels are served by owners, with keys that the isolate knows. Lists answer
// 503, and never less than there is.

import type { Answer } from "../platform/platform.ts";
import type { World } from "../world.ts";
import type { JobFacts, Start, Tenant } from "./ledger.ts";

/** These make an isolate forget keys, or a tenant lose them. */
const FORGETFUL = new Set(["operator", "leaver"]);

/** These disturb nobody but D1, and what comes back from it. */
const isOfD1 = (fault: string): boolean =>
  fault.startsWith("d1-") || fault === "clocks-differ" || fault === "requests-lost";

/** Whoever this isolate has served is served by it for an hour. */
export function noteServed({ ledger }: World, tenant: Tenant, answer: Answer | null): void {
  if (answer !== null && answer.status < 300) ledger.servedBy.add(`${answer.by} ${tenant.name}`);
}

/** @param what was asked for: something that needs no row */
export function checkOutage(world: World, tenant: Tenant, answer: Answer | null, what: string): void {
  const { ledger, climate, people } = world;
  if (answer?.status !== 503 || !ledger.servedBy.has(`${answer.by} ${tenant.name}`)) return;
  if (![...climate.keys()].every(isOfD1) || people.some(({ name }) => FORGETFUL.has(name))) return;
  ledger.violated("claims, reports and cancels do without D1", `${tenant.name}: ${what}`);
}

/** Whether nothing has happened to a job that its owner has held since it was created. */
export function waitsForItsTime({ now, skewMs }: World, job: JobFacts): boolean {
  const { knownAt, notBefore, starts, unsettled, changedAt, cancelAsked, revivedAt, mayBeDeleted, key } = job;
  const isUntouched = unsettled === 0 && changedAt === null && !cancelAsked && revivedAt === 0 && !mayBeDeleted;
  const isNear = knownAt !== null && notBefore < knownAt + OWNED_MS && now < notBefore - skewMs - ON_ITS_WAY_MS;
  return isUntouched && isNear && key === null && starts.length === 0;
}

/** A job due within five minutes has its owner before its creation is answered. */
const OWNED_MS = 280_000;
const ON_ITS_WAY_MS = 5_000;

/** Whether a worker's report needs nobody but the owner. */
export const isHeld = ({ now, skewMs }: World, job: JobFacts, { heldUntil }: Start): boolean =>
  now < heldUntil - skewMs - ON_ITS_WAY_MS && job.unsettled === 0 && !job.cancelAsked && !job.mayBeDeleted;

/** Newest first, without a filter: whatever was answered 201 before and is not older than the last one is there. @param askedAt when */
export function checkList({ ledger }: World, tenant: Tenant, { body }: Answer, askedAt: number): void {
  const listed = new Set((body.data as { id: string }[]).map(({ id }) => id));
  const last = body.meta.paging.next_cursor === null ? "" : ([...listed].at(-1) ?? "");
  for (const job of ledger.jobs.values())
    if (job.tenant === tenant && job.knownAt !== null && job.knownAt < askedAt && !job.mayBeDeleted && job.id > last)
      if (!listed.has(job.id)) ledger.violated("a list shows what was answered 201", `job ${job.id} is not in it`);
}
