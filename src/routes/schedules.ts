// Schedules over HTTP: read the request, call the owner or the read model, show the answer. No rules here.

import { Hono } from "hono";
import * as v from "valibot";
import { databaseOf } from "../accounts/home.ts";
import { canExist } from "../domain/ids.ts";
import { hasEnded, plan, preview, resume, SCHEDULE_STATUSES, type Schedule } from "../domain/schedule.ts";
import { showJob } from "../domain/show-job.ts";
import { showSchedule, showTick } from "../domain/show-schedule.ts";
import { limitOf, tooManySchedules } from "../http/account-limits.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError, invalid, unavailable } from "../http/errors.ts";
import { IdParam, integerText, oneOrMore, text } from "../http/fields.ts";
import { startOf, WalkQuery, walkedTo } from "../http/paging.ts";
import { etagOf, ifMatch, preconditionFailed } from "../http/revision.ts";
import { errorOf, unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { ask, askOwner, scheduleAt } from "../objects/addresses.ts";
import { cancelWaiting } from "../objects/schedule/cancel-waiting.ts";
import { insertSchedule, listSchedules, type ScheduleRef } from "../store/schedules-store.ts";
import { deploymentOf } from "./deployment.ts";
import { NewSchedule, PreviewRequest, patched, SchedulePatch, specOf } from "./schedule-input.ts";
import { traceparentOf } from "./traceparent.ts";

const ListQuery = closed({
  ...WalkQuery,
  status: v.optional(oneOrMore(SCHEDULE_STATUSES)),
  handler: v.optional(text(255)),
});

const PreviewQuery = closed({ count: v.optional(integerText(1, 100), "10") });

/** How often a change is tried again because another change, or a tick, came first. */
const MAX_TRIES = 20;

export const schedules = new Hono<AppEnv>()
  .post("/", valid({ body: NewSchedule }), async (c) => {
    const { platform, account } = c.var;
    const now = platform.now();
    const { body } = c.req.valid("form");
    const spec = specOf(body, now, deploymentOf(c));
    const idempotencyKey = body.idempotency_key ?? null;
    const schedule = plan(spec, { accountId: account.id, id: platform.newJobId(now), idempotencyKey, now });
    if (schedule.status !== "active") throw invalid("stop_at", "Lies before the first run.");
    const limit = limitOf(c.env, "MAX_SCHEDULES");
    const inserted = unwrap(await insertSchedule(databaseOf(c.env, schedule.accountId), schedule, limit));
    if (!inserted.created && inserted.isFull) throw await refusalIfThere(c, tooManySchedules(limit));
    if (!inserted.created) throw await keyInUse(c, inserted.holderId);
    const ref = refOf(c, schedule.id);
    await ask(() => scheduleAt(c.env, ref).wake(ref));
    return done(c, "Schedule created.", showSchedule(schedule), 201);
  })

  .get("/", valid({ query: ListQuery }), async (c) => {
    const { status, handler, ...asked } = c.req.valid("form").query;
    const start = startOf(asked);
    const filter = { ...(status !== undefined && { status }), ...(handler !== undefined && { handler }) };
    const found = unwrap(
      await listSchedules(databaseOf(c.env, c.var.account.id), c.var.account.id, filter, start.from, asked.size),
    );
    return listed(c, "Schedules.", found.schedules.map(showSchedule), walkedTo(start, asked.size, found));
  })

  .post("/preview", valid({ body: PreviewRequest }), async (c) => {
    const { count, ...asked } = c.req.valid("form").body;
    const now = c.var.platform.now();
    const spec = specOf({ name: "preview", handler: "preview", ...asked }, now, deploymentOf(c));
    const schedule = plan(spec, { accountId: "", id: "", idempotencyKey: null, now });
    return done(c, "The next runs.", ticksOf(schedule, count));
  })

  .get("/:id", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    return tagged(c, "Schedule.", await presentSchedule(c, ref));
  })

  .get("/:id/preview", valid({ params: IdParam, query: PreviewQuery }), async (c) => {
    const { params, query } = c.req.valid("form");
    const ref = refOf(c, params.id);
    const resumed = resume(await presentSchedule(c, ref), c.var.platform.now());
    return done(c, "The next runs.", ticksOf(resumed, query.count));
  })

  .patch("/:id", valid({ params: IdParam, body: SchedulePatch }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.id);
    const wanted = ifMatch(c);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const known = await presentSchedule(c, ref);
      if (wanted && !wanted.has(known.revision)) throw preconditionFailed(showSchedule(known));
      if (hasEnded(known)) throw errorOf({ code: `schedule_${known.status}` });
      const spec = patched(known, body, c.var.platform.now(), deploymentOf(c));
      const { status, revision } = known;
      const amended = await askOwner(() => scheduleAt(c.env, ref).amend(ref, spec, { status, revision }));
      if (amended.ok || amended.error.code !== "schedule_moved")
        return tagged(c, "Schedule changed. It takes effect from the next run.", unwrap(amended));
    }
    throw unavailable(1);
  })

  .post("/:id/pause", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    const paused = unwrap(await askOwner(() => scheduleAt(c.env, ref).pause(ref)));
    return done(c, "Schedule paused. No run falls due until it is resumed.", showSchedule(paused));
  })

  .post("/:id/resume", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    const resumed = unwrap(await askOwner(() => scheduleAt(c.env, ref).resume(ref)));
    return done(c, "Schedule resumed.", showSchedule(resumed));
  })

  .post("/:id/trigger", valid({ params: IdParam }), async (c) => {
    const ref = refOf(c, c.req.valid("form").params.id);
    const traceparent = traceparentOf(c);
    const made = unwrap(await askOwner(() => scheduleAt(c.env, ref).trigger(ref, traceparent)));
    return done(c, "Job created.", showJob(made), 201);
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

/** @throws ApiError when its owner cannot tell, or there is none */
const presentSchedule = async (c: AppContext, ref: ScheduleRef): Promise<Schedule> =>
  unwrap(await askOwner(() => scheduleAt(c.env, ref).get(ref)));

/** A schedule, with its revision for `If-Match`. */
function tagged(c: AppContext, message: string, schedule: Schedule) {
  c.header("ETag", etagOf(schedule.revision));
  return done(c, message, showSchedule(schedule));
}

/** The refusal for a key in use, with the schedule that holds it as it is now. */
async function keyInUse(c: AppContext, holderId: string | undefined): Promise<ApiError> {
  if (holderId === undefined) return refusalIfThere(c, unavailable(1));
  return new ApiError("idempotency_key_conflict", "A schedule with this idempotency key exists already.", {
    data: showSchedule(await presentSchedule(c, refOf(c, holderId))),
  });
}

const ticksOf = (schedule: Schedule, count: number) =>
  preview(schedule, count).map((at) => showTick(at, schedule.timing.timeZone));
