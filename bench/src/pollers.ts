// Pull workers: each claims, notes when the jobs came, reports them completed, and claims again.

import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./load.ts";
import type { Arrival } from "./receiving.ts";
import type { Tenant } from "./systems/tenant.ts";

export interface Pollers {
  /** What came of these jobs, once all have or at `deadline`. */
  arrivals(ids: ReadonlySet<string>, deadline: number): Promise<Arrival[]>;
  /** Everything that came so far. */
  all(): readonly Arrival[];
  /** How many jobs were reported so far. */
  count(): number;
  /** Claims that were answered so far, with a job or without. */
  claims(): number;
  /** Lets the polls under way end. */
  stop(): Promise<void>;
}

/** Short, so that stopping is. */
const POLL_SECONDS = 2;

interface Claimed {
  readonly job_id: string;
  readonly execution_id: string;
  readonly scheduled_for: string;
}

export interface Working {
  readonly handler: string;
  /** How many workers each tenant has. */
  readonly workers: number;
  /** Jobs of one claim, and reports of one call. 1: the calls for a single job. */
  readonly atOnce: number;
}

export function startPollers(tenants: readonly Tenant[], { handler, workers, atOnce }: Working): Pollers {
  const agent = new Agent({ keepAlive: true, maxSockets: tenants.length * workers });
  const arrived: Arrival[] = [];
  let claims = 0;
  let reported = 0;
  let stopped = false;
  let fault: unknown;
  const claimOf = async (tenant: Tenant): Promise<readonly Claimed[]> => {
    const claim = { handlers: [handler], wait_time_seconds: POLL_SECONDS };
    const body = atOnce === 1 ? claim : { ...claim, max_jobs: atOnce };
    const { data } = (await post(tenant.workerCall("claim", body), agent)) as { data: Claimed | Claimed[] | null };
    claims++;
    return data === null ? [] : [data].flat();
  };
  const reportFor = async (tenant: Tenant, jobs: readonly Claimed[]): Promise<void> => {
    const [only] = jobs;
    if (atOnce === 1 && only) {
      await post(tenant.workerCall(`${only.job_id}/complete`, { execution_id: only.execution_id }), agent);
    } else if (only) {
      const reports = jobs.map(({ job_id, execution_id }) => ({ job_id, execution_id, status: "completed" }));
      const { data } = (await post(tenant.workerCall("report", { reports }), agent)) as { data: { status: number }[] };
      const refused = data.find(({ status }) => status !== 200);
      if (refused) throw new Error(`a report was answered ${refused.status}`);
    }
    reported += jobs.length;
  };
  const work = async (tenant: Tenant) => {
    while (!stopped) {
      const jobs = await claimOf(tenant);
      const at = Date.now();
      for (const { job_id, scheduled_for } of jobs) arrived.push({ id: job_id, due: Date.parse(scheduled_for), at });
      await reportFor(tenant, jobs);
    }
  };
  const working = Promise.all(tenants.flatMap((tenant) => Array.from({ length: workers }, () => work(tenant)))).catch(
    (error) => (fault = error),
  );
  const soundly = () => {
    if (fault !== undefined) throw fault;
  };
  return {
    async arrivals(ids, deadline) {
      const own = () => arrived.filter(({ id }) => ids.has(id));
      while (own().length < ids.size && Date.now() < deadline && fault === undefined) await sleep(50);
      soundly();
      return own();
    },
    all() {
      soundly();
      return arrived;
    },
    count() {
      soundly();
      return reported;
    },
    claims: () => claims,
    async stop() {
      stopped = true;
      await working;
      agent.destroy();
      soundly();
    },
  };
}
