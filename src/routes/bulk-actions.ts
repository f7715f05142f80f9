// Bulk actions over HTTP: read the request, call the owner or the read model, show the answer. No rules here.

import { Hono } from "hono";
import { databaseOf } from "../accounts/home.ts";
import { bulkAction } from "../domain/bulk-action.ts";
import { canExist } from "../domain/ids.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { unavailable } from "../http/errors.ts";
import { IdParam } from "../http/fields.ts";
import { startOf, WalkQuery, walkedTo } from "../http/paging.ts";
import { errorOf, unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { ask, bulkActionAt } from "../objects/addresses.ts";
import { dryRun, MAX_DRY_RUN, MAX_LOOKED_AT } from "../objects/bulk-action/dry-run.ts";
import { abortBulkAction, currentBulkAction } from "../objects/bulk-action/read-bulk-action.ts";
import { type BulkActionRef, insertBulkAction, listBulkActions } from "../store/bulk-actions-store.ts";
import { jobsOf, NewBulkAction } from "./bulk-action-input.ts";
import { showBulkAction, showDryRun } from "./show-bulk-action.ts";

export const bulkActions = new Hono<AppEnv>()
  .post("/", valid({ body: NewBulkAction }), async (c) => {
    const { platform, account } = c.var;
    const { body } = c.req.valid("form");
    const now = platform.now();
    const origin = { accountId: account.id, id: platform.newJobId(now), now };
    const asked = bulkAction(origin, body.action, jobsOf(body));
    if (body.dry_run) {
      const { counted, isWhole } = unwrap(await dryRun(c.env, asked));
      return done(c, isWhole ? "Nothing was changed." : MAY_BE_MORE, showDryRun(counted));
    }
    const inserted = unwrap(await insertBulkAction(databaseOf(c.env, asked.accountId), asked));
    if (!inserted) throw await refusalIfThere(c, unavailable(1));
    const ref = refOf(c, asked.id);
    await ask(() => bulkActionAt(c.env, ref).wake(ref));
    return done(c, "Bulk action accepted.", showBulkAction(asked), 202);
  })

  .get("/", valid({ query: closed(WalkQuery) }), async (c) => {
    const { query } = c.req.valid("form");
    const start = startOf(query);
    const found = unwrap(
      await listBulkActions(databaseOf(c.env, c.var.account.id), c.var.account.id, start.from, query.size),
    );
    return listed(c, "Bulk actions.", found.actions.map(showBulkAction), walkedTo(start, query.size, found));
  })

  .get("/:id", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    return done(c, "Bulk action.", showBulkAction(unwrap(await currentBulkAction(c.env, ref))));
  })

  .post("/:id/abort", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    const aborted = unwrap(await abortBulkAction(c.env, ref));
    return done(c, WORDS[aborted.status], showBulkAction(aborted));
  });

const MAY_BE_MORE = `Nothing was changed. There may be more: counting stops at ${MAX_DRY_RUN} matches, and after ${MAX_LOOKED_AT} jobs looked at.`;

const WORDS = {
  running: "Bulk action.",
  completed: "The bulk action had completed.",
  aborted: "Bulk action aborted.",
} as const;

/** @throws ApiError for an id that cannot be a bulk action's: no object is asked about it */
function refOf(c: AppContext, bulkActionId: string): BulkActionRef {
  if (!canExist(bulkActionId, c.var.platform.now())) throw errorOf({ code: "bulk_action_not_found" });
  return { accountId: c.var.account.id, bulkActionId };
}
