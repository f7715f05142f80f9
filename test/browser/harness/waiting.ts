// What only a service that runs can have: jobs that wait for a worker, and workers that ask.

import { Tenant } from "../../harness/tenant.ts";
import type { StoredAccount } from "./store-story.ts";

const WAITING = 30;

/** Jobs that are due and wait for a worker, and workers that ask for others. */
export async function waitingJobs(url: string, { id, apiKeys: [apiKey = ""] }: StoredAccount): Promise<void> {
  const tenant = new Tenant({ url, id, apiKey, signingSecret: "" });
  const jobs = Array.from({ length: WAITING }, (_, i) => ({
    name: "order confirmation",
    handler: "send-mail",
    payload: { order: 99_000 + i },
  }));
  await tenant.post("/v1/jobs/batch", { jobs });
  for (const worker_id of ["shop-0", "shop-1"])
    await tenant.post("/v1/worker/jobs/claim", {
      ...{ handlers: ["resize-image", "build-report", "push-notification"], wait_time_seconds: 0, worker_id },
    });
}
