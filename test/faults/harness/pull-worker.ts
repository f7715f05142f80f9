// A real worker: it polls, works, keeps its lease, and reports until it is heard.

import { setTimeout as sleep } from "node:timers/promises";
import { Chance } from "./chance.ts";
import type { PatientTenant } from "./patient-tenant.ts";

/** A job in its hands. */
export interface Work {
  readonly jobId: string;
  readonly executionId: string;
  readonly at: number;
  /** What the service said of the report: accepted, or too late. */
  report: "completed" | "failed" | "lease_lost" | null;
}

interface Claimed {
  readonly job_id: string;
  readonly execution_id: string;
  readonly payload: { readonly fails?: number; readonly work_ms?: number };
}

export class PullWorker {
  readonly work: Work[] = [];
  readonly #tenant: PatientTenant;
  readonly #chance: Chance;
  readonly #waitSeconds: number;
  #stopping = false;
  readonly #done: Promise<unknown>;
  /** Why it gave up, if it did: nobody answered it. */
  failure: unknown;

  /** @param waitSeconds how long a poll waits for a job */
  constructor(tenant: PatientTenant, seed: number, polls: number, waitSeconds = 2) {
    this.#tenant = tenant;
    this.#waitSeconds = waitSeconds;
    this.#chance = new Chance(seed);
    const lanes = Array.from({ length: polls }, () => this.#run());
    this.#done = Promise.all(lanes).catch((thrown: unknown) => {
      this.failure = thrown;
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const claimed = await this.#tenant.call<Claimed | null>("POST", "/v1/worker/jobs/claim", {
        handlers: ["work"],
        wait_time_seconds: this.#waitSeconds,
      });
      if (claimed.status === 200 && claimed.body.data) await this.#do(claimed.body.data);
      else if (claimed.status !== 200) await sleep(100);
    }
  }

  async #do({ job_id, execution_id, payload }: Claimed): Promise<void> {
    const before = this.work.filter((one) => one.jobId === job_id && one.report === "failed").length;
    const work: Work = { jobId: job_id, executionId: execution_id, at: Date.now(), report: null };
    this.work.push(work);
    await sleep(payload.work_ms ?? 0);
    const fails = before < (payload.fails ?? 0);
    if (this.#chance.happens(30)) await this.#say(job_id, "heartbeat", { execution_id });
    const status = fails
      ? await this.#say(job_id, "fail", { execution_id, error: { message: "canary-error not yet" } })
      : await this.#say(job_id, "complete", { execution_id, result: { canary: "canary-result" } });
    if (status === 200) work.report = fails ? "failed" : "completed";
    else work.report = "lease_lost";
  }

  async #say(jobId: string, what: string, body: unknown): Promise<number> {
    for (;;) {
      const { status } = await this.#tenant.call("POST", `/v1/worker/jobs/${jobId}/${what}`, body);
      if (status !== 503) return status;
      await sleep(500);
    }
  }
}
