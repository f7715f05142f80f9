// Those who ask why a job of theirs has not run yet.

import { checkWaiting } from "../judge/waiting.ts";
import type { Chance } from "../platform/chance.ts";
import { type Client, isDone } from "./client.ts";

const SECOND = 1_000;

export async function asker(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(4 * SECOND));
    const { ledger } = world;
    const jobs = [...ledger.jobs.values()].filter((job) => job.tenant === tenant && job.kind !== "schedule");
    const job = jobs.at(-1 - chance.int(0, Math.max(0, Math.min(12, jobs.length - 1))));
    if (!world.isOpen || !job || job.knownAt === null) continue;
    const [askedAt, isSettled, changedAt, begun] = [world.now, job.unsettled === 0, job.changedAt, job.starts.length];
    const answer = await client.once("GET", `/v1/jobs/${job.id}`);
    const isAlone = isSettled && job.unsettled === 0 && job.changedAt === changedAt && !job.cancelAsked;
    // What begins while it is asked may be shown before or after.
    if (isDone(answer) && isAlone && job.starts.length === begun && job.key === null && !job.mayBeDeleted)
      checkWaiting(world, job, answer.body.data, askedAt);
  }
}
