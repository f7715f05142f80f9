// The HTTP application: what every request passes, and where its routes are.

import { Hono } from "hono";
import { dashboard } from "./dashboard/dashboard.ts";
import type { AppEnv, Platform } from "./http/app-env.ts";
import { authenticated, operated, operatorOnly } from "./http/auth.ts";
import { done, refused } from "./http/envelope.ts";
import { ApiError } from "./http/errors.ts";
import { mustBeWell } from "./http/health.ts";
import { knownRoutes, notFound } from "./http/known-routes.ts";
import { rateLimited } from "./http/rate-limit.ts";
import { requestLog } from "./http/request-log.ts";
import { log, nameOf } from "./log.ts";
import { mcp, ownPagesOnly } from "./mcp/mcp.ts";
import { newJobId } from "./objects/new-id.ts";
import { reference } from "./openapi/reference.ts";
import { admin } from "./routes/admin.ts";
import { apiKeys } from "./routes/api-keys.ts";
import { bulkActions } from "./routes/bulk-actions.ts";
import { flows } from "./routes/flows.ts";
import { handlers } from "./routes/handlers.ts";
import { jobs } from "./routes/jobs.ts";
import { metrics } from "./routes/metrics.ts";
import { overview } from "./routes/overview.ts";
import { schedules } from "./routes/schedules.ts";
import { signingSecret } from "./routes/signing-secret.ts";
import { webhooks } from "./routes/webhooks.ts";
import { worker } from "./routes/worker.ts";

const workers: Platform = {
  now: () => Date.now(),
  newId: () => crypto.randomUUID(),
  newJobId,
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

export function createApp(platform: Platform = workers): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.onError((thrown, c) => {
    const refusal =
      thrown instanceof ApiError ? thrown : new ApiError("internal_error", "Something went wrong on our side.");
    if (refusal !== thrown)
      log("error", "request_fault", { request_id: c.get("requestId"), error: nameOf(thrown), at: placeOf(thrown) });
    c.set("code", refusal.code);
    return refused(c, refusal);
  });
  app.notFound((c) => refused(c, notFound()));

  app.use(requestLog(platform));
  app.use("/v1/admin/*", operatorOnly);
  app.use(knownRoutes(app));

  app.get("/health", async (c) => {
    const unanswered = await mustBeWell(c.env);
    return unanswered.length === 0
      ? done(c, "The service is well.", { status: "ok" })
      : done(c, `The service is well, but for the accounts of ${unanswered.join(", ")}.`, {
          status: "degraded",
          unanswered,
        });
  });

  app.route("/", reference(app));
  app.route("/dashboard", dashboard);

  app.use("/v1/admin/*", operated);
  app.route("/v1/admin", admin);

  app.route("/v1/metrics", metrics); // before the others: the operator may scrape as well

  app.use("/mcp", ownPagesOnly, authenticated, rateLimited);
  app.route("/mcp", mcp(app));

  app.use("/v1/*", authenticated, rateLimited);
  app.route("/v1/jobs", jobs);
  app.route("/v1/worker/jobs", worker);
  app.route("/v1/handlers", handlers);
  app.route("/v1/bulk-actions", bulkActions);
  app.route("/v1/schedules", schedules);
  app.route("/v1/flows", flows);
  app.route("/v1/webhooks", webhooks);
  app.route("/v1/api-keys", apiKeys);
  app.route("/v1/signing-secret", signingSecret);
  app.route("/v1/overview", overview);
  return app;
}

/** Where an exception came from: the first frame of its stack, without the message above it. */
function placeOf(thrown: unknown): string | undefined {
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  return /\n\s+at ([^\n]{1,200})/.exec(stack)?.[1];
}
