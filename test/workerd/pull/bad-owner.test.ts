// An owner that cannot answer holds nobody up: its entry is left to lapse, and the jobs behind it are handed out.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance } from "../harness/clock.ts";
import type { JobUnderTest } from "../harness/job.ts";
import { claim, queuedJob } from "./worker.ts";

/** A loop that is not bounded ends here, so that the test can say so. */
const ENOUGH = 500;

const UNAVAILABLE = { ok: false, error: { code: "unavailable", retryAfterSeconds: 5 } };

const FAULTS: Record<string, () => Promise<unknown>> = {
  "always answers `unavailable`": async () => UNAVAILABLE,
  "throws at each lease": async () => {
    throw new Error("the object is overloaded");
  },
};

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(env.EXECUTIONS, "send").mockRejectedValue(new Error("the queue is down"));
});

/** The owners of these jobs have this fault; all others are themselves. */
function owners(bad: readonly JobUnderTest[], fault: () => Promise<unknown>) {
  const names = new Set(bad.map(({ id }) => `${account.id}/${id}`));
  let leases = 0;
  const lease = () => (++leases > ENOUGH ? Promise.resolve({ ok: false, error: { code: "job_not_found" } }) : fault());
  const getByName = (name: string) => (names.has(name) ? { lease } : env.JOBS.getByName(name));
  return { JOBS: { getByName }, leases: () => leases };
}

describe.each(Object.entries(FAULTS))("an owner that %s", (_, fault) => {
  it.each([0, 2])("does not keep the job behind it from a worker that waits %i s", async (waitSeconds) => {
    const bad = await queuedJob(account);
    advance(1);
    const healthy = await queuedJob(account);
    const { JOBS, leases } = owners([bad], fault);
    const { status, body } = await claim<{ job_id: string } | null>(
      account,
      { wait_time_seconds: waitSeconds },
      { JOBS },
    );
    expect([status, body.data?.job_id]).toEqual([200, healthy.id]);
    expect(leases()).toBe(1);
  });

  it("alone in the line is asked once, and the worker is told that nothing is there", async () => {
    const { JOBS, leases } = owners([await queuedJob(account)], fault);
    const { status, body } = await claim<{ job_id: string } | null>(account, {}, { JOBS });
    expect([status, body.data, leases()]).toEqual([200, null, 1]);
  });
});
