// Schedules over HTTP: read the request, call the owner or the read model, show the answer. No rules here.

import { Hono } from "hono";
import * as v from "valibot";
import { canExist } from "../domain/ids.ts";
import { plan, preview, type Schedule } from "../domain/schedule.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { invalid, unavailable } from "../http/errors.ts";
import { IdParam, integerText, oneOrMore, text } from "../http/fields.ts";
import { startOf, WalkQuery, walkedTo } from "../http/paging.ts";
import { errorOf, unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { ask, askOwner, scheduleAt } from "../objects/addresses.ts";
import { cancelWaiting } from "../objects/schedule/cancel-waiting.ts";
import { insertSchedule, listSchedules, type ScheduleRef } from "../store/schedules-store.ts";
import { databaseOf } from "../store/store.ts";
import { deploymentOf } from "./deployment.ts";
import { NewSchedule, PreviewRequest, patched, SchedulePatch, specOf } from "./schedule-input.ts";
import { showSchedule, showTick } from "./show-schedule.ts";

const ListQuery = closed({
  ...WalkQuery,
  status: v.optional(oneOrMore(["active", "completed", "archived"])),
  handler: v.optional(text(255)),
});

const PreviewQuery = closed({ count: v.optional(integerText(1, 100), "10") });

/** How often a change is tried again because another change, or a tick, came first. */
const MAX_TRIES = 20;

export const schedules = new Hono<AppEnv>()
  .post("/", valid({ body: NewSchedule }), async (c) => {
    const { platform, account } = c.var;
    const now = platform.now();
    const spec = specOf(c.req.valid("form").body, now, deploymentOf(c));
    const schedule = plan(spec, { accountId: account.id, id: platform.newJobId(now), now });
    if (schedule.status !== "active") throw invalid("stop_at", "Lies before the first run.");
    const inserted = unwrap(await insertSchedule(databaseOf(c.env.DB), schedule));
    if (!inserted) throw await refusalIfThere(c, unavailable(1));
    const ref = refOf(c, schedule.id);
    await ask(() => scheduleAt(c.env, ref).wake(ref));
    return done(c, "Schedule created.", showSchedule(schedule), 201);
  })

  .get("/", valid({ query: ListQuery }), async (c) => {
    const { status, handler, ...asked } = c.req.valid("form").query;
    const start = startOf(asked);
    const filter = { ...(status !== undefined && { status }), ...(handler !== undefined && { handler }) };
    const found = unwrap(await listSchedules(databaseOf(c.env.DB), c.var.account.id, filter, start.from, asked.size));
    return listed(c, "Schedules.", found.schedules.map(showSchedule), walkedTo(start, asked.size, found));
  })

  .post("/preview", valid({ body: PreviewRequest }), async (c) => {
    const { count, ...asked } = c.req.valid("form").body;
    const now = c.var.platform.now();
    const spec = specOf({ name: "preview", handler: "preview", ...asked }, now, deploymentOf(c));
    return done(c, "The next runs.", ticksOf(plan(spec, { accountId: "", id: "", now }), count));
  })

  .get("/:id", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    return done(c, "Schedule.", showSchedule(unwrap(await askOwner(() => scheduleAt(c.env, ref).get(ref)))));
  })

  .get("/:id/preview", valid({ params: IdParam, query: PreviewQuery }), async (c) => {
    const { params, query } = c.req.valid("form");
    const ref = refOf(c, params.id);
    const schedule = unwrap(await askOwner(() => scheduleAt(c.env, ref).get(ref)));
    return done(c, "The next runs.", ticksOf(schedule, query.count));
  })

  .patch("/:id", valid({ params: IdParam, body: SchedulePatch }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.id);
    const amend = async () => {
      const known = unwrap(await askOwner(() => scheduleAt(c.env, ref).get(ref)));
      if (known.status !== "active") unwrap({ ok: false, error: { code: `schedule_${known.status}` } });
      const spec = patched(known, body, c.var.platform.now(), deploymentOf(c));
      const { status, revision } = known;
      return askOwner(() => scheduleAt(c.env, ref).amend(ref, spec, { status, revision }));
    };
    let amended = await amend();
    for (let tries = 1; tries < MAX_TRIES && !amended.ok && amended.error.code === "schedule_moved"; tries++)
      amended = await amend();
    return done(c, "Schedule changed. It takes effect from the next run.", showSchedule(unwrap(amended)));
  })

  .post("/:id/archive", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    const archived = unwrap(await askOwner(() => scheduleAt(c.env, ref).archive(ref)));
    await cancelWaiting(c.env, ref);
    return done(c, "Schedule archived. Its pending jobs are cancelled.", showSchedule(archived));
  });

/** @throws ApiError for an id that cannot be a schedule's: no object is asked about it */
function refOf(c: AppContext, scheduleId: string): ScheduleRef {
  if (!canExist(scheduleId, c.var.platform.now())) throw errorOf({ code: "schedule_not_found" });
  return { accountId: c.var.account.id, scheduleId };
}

const ticksOf = (schedule: Schedule, count: number) =>
  preview(schedule, count).map((at) => showTick(at, schedule.timing.timeZone));
