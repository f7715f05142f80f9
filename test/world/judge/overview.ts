// The overview equals the executions, once everything that a death left uncounted has been recounted; and a healthy service writes no
// row more than the bill says.

import { Client, isDone } from "../people/client.ts";
import type { World } from "../world.ts";
import type { Tenant } from "./ledger.ts";

/** A lease that goes on is reported no more often. */
const LEASE_REPORTED_MS = 15_000;

export interface Counted {
  readonly status: string;
  readonly attempts: number;
}

interface Bucket {
  readonly started: number;
  readonly completed: number;
}

export async function checkOverview(world: World, tenant: Tenant, jobs: readonly Counted[]): Promise<void> {
  // What is deleted before the recount has come to it is not counted; what is retried is counted in other ways.
  const isChanged = [...world.ledger.jobs.values()].some((job) => job.tenant === tenant && job.mayBeDeleted);
  if (isChanged) return;
  const answer = await new Client(world, tenant).surely("GET", "/v1/overview?window=24h");
  if (!isDone(answer)) return world.ledger.violated("the overview is answered", `${answer?.status}`);
  const buckets = answer.body.data.buckets as Bucket[];
  const sum = (of: (bucket: Bucket) => number) => buckets.reduce((all, bucket) => all + of(bucket), 0);
  const shown = { started: sum(({ started }) => started), completed: sum(({ completed }) => completed) };
  const counted = {
    started: jobs.reduce((all, { attempts }) => all + attempts, 0),
    completed: jobs.filter(({ status }) => status === "completed").length,
  };
  if (shown.started !== counted.started || shown.completed !== counted.completed)
    world.ledger.violated(
      "the overview equals the executions",
      `${JSON.stringify(shown)}, and there are ${JSON.stringify(counted)}`,
    );
}

/**
 * In a healthy service an attempt is at most three writes of its job's row: that it waits for a worker, that it runs, if either lasts,
 * and how it ended. What a person asks for is one or two more, and a lease that goes on is one every 15 seconds.
 */
export function checkBill(world: World, jobs: readonly Counted[]): void {
  const { climate, people, platform, ledger, history } = world;
  if (climate.size > 0 || people.some(({ name }) => name === "bulk-actor")) return;
  const attempts = jobs.reduce((all, one) => all + Math.max(1, one.attempts), 0);
  const count = (kind: string) => history.counts.get(kind) ?? 0;
  const starts = [...ledger.jobs.values()].flatMap((job) => job.starts);
  const lasting = starts.reduce((all, { at, heldUntil }) => all + Math.floor((heldUntil - at) / LEASE_REPORTED_MS), 0);
  const most = 3 * attempts + 2 * count("asks") + lasting;
  const updates = platform.databases.reduce((sum, { written }) => sum + (written.get("update jobs") ?? 0), 0);
  if (updates > most)
    ledger.violated("no row is written beyond the bill", `${updates} updates of jobs, for ${attempts} attempts`);
  // An owner asks its flow once for an attempt, again when its turn is over or a worker takes it, and never while it waits in line.
  const inFlows = [...ledger.jobs.values()].filter(({ flow, flowSince }) => flow !== null || flowSince !== null);
  const mostAsked = 20 + 2 * count("asks") + 3 * inFlows.reduce((all, job) => all + 1 + job.starts.length, 0);
  if (world.weather.flowsAsked > mostAsked)
    ledger.violated(
      "whoever waits in line does not ask",
      `${world.weather.flowsAsked} questions, and ${mostAsked} may be`,
    );
}
