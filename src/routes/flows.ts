// Flows over HTTP: read the request, call the flow, show the answer. No rules here.

import { Hono } from "hono";
import { databaseOf } from "../accounts/home.ts";
import type { FlowView } from "../domain/flow.ts";
import { showFlow } from "../domain/show-flow.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { offsetOf, PageQuery, pagingOf } from "../http/paging.ts";
import { etagOf, ifMatch, preconditionFailed } from "../http/revision.ts";
import { errorOf, unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { askAgain, askOwner, flowAt } from "../objects/addresses.ts";
import { atOnce } from "../objects/at-once.ts";
import type { FlowAnswer } from "../objects/owners.ts";
import { type FlowRef, listFlows, removeFlow } from "../store/flows-store.ts";
import { FlowInput, KeyParam, limitsOf } from "./flow-input.ts";

/** Each flow of a page is an object that is asked: so many at once. */
const ASKED_AT_ONCE = 25;

export const flows = new Hono<AppEnv>()
  .get("/", valid({ query: closed(PageQuery) }), async (c) => {
    const { query } = c.req.valid("form");
    const accountId = c.var.account.id;
    const db = databaseOf(c.env, accountId);
    const [page, total] = unwrap(await listFlows(db, accountId, offsetOf(query), query.size));
    const views = await atOnce(ASKED_AT_ONCE, page, async ({ key, rowRevision }): Promise<FlowView | null> => {
      const ref = { accountId, key };
      const view = unwrap(await askAgain(() => flowAt(c.env, ref).get(ref)));
      if (view === null) c.executionCtx.waitUntil(removeFlow(db, ref, rowRevision)); // D1 has written it after it was deleted
      return view;
    });
    const there = views.filter((view) => view !== null);
    const stray = views.length - there.length;
    return listed(c, "Flows.", there.map(showFlow), pagingOf(query.page, query.size, total - stray));
  })

  .get("/:key", valid({ params: KeyParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.key);
    return tagged(c, "Flow.", await presentFlow(c, ref));
  })

  .put("/:key", valid({ params: KeyParam, body: FlowInput }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.key);
    const limits = limitsOf(body);
    const put = await askOwner(() => flowAt(c.env, ref).put(ref, limits, seenOf(c)));
    const { flow, created } = await heard(c, ref, await unlessGone(c, put));
    return created
      ? tagged(c, "Flow created. Its limits hold for whatever has not started.", flow, 201)
      : tagged(c, "Flow changed. Its limits hold for whatever has not started.", flow);
  })

  .post("/:key/pause", valid({ params: KeyParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.key);
    const paused = unwrap(await askOwner(() => flowAt(c.env, ref).pause(ref)));
    return tagged(c, "Flow paused. What waits keeps its place until it is resumed.", paused);
  })

  .post("/:key/resume", valid({ params: KeyParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.key);
    const resumed = unwrap(await askOwner(() => flowAt(c.env, ref).resume(ref)));
    return tagged(c, "Flow resumed.", resumed);
  })

  .delete("/:key", valid({ params: KeyParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.key);
    await heard(c, ref, await askOwner(() => flowAt(c.env, ref).remove(ref, seenOf(c))));
    return done(c, "Flow deleted. What waits goes on without limits.", null);
  });

const refOf = (c: AppContext, key: string): FlowRef => ({ accountId: c.var.account.id, key });

function seenOf(c: AppContext): readonly number[] | null {
  const wanted = ifMatch(c);
  return wanted ? [...wanted] : null;
}

async function presentFlow(c: AppContext, ref: FlowRef): Promise<FlowView> {
  const flow = unwrap(await askAgain(() => flowAt(c.env, ref).get(ref)));
  if (!flow) throw errorOf({ code: "flow_not_found" });
  return flow;
}

/** A row that was refused: the account was deleted a moment ago, or has all the flows it may have. */
async function unlessGone<T>(c: AppContext, put: FlowAnswer<T>): Promise<FlowAnswer<T>> {
  if (!put.ok && put.error.code === "flow_limit_reached") throw await refusalIfThere(c, errorOf(put.error));
  return put;
}

/** The answer; a flow that has moved is shown as it is now. */
async function heard<T>(c: AppContext, ref: FlowRef, answer: FlowAnswer<T>): Promise<T> {
  if (!answer.ok && answer.error.code === "flow_moved") throw preconditionFailed(showFlow(await presentFlow(c, ref)));
  return unwrap(answer);
}

function tagged(c: AppContext, message: string, flow: FlowView, status: 200 | 201 = 200) {
  c.header("ETag", etagOf(flow.revision));
  return done(c, message, showFlow(flow), status);
}
