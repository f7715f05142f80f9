// The overview over HTTP: read the request, ask the read model, show the answer. No rules here.

import { Hono } from "hono";
import * as v from "valibot";
import { databaseOf } from "../accounts/home.ts";
import { WINDOWS, type WindowName } from "../domain/overview.ts";
import type { AppEnv } from "../http/app-env.ts";
import { done } from "../http/envelope.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { askFlows } from "../objects/flow/held-flows.ts";
import { askFlush } from "../objects/projector/ask-flush.ts";
import { readOverview } from "../store/overview-store.ts";
import { showOverview } from "./show-overview.ts";

const OverviewQuery = closed({
  window: v.pipe(
    v.optional(v.picklist(Object.keys(WINDOWS) as WindowName[]), "1h"),
    v.description(
      "How far to look back: 15 or 60 buckets of a minute, 96 of a quarter of an hour, or 84 of two hours.",
    ),
  ),
});

export const overview = new Hono<AppEnv>().get("/", valid({ query: OverviewQuery }), async (c) => {
  const { window } = c.req.valid("form").query;
  await askFlush(c.env, c.var.account.id);
  const now = c.var.platform.now();
  const { id } = c.var.account;
  const read = unwrap(await readOverview(databaseOf(c.env, id), id, window, now));
  const held = await askFlows(c.env, id, read.flows);
  return done(c, "Overview.", showOverview(window, read, held, now));
});
