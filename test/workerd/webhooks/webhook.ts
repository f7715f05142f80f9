// Webhooks as a test sees them: over the API, and by the jobs that carry their events.

import type { showWebhook } from "../../../src/routes/webhooks.ts";
import type { Account } from "../harness/account.ts";
import { api, type JobJson, must } from "../harness/api.ts";
import { JobUnderTest } from "../harness/job.ts";
import { type Received, receiver } from "../harness/receiver.ts";

export type WebhookJson = ReturnType<typeof showWebhook>;

/** Where the webhooks of tests are told. */
export const HOOK = "https://hooks.example.com/events";

export const postWebhook = (account: Account, body: Record<string, unknown> = {}) =>
  api<WebhookJson>("POST", "/v1/webhooks", { key: account.key, body: { url: HOOK, events: ["job.failed"], ...body } });

export const newWebhook = async (account: Account, ...events: string[]): Promise<WebhookJson> =>
  must(postWebhook(account, { events }));

export const webhookCall = <T = WebhookJson>(
  account: Account,
  method: "GET" | "PATCH" | "DELETE" | "POST",
  path = "",
  body?: unknown,
) => api<T>(method, `/v1/webhooks${path}`, { key: account.key, body });

/** The jobs of events, oldest first. */
export async function eventJobs(account: Account, query = ""): Promise<JobJson[]> {
  const found = await must(api<JobJson[]>("GET", `/v1/jobs?origin=event&size=100${query}`, { key: account.key }));
  return found.toReversed();
}

export const typesOf = (jobs: readonly JobJson[]): string[] => jobs.map(({ name }) => name).sort();

/** Lets every event be delivered that is due. */
export async function deliver(account: Account): Promise<void> {
  for (const { id, status } of await eventJobs(account))
    if (status === "pending") await new JobUnderTest(account, id).ringWhenSet();
}

export interface EventJson<T = JobJson> {
  readonly type: string;
  readonly timestamp: string;
  readonly data: T;
}

/** What has arrived at the endpoint of webhooks. */
export const arrivedAt = (url: string): Received[] => receiver.received.filter((one) => one.url === url);

export const bodiesAt = <T = JobJson>(url: string): EventJson<T>[] =>
  arrivedAt(url).map(({ body }) => JSON.parse(body) as EventJson<T>);
