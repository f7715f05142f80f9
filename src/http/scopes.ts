// The scopes that may call each route: one table over all routes that take a key. A route that is missing from it is for `full`
// keys alone.

import type { KeyScope } from "../domain/key-scope.ts";

const FULL: readonly KeyScope[] = ["full"];
/** For routes that change nothing and show no secret. */
const READ: readonly KeyScope[] = ["full", "read"];
const CREATE: readonly KeyScope[] = ["full", "create"];
const WORKER: readonly KeyScope[] = ["full", "worker"];

/** By method and path, as the router has them. */
export const SCOPES: Readonly<Record<string, readonly KeyScope[]>> = {
  "POST /v1/jobs": CREATE,
  "POST /v1/jobs/batch": CREATE,
  "GET /v1/jobs": READ,
  "GET /v1/jobs/:id": READ,
  "GET /v1/jobs/:id/executions": READ,
  "PATCH /v1/jobs/:id": FULL,
  "DELETE /v1/jobs/:id": FULL,
  "POST /v1/jobs/:id/cancel": FULL,
  "POST /v1/jobs/:id/run": FULL,
  "POST /v1/jobs/:id/retry": FULL,

  "POST /v1/worker/jobs/claim": WORKER,
  "POST /v1/worker/jobs/report": WORKER,
  "POST /v1/worker/jobs/:job_id/start": WORKER,
  "POST /v1/worker/jobs/:job_id/complete": WORKER,
  "POST /v1/worker/jobs/:job_id/fail": WORKER,
  "POST /v1/worker/jobs/:job_id/heartbeat": WORKER,

  "POST /v1/bulk-actions": FULL,
  "GET /v1/bulk-actions": READ,
  "GET /v1/bulk-actions/:id": READ,
  "POST /v1/bulk-actions/:id/abort": FULL,

  "POST /v1/schedules": FULL,
  "GET /v1/schedules": READ,
  "POST /v1/schedules/preview": FULL,
  "GET /v1/schedules/:id": READ,
  "GET /v1/schedules/:id/preview": READ,
  "PATCH /v1/schedules/:id": FULL,
  "POST /v1/schedules/:id/pause": FULL,
  "POST /v1/schedules/:id/resume": FULL,
  "POST /v1/schedules/:id/trigger": FULL,
  "POST /v1/schedules/:id/archive": FULL,

  "GET /v1/flows": READ,
  "GET /v1/flows/:key": READ,
  "PUT /v1/flows/:key": FULL,
  "POST /v1/flows/:key/pause": FULL,
  "POST /v1/flows/:key/resume": FULL,
  "DELETE /v1/flows/:key": FULL,

  "POST /v1/webhooks": FULL,
  "GET /v1/webhooks": READ,
  "GET /v1/webhooks/:id": READ,
  "PATCH /v1/webhooks/:id": FULL,
  "DELETE /v1/webhooks/:id": FULL,
  "POST /v1/webhooks/:id/test": FULL,

  "GET /v1/handlers": READ,
  "GET /v1/overview": READ,
  "GET /v1/metrics": READ,

  "GET /v1/api-keys": READ,
  "POST /v1/api-keys": FULL,
  "DELETE /v1/api-keys/:id": FULL,

  // Each tool that is called is a request of its own, and asked for its own row.
  "POST /mcp": ["full", "read", "create"],

  // A holder of the secret can forge deliveries: that is more than reading.
  "GET /v1/signing-secret": FULL,
  "POST /v1/signing-secret/rotate": FULL,
};

/** @param route as in the table */
export const scopesOf = (route: string): readonly KeyScope[] => SCOPES[route] ?? FULL;

const MAY: Record<KeyScope, string> = {
  full: "it may do everything",
  read: "it may only read, with GET, and not the signing secret",
  create: "it may only create jobs, with POST /v1/jobs and POST /v1/jobs/batch",
  worker: "it may only take and report jobs, under /v1/worker",
};

/** The message for a key of this scope where it may not go. */
export const outOfScope = (scope: KeyScope): string => `This API key has the scope \`${scope}\`: ${MAY[scope]}.`;
