// Calls about the account itself: its keys, its signing secret, its webhooks.

import type { ApiKey } from "./api-key.ts";
import { type Answer, call, get } from "./call.ts";
import type { Job } from "./job.ts";
import type { Webhook } from "./webhook.ts";

/** An account has fifty at most. */
export const listKeys = (signal?: AbortSignal): Promise<Answer<ApiKey[]>> =>
  get("/v1/api-keys", { size: "100" }, signal);

/** @returns the key, which nobody can read again */
export async function createKey(body: object): Promise<string> {
  return (await call<ApiKey & { key: string }>("POST", "/v1/api-keys", { body })).data.key;
}

export async function deleteKey(id: string): Promise<void> {
  await call("DELETE", `/v1/api-keys/${id}`);
}

export interface SigningSecret {
  readonly signing_secret: string;
  readonly previous_signing_secret: string | null;
  readonly previous_valid_until: string | null;
}

export async function getSecret(): Promise<SigningSecret> {
  return (await get<SigningSecret>("/v1/signing-secret")).data;
}

export async function rotateSecret(overlapHours: number | string): Promise<SigningSecret> {
  return (await call<SigningSecret>("POST", "/v1/signing-secret/rotate", { body: { overlap_hours: overlapHours } }))
    .data;
}

/** An account has twenty at most. */
export const listWebhooks = (signal?: AbortSignal): Promise<Answer<Webhook[]>> =>
  get("/v1/webhooks", { size: "100" }, signal);

export async function createWebhook(body: object): Promise<void> {
  await call("POST", "/v1/webhooks", { body });
}

export async function changeWebhook(id: string, body: object): Promise<void> {
  await call("PATCH", `/v1/webhooks/${id}`, { body });
}

export async function deleteWebhook(id: string): Promise<void> {
  await call("DELETE", `/v1/webhooks/${id}`);
}

/** @returns the job that carries the test event */
export async function testWebhook(id: string): Promise<Job> {
  return (await call<Job>("POST", `/v1/webhooks/${id}/test`)).data;
}
