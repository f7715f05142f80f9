// Pull workers: each claims, notes when the job came, completes it, and claims again.

import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./load.ts";
import type { Arrival } from "./receiving.ts";
import type { Service } from "./systems/service.ts";

export interface Pollers {
  /** What came of these jobs, once all have or at `deadline`. */
  arrivals(ids: ReadonlySet<string>, deadline: number): Promise<Arrival[]>;
  /** How many jobs came so far. */
  count(): number;
  /** Claims that were answered so far, with a job or without. */
  claims(): number;
  /** Lets the polls under way end. */
  stop(): Promise<void>;
}

/** Short, so that stopping is. */
const POLL_SECONDS = 2;

/** Below the limit of 1,000 requests in 10 s for a key's worker endpoints, whichever way the windows fall. */
const USES = 450;

interface ClaimAnswer {
  readonly data: { readonly job_id: string; readonly execution_id: string; readonly scheduled_for: string } | null;
}

export function startPollers(service: Service, handler: string, count: number): Pollers {
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const arrived: Arrival[] = [];
  let claims = 0;
  let uses = 0;
  let stopped = false;
  let fault: unknown;
  const key = () => service.workerKeys[Math.floor(uses++ / USES) % service.workerKeys.length] ?? "";
  const ask = (path: string, body: object) => post(service.call(key(), `/v1/worker/jobs/${path}`, body), agent);
  const work = async () => {
    while (!stopped) {
      const { data } = (await ask("claim", { handlers: [handler], wait_time_seconds: POLL_SECONDS })) as ClaimAnswer;
      claims++;
      if (!data) continue;
      arrived.push({ id: data.job_id, due: Date.parse(data.scheduled_for), at: Date.now() });
      await ask(`${data.job_id}/complete`, { execution_id: data.execution_id });
    }
  };
  const working = Promise.all(Array.from({ length: count }, work)).catch((error) => (fault = error));
  return {
    async arrivals(ids, deadline) {
      const own = () => arrived.filter(({ id }) => ids.has(id));
      while (own().length < ids.size && Date.now() < deadline && fault === undefined) await sleep(50);
      if (fault !== undefined) throw fault;
      return own();
    },
    count: () => arrived.length,
    claims: () => claims,
    async stop() {
      stopped = true;
      await working;
      agent.destroy();
    },
  };
}
