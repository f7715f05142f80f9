// The reason that a job's `waiting_on` gives, held against what the ledger knows of that moment.

import type { World } from "../world.ts";
import { wrongInFlow } from "./flows.ts";
import type { JobFacts } from "./ledger.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A job due no longer than this is about to start. */
const GRACE_MS = 5 * SECOND;
/** What a worker's request and its answer may take on their ways, and how long the queue may take to hear of it. */
const ON_ITS_WAY_MS = 5 * SECOND;

/** A worker that has been given a job early may be believed to ask for as long as it wanted to wait. */
const LONG_POLL_MS = 20 * SECOND;
/** A waiting room that was taken out of memory knows of the last poll on half a minute, and gives workers the benefit of that. */
const PRESENCE_LAG_MS = 30 * SECOND;

/** Whether it is too long ago that a worker asked for a job to be waiting for one. */
export const isForgotten = (polled: number, askedAt: number): boolean =>
  polled < askedAt - MINUTE - LONG_POLL_MS - PRESENCE_LAG_MS - ON_ITS_WAY_MS;

const WAITING = new Set(["pending", "queued", "retrying"]);

export interface Shown {
  readonly status: string;
  readonly handler: string | null;
  readonly delivery: { readonly type: string; readonly queue?: string | null };
  readonly waiting_on: { readonly reason: string; readonly message: string } | null;
}

/** Between `askedAt` and now nobody has changed the job. */
export function checkWaiting(world: World, job: JobFacts, shown: Shown, askedAt: number): void {
  const { ledger } = world;
  const { waiting_on: wait, status, delivery } = shown;
  const violated = (what: string) => ledger.violated("waiting_on is true", `job ${job.id} is ${status}: ${what}`);
  if (WAITING.has(status) !== (wait !== null)) violated(`it waits on ${wait?.reason ?? "nothing"}`);
  if (wait === null) return;
  world.note(`waits-${wait.reason}`, job.id);
  const wrong = wrongIn(world, job, shown, askedAt);
  if (wrong !== null) violated(`${wait.reason} (${wait.message}), and ${wrong}`);
  if (["waiting_for_worker", "no_worker"].includes(wait.reason) && delivery.type !== "pull")
    violated(`${wait.reason}, and it is a push`);
}

/** @returns why the reason is not true; null when it may be */
function wrongIn(world: World, job: JobFacts, { waiting_on: wait, handler, delivery }: Shown, askedAt: number) {
  const { now, skewMs, climate, ledger } = world;
  const isCalm = climate.size === 0;
  const { notBefore, starts, tenant, revivedAt } = job;
  const isSure = isCalm && tenant.suspensions.length === 0 && revivedAt === 0;
  switch (wait?.reason) {
    case "not_due":
      if (isSure && starts.length > 0) return "it has begun already";
      return isSure && askedAt > notBefore + GRACE_MS ? `it is due for ${askedAt - notBefore} ms` : null;
    case "backoff":
      if (isSure && starts.length === 0) return "it has never begun";
      return isSure && starts.at(-1)?.outcome === "completed" ? "its last attempt went well" : null;
    case "overdue":
      if (isCalm) return "the service is well";
      return job.changedAt === null && revivedAt === 0 && now + skewMs < notBefore
        ? `it is not due for ${notBefore - now} ms`
        : null;
    case "account_suspended":
      return tenant.suspensions.length === 0 ? "it never was" : null;
    case "waiting_for_worker":
    case "no_worker": {
      if (!isSure) return null;
      if (now < notBefore) return `it is not due for ${notBefore - now} ms`;
      if (delivery.queue != null) return wait.reason === "no_worker" ? "it is a consumer's" : null;
      const polled = ledger.polls.get(`${tenant.name} ${handler}`) ?? Number.NEGATIVE_INFINITY;
      const isAsked = polled > askedAt - MINUTE + ON_ITS_WAY_MS;
      if (wait.reason === "no_worker") return isAsked ? `a worker asked ${now - polled} ms ago` : null;
      return isForgotten(polled, askedAt) && !wait.message.includes("could not be found out")
        ? `no worker has asked for ${now - polled} ms`
        : null;
    }
    case "flow_limited":
    case "flow_paused":
      return wrongInFlow(world, job, wait.reason, askedAt);
    default:
      return "there is no such reason here";
  }
}
