// Handlers over HTTP: who waits, and who asks. No rules here.

import { Hono } from "hono";
import { databaseOf } from "../accounts/home.ts";
import type { HandlerView } from "../domain/handler.ts";
import { formatInstant } from "../domain/instant.ts";
import { moment } from "../domain/show-job.ts";
import type { AppEnv } from "../http/app-env.ts";
import { listed } from "../http/envelope.ts";
import { offsetOf, PageQuery, pagingOf } from "../http/paging.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { askHandlers, isSilent, type SilentHandler } from "../objects/pull-queue/handlers.ts";
import { listHandlers } from "../store/handlers-store.ts";

export const handlers = new Hono<AppEnv>().get("/", valid({ query: closed(PageQuery) }), async (c) => {
  const { query } = c.req.valid("form");
  const accountId = c.var.account.id;
  const found = unwrap(await listHandlers(databaseOf(c.env, accountId), accountId, offsetOf(query), query.size));
  const shown = (await askHandlers(c.env, accountId, found.names)).map(showHandler);
  return listed(c, "Handlers.", shown, pagingOf(query.page, query.size, found.total));
});

/** Of one that did not answer nothing is claimed: `waiting: 0` or an empty list of workers would be a lie. */
export const showHandler = (one: HandlerView | SilentHandler) => {
  const { handler } = one;
  if (isSilent(one))
    return { handler, unavailable: true, waiting: null, oldest_due_at: null, last_poll_at: null, workers: null };
  return {
    handler,
    unavailable: false,
    waiting: one.waiting,
    oldest_due_at: moment(one.oldestDueAt),
    last_poll_at: moment(one.lastPollAt),
    workers: one.workers.map(({ workerId, lastPollAt }) => ({
      worker_id: workerId,
      last_poll_at: formatInstant(lastPollAt),
    })),
  };
};
