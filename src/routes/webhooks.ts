// Webhooks over HTTP: who is told of what happens in the account. No rules here.

import { Hono } from "hono";
import { databaseOf } from "../accounts/home.ts";
import { signingStateOf } from "../accounts/signing-secret.ts";
import { jobOfEvent, testEvent } from "../domain/event.ts";
import { canExist, createdAtOf } from "../domain/ids.ts";
import { formatInstant } from "../domain/instant.ts";
import { moment, showJob } from "../domain/show-job.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError, unavailable } from "../http/errors.ts";
import { IdParam } from "../http/fields.ts";
import { offsetOf, PageQuery, pagingOf } from "../http/paging.ts";
import { errorOf, unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { createJob } from "../objects/job/create-job.ts";
import { viewOfSpec } from "../store/rows.ts";
import {
  changeWebhook,
  deleteWebhook,
  insertWebhook,
  listWebhooks,
  MAX_WEBHOOKS,
  readWebhook,
  type Webhook,
  type WebhookRef,
} from "../store/webhooks-store.ts";
import { deploymentOf } from "./deployment.ts";
import { NewWebhook, PatchedWebhook, patchOf, webhookOf } from "./webhook-input.ts";

export const webhooks = new Hono<AppEnv>()
  .post("/", valid({ body: NewWebhook }), async (c) => {
    const { platform, account } = c.var;
    const now = platform.now();
    const origin = { accountId: account.id, id: platform.newJobId(now), now };
    const webhook = webhookOf(c.req.valid("form").body, origin, deploymentOf(c).rules);
    if (!unwrap(await insertWebhook(databaseOf(c.env, webhook.accountId), webhook)))
      throw await refusalIfThere(c, tooMany());
    return done(c, "Webhook created.", showWebhook(webhook), 201);
  })

  .get("/", valid({ query: closed(PageQuery) }), async (c) => {
    const { query } = c.req.valid("form");
    const found = await listWebhooks(
      databaseOf(c.env, c.var.account.id),
      c.var.account.id,
      offsetOf(query),
      query.size,
    );
    const [some, total] = unwrap(found);
    return listed(c, "Webhooks.", some.map(showWebhook), pagingOf(query.page, query.size, total));
  })

  .get("/:id", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    return done(c, "Webhook.", showWebhook(found(unwrap(await readWebhook(databaseOf(c.env, ref.accountId), ref)))));
  })

  .patch("/:id", valid({ params: IdParam, body: PatchedWebhook }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.id);
    const patch = patchOf(body, deploymentOf(c).rules);
    const changed = await changeWebhook(databaseOf(c.env, ref.accountId), ref, patch, c.var.platform.now());
    return done(c, "Webhook changed.", showWebhook(found(unwrap(changed))));
  })

  .delete("/:id", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    if (!unwrap(await deleteWebhook(databaseOf(c.env, ref.accountId), ref, c.var.platform.now())))
      throw errorOf({ code: "webhook_not_found" });
    return done(c, "Webhook deleted. Deliveries under way go on.", null);
  })

  .post("/:id/test", valid({ params: IdParam }), async (c) => {
    const { platform, account } = c.var;
    const ref = refOf(c, c.req.valid("form").params.id);
    const { id, url } = found(unwrap(await readWebhook(databaseOf(c.env, ref.accountId), ref)));
    const now = platform.now();
    const to = { webhookId: id, url, headers: {} };
    const spec = jobOfEvent(account.id, testEvent(id, now), to, platform.newJobId(now));
    const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
    const made = unwrap(await createJob({ env: c.env, spec, signing: signingStateOf(account), later }));
    if (!made.created) throw await refusalIfThere(c, unavailable(1));
    return done(c, "Test event on its way.", showJob(viewOfSpec(spec)), 201);
  });

const tooMany = () =>
  new ApiError(
    "conflict",
    `An account has at most ${MAX_WEBHOOKS} webhooks. Delete one first, or let one take more events.`,
  );

/** @throws ApiError for an id that cannot be a webhook's */
function refOf(c: AppContext, webhookId: string): WebhookRef {
  if (!canExist(webhookId, c.var.platform.now())) throw errorOf({ code: "webhook_not_found" });
  return { accountId: c.var.account.id, webhookId };
}

/** @throws ApiError when there is none */
function found(webhook: Webhook | undefined): Webhook {
  if (!webhook) throw errorOf({ code: "webhook_not_found" });
  return webhook;
}

export const showWebhook = (webhook: Webhook) => ({
  id: webhook.id,
  url: webhook.url,
  events: webhook.events,
  description: webhook.description,
  enabled: webhook.enabled,
  disabled_reason: webhook.disabledReason,
  failing_since: moment(webhook.failingSince),
  created_at: formatInstant(createdAtOf(webhook.id)),
  updated_at: formatInstant(webhook.updatedAt),
});
