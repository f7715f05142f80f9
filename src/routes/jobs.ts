// Jobs over HTTP: read the request, call the owner or the read model, show the answer. No rules here.

import { Hono } from "hono";
import * as v from "valibot";
import { signingStateOf } from "../accounts/signing-secret.ts";
import type { JobView } from "../domain/job.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError, unavailable } from "../http/errors.ts";
import { IdParam, instantText, oneOrMore, text, uuid } from "../http/fields.ts";
import { offsetOf, PageQuery, pagingOf, startOf, WalkQuery, walkedTo } from "../http/paging.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { askOwner, jobAt } from "../objects/addresses.ts";
import { createJob } from "../objects/job/create-job.ts";
import { currentExecutions, currentJob, existing } from "../objects/job/read-job.ts";
import { listJobs } from "../store/jobs-store.ts";
import { viewOfSpec } from "../store/rows.ts";
import { databaseOf } from "../store/store.ts";
import { deploymentOf } from "./deployment.ts";
import { NewJob, specOf } from "./job-input.ts";
import { refOf } from "./job-ref.ts";
import { showExecution, showJob } from "./show-job.ts";

const STATUSES = ["pending", "queued", "running", "retrying", "completed", "failed", "cancelled"] as const;

const ListQuery = closed({
  ...WalkQuery,
  status: v.optional(oneOrMore(STATUSES)),
  handler: v.optional(text(255)),
  schedule_id: v.optional(
    v.union(
      [
        v.pipe(
          v.literal("null"),
          v.transform(() => null),
        ),
        uuid,
      ],
      "Must be a UUID or `null`.",
    ),
  ),
  idempotency_key: v.optional(text(255)),
  created_after: v.optional(instantText),
  created_before: v.optional(instantText),
});

export const jobs = new Hono<AppEnv>()
  .post("/", valid({ body: NewJob }), async (c) => {
    const { platform, account } = c.var;
    const now = platform.now();
    const origin = { accountId: account.id, id: platform.newJobId(now), now };
    const spec = specOf(c.req.valid("form").body, origin, deploymentOf(c));
    const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
    const created = unwrap(await createJob(c.env, spec, signingStateOf(account), later));
    if (!created.created) throw await keyInUse(c, created.holder?.id);
    return done(c, "Job created.", showJob(viewOfSpec(spec)), 201);
  })

  .get("/", valid({ query: ListQuery }), async (c) => {
    const { cursor, page, size, ...query } = c.req.valid("form").query;
    const start = startOf({ cursor, page, size });
    const found = unwrap(await listJobs(databaseOf(c.env.DB), c.var.account.id, filterOf(query), start.from, size));
    return listed(c, "Jobs.", found.jobs.map(showJob), walkedTo(start, size, found));
  })

  .get("/:id", valid({ params: IdParam }), async (c) =>
    done(c, "Job.", showJob(unwrap(await currentJob(c.env, refOf(c, c.req.valid("form").params.id))))),
  )

  .get("/:id/executions", valid({ params: IdParam, query: closed(PageQuery) }), async (c) => {
    const { params, query } = c.req.valid("form");
    const found = unwrap(await currentExecutions(c.env, refOf(c, params.id), offsetOf(query), query.size));
    const shown = found.executions.map((one) => showExecution(params.id, one));
    return listed(c, "Executions.", shown, pagingOf(query.page, query.size, found.total));
  })

  .post("/:id/cancel", valid({ params: IdParam }), async (c) => {
    const ref = unwrap(await existing(c.env, refOf(c, c.req.valid("form").params.id)));
    return done(c, "Job cancelled.", showJob(unwrap(await askOwner(() => jobAt(c.env, ref).cancel(ref)))));
  })

  .post("/:id/retry", valid({ params: IdParam }), async (c) => {
    const ref = unwrap(await existing(c.env, refOf(c, c.req.valid("form").params.id)));
    return done(c, "Job is due again.", showJob(unwrap(await askOwner(() => jobAt(c.env, ref).retry(ref)))));
  });

/** The refusal for a key in use, with the job that holds it as it is now. */
async function keyInUse(c: AppContext, holderId: string | undefined): Promise<ApiError> {
  if (holderId === undefined) return refusalIfThere(c, unavailable(1));
  const holder: JobView = unwrap(await currentJob(c.env, refOf(c, holderId)));
  return new ApiError("idempotency_key_conflict", "A job with this idempotency key exists already.", {
    data: showJob(holder),
  });
}

type ListFilter = Omit<v.InferOutput<typeof ListQuery>, "cursor" | "page" | "size">;

function filterOf(query: ListFilter) {
  const { status, handler, schedule_id, idempotency_key, created_after, created_before } = query;
  return {
    ...(status !== undefined && { status }),
    ...(handler !== undefined && { handler }),
    ...(schedule_id !== undefined && { scheduleId: schedule_id }),
    ...(idempotency_key !== undefined && { idempotencyKey: idempotency_key }),
    ...(created_after !== undefined && { createdAfter: created_after }),
    ...(created_before !== undefined && { createdBefore: created_before }),
  };
}
