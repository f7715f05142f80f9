// Workers fail and die, and still every job comes to its end, once.

import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { FULL_SIZE } from "../harness/size.ts";
import { Batch } from "./harness/batch.ts";
import { Fleet } from "./harness/fleet.ts";

const JOBS = FULL_SIZE ? 1_000 : 200;
const KILLS = FULL_SIZE ? 10 : 4;
const WORKERS = 8;
/** Four at a time in each worker: whoever is killed has some in hand. */
const WORK_MS = 500;
const MAX_RETRIES = 2;
const FAILURES = 0.3;

let service: Service;
beforeAll(async () => {
  service = await sharedService();
});

/** Chance with a seed: the same failures in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it(`ends ${JOBS} jobs of ${WORKERS} workers, one killed each second, each once`, { timeout: 600_000 }, async () => {
  const tenant = await service.newTenant();
  const random = chance(1);
  const batch = new Batch(tenant);
  await batch.create(JOBS, (i) => {
    const failsIn = [1, 2, 3].filter(() => random() < FAILURES);
    return { name: `${i}`, handler: "work", payload: { failsIn }, timeout: 3, maxRetries: MAX_RETRIES };
  });
  const fleet = await Fleet.of(WORKERS, tenant, service.folder, WORK_MS);
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(1_000);
      await fleet.killOne();
    }
    await batch.untilEnded(300_000);
    expect(await fleet.stop()).toEqual(Array(WORKERS).fill(0));

    const histories = await batch.histories();
    const begun = Map.groupBy(fleet.journal.read(), ({ executionId }) => executionId);
    const ends = histories.map(({ job }) => job.status);
    expect(new Set(ends)).toEqual(new Set(["completed", "failed"]));
    for (const { job, executions } of histories) {
      const statuses = executions.map(({ status }) => status);
      const completions = statuses.filter((status) => status === "completed");
      expect(completions, job.id).toHaveLength(job.status === "completed" ? 1 : 0);
      expect(executions.map(({ attempt }) => attempt)).toEqual(executions.map((_, i) => i + 1));
      if (job.status === "failed") expect(statuses, job.id).toHaveLength(1 + MAX_RETRIES);
      if (job.status === "completed") {
        expect(statuses.at(-1)).toBe("completed");
        expect(job.result).toEqual({ executionId: executions.at(-1)?.id });
      }
      for (const { id, status, workerId } of executions) {
        expect(["completed", "failed", "timed_out"]).toContain(status);
        // A worker killed between its claim and its first word has begun nothing.
        const owners = (begun.get(id) ?? []).map((one) => one.workerId);
        expect(owners, `${id} ${status}`).toEqual(owners.length === 0 && status === "timed_out" ? [] : [workerId]);
      }
    }
    const killed = histories.flatMap(({ executions }) => executions).filter(({ status }) => status === "timed_out");
    expect(killed.length).toBeGreaterThan(0);
    console.info(
      `${JOBS} jobs: ${ends.filter((end) => end === "completed").length} completed, ` +
        `${ends.filter((end) => end === "failed").length} failed, ${begun.size} executions begun, ` +
        `${killed.length} timed out after ${KILLS} kills`,
    );
  } finally {
    await fleet.stop();
  }
});
