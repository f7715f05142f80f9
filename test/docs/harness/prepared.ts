// Whatever an operation needs to be there before it can succeed.

import { Receiver } from "../../harness/receiver.ts";
import type { Job, Tenant } from "../../harness/tenant.ts";
import { until } from "../../harness/until.ts";

/** What an operation is called with. */
export interface Ids {
  readonly id?: string;
  readonly execution_id?: string;
}

const LATER = { delay: { value: 1, unit: "hour" } };
const SOON_MS = 10_000;

/** Brings about what an operation needs, and tells the ids that its caller calls it with. */
export async function prepared(operationId: string, caller: Tenant): Promise<Ids> {
  switch (operationId) {
    case "getJob":
    case "listExecutions":
    case "cancelJob":
    case "updateJob":
    case "runJob":
      return job(caller, LATER);
    case "deleteJob":
    case "retryJob": {
      const { id } = await job(caller, LATER);
      return caller.post(`/v1/jobs/${id}/cancel`);
    }
    case "claimJob":
      return job(caller, { handler: "resize" });
    case "startExecution":
      return queued(caller);
    case "heartbeat":
    case "completeJob":
    case "failJob":
      return claimed(caller);
    case "getSchedule":
    case "previewNextRuns":
    case "updateSchedule":
    case "pauseSchedule":
    case "resumeSchedule":
    case "triggerSchedule":
    case "archiveSchedule": {
      const delivery = { type: "push", http: { url: "https://example.com/", method: "POST" } };
      return caller.post("/v1/schedules", { name: "a schedule", cron: "0 9 * * 1", delivery });
    }
    case "getBulkAction":
    case "abortBulkAction":
      return caller.post("/v1/bulk-actions", { action: "cancel", filter: { all: true } });
    case "getFlow":
    case "pauseFlow":
    case "resumeFlow":
    case "deleteFlow":
      await caller.call("PUT", "/v1/flows/mail-provider", { concurrency: 5 });
      return { id: "mail-provider" };
    case "putFlow":
      return { id: "mail-provider" };
    case "getWebhook":
    case "updateWebhook":
    case "deleteWebhook":
    case "testWebhook":
      return caller.post("/v1/webhooks", { url: "https://example.com/", events: ["job.failed"], enabled: false });
    case "deleteApiKey":
      return caller.post("/v1/api-keys", { name: "another" });
    case "moveAccount":
    case "suspendAccount":
    case "resumeAccount":
    case "deleteAccount":
      return caller.post("/v1/admin/accounts", { name: "a tenant" });
    default:
      return {};
  }
}

export async function completedSchedule(tenant: Tenant): Promise<string> {
  const once = { name: "once", handler: "once", interval: { value: 1, unit: "second" }, runs: 1 };
  const { id } = await tenant.post<{ id: string }>("/v1/schedules", once);
  const isCompleted = async () => (await tenant.get<{ status: string }>(`/v1/schedules/${id}`)).status === "completed";
  await until(isCompleted, SOON_MS, () => `The schedule ${id} is not completed`, 200);
  return id;
}

/** One job that was pushed and answered, one that a worker completed; both ended. */
export async function endedJobs(tenant: Tenant): Promise<{ push: string; pull: string }> {
  const receiver = await Receiver.listen();
  const target = receiver.target((response) => response.end("thank you"));
  const { id: push } = await job(tenant, target.delivery());
  const { id: pull = "", execution_id } = await claimed(tenant);
  await tenant.post(`/v1/worker/jobs/${pull}/complete`, { execution_id, result: { ok: true } });
  await tenant.whenIt("completed", push, SOON_MS);
  await receiver.close();
  return { push, pull };
}

const job = (tenant: Tenant, more: object = {}): Promise<Job> => tenant.create({ handler: "a", ...more });

async function claimed(tenant: Tenant): Promise<Ids> {
  const { id } = await job(tenant);
  const { execution_id } = await tenant.mustClaim("a");
  return { id, execution_id };
}

async function queued(tenant: Tenant): Promise<Ids> {
  const { id } = await job(tenant);
  let execution_id = "";
  const isQueued = async () => {
    const [one] = await tenant.executions(id);
    if (one?.status === "queued") execution_id = one.id;
    return execution_id !== "";
  };
  await until(isQueued, SOON_MS, () => `The job ${id} is not queued`, 50);
  return { id, execution_id };
}
