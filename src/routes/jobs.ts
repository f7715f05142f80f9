// Jobs over HTTP: read the request, call the owner or the read model, show the answer. No rules here.

import { Hono } from "hono";
import type * as v from "valibot";
import { databaseOf } from "../accounts/home.ts";
import { signingStateOf } from "../accounts/signing-secret.ts";
import type { JobView } from "../domain/job.ts";
import { showExecution, showJob, showWaitingJob } from "../domain/show-job.ts";
import { mustHaveRoomFor } from "../http/account-limits.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { refusalIfThere } from "../http/auth.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError, unavailable } from "../http/errors.ts";
import { IdParam } from "../http/fields.ts";
import { offsetOf, PageQuery, pagingOf, startOf, WalkQuery, walkedTo } from "../http/paging.ts";
import { MAX_BATCH_BYTES } from "../http/read-body.ts";
import { etagOf, ifMatch, preconditionFailed } from "../http/revision.ts";
import { errorOf, unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { type Asked, cancelJob, deleteJob, editJob, MAX_TRIES, retryJob, runJob } from "../objects/job/change-job.ts";
import { createJob, createJobs, createOrReplace } from "../objects/job/create-job.ts";
import { currentExecutions, currentJob, keyHolder, keyHolders } from "../objects/job/read-job.ts";
import { explainedJob } from "../objects/job/waiting-on.ts";
import type { Inserted } from "../store/jobs-store.ts";
import { listJobs } from "../store/list-jobs.ts";
import { viewOfSpec } from "../store/rows.ts";
import { deploymentOf } from "./deployment.ts";
import { FilterQuery, filterOf } from "./job-filter.ts";
import { JobPatch, NewJob, NewJobs, patched, specOf, specsOf } from "./job-input.ts";
import { refOf } from "./job-ref.ts";
import { traceparentOf } from "./traceparent.ts";

const ListQuery = closed({ ...WalkQuery, ...FilterQuery });

export const jobs = new Hono<AppEnv>()
  .post("/", valid({ body: NewJob }), async (c) => {
    const { platform, account } = c.var;
    const now = platform.now();
    const origin = { accountId: account.id, id: platform.newJobId(now), now, traceparent: traceparentOf(c) };
    const { body } = c.req.valid("form");
    const spec = specOf(body, origin, deploymentOf(c));
    await mustHaveRoomFor(c, 1);
    const job = { env: c.env, spec, signing: signingStateOf(account), later: laterOf(c) };
    if (body.on_conflict === "replace" && spec.idempotencyKey !== null) {
      const { job: shown, created } = unwrap(await createOrReplace(job, { ...spec, retimed: true }));
      return created ? done(c, "Job created.", showJob(shown), 201) : done(c, "Job replaced.", showJob(shown));
    }
    const created = unwrap(await createJob(job));
    if (!created.created) throw await keyInUse(c, created.holder?.id);
    return done(c, "Job created.", showJob(viewOfSpec(spec)), 201);
  })

  .post("/batch", valid({ body: NewJobs, maxBytes: MAX_BATCH_BYTES }), async (c) => {
    const { platform, account } = c.var;
    const now = platform.now();
    const traceparent = traceparentOf(c);
    const madeBy = () => ({ accountId: account.id, id: platform.newJobId(now), now, traceparent });
    const specs = specsOf(c.req.valid("form").body, madeBy, deploymentOf(c));
    await mustHaveRoomFor(c, specs.length);
    const asked = { env: c.env, accountId: account.id, specs, signing: signingStateOf(account), later: laterOf(c) };
    const created = unwrap(await createJobs(asked));
    const holders = await keyHolders(
      c.env,
      created.flatMap((one) => (one.created ? [] : (one.holder ?? []))),
    );
    const entries = created.map((one) => entryOf(one, holders));
    if (!entries.every((entry) => entry !== undefined)) throw await refusalIfThere(c, unavailable(1));
    return created.some((one) => one.created)
      ? done(c, "Jobs created.", entries, 201)
      : done(c, "No job was created: their idempotency keys are in use.", entries);
  })

  .get("/", valid({ query: ListQuery }), async (c) => {
    const { cursor, page, size, ...query } = c.req.valid("form").query;
    const start = startOf({ cursor, page, size });
    const found = unwrap(
      await listJobs(databaseOf(c.env, c.var.account.id), c.var.account.id, filterOf(query), start.from, size),
    );
    return listed(c, "Jobs.", found.jobs.map(showJob), walkedTo(start, size, found));
  })

  .get("/:id", valid({ params: IdParam }), async (c) => {
    const { job, waitingOn } = unwrap(await explainedJob(c.env, refOf(c, c.req.valid("form").params.id)));
    c.header("ETag", etagOf(job.revision));
    return done(c, "Job.", showWaitingJob(job, waitingOn));
  })

  .patch("/:id", valid({ params: IdParam, body: JobPatch }), async (c) => {
    const { params, body } = c.req.valid("form");
    const asked = askedOf(c, params.id);
    const wanted = ifMatch(c);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const known = unwrap(await currentJob(c.env, asked.ref));
      if (wanted && !wanted.has(known.revision)) throw preconditionFailed(showJob(known));
      if (!mayEdit(known, body)) throw errorOf({ code: "job_not_editable", status: known.status });
      const edit = patched(known, body, c.var.platform.now(), deploymentOf(c));
      const edited = await editJob(asked, edit, known.revision);
      if (edited.ok || edited.error.code !== "job_moved") return tagged(c, "Job changed.", unwrap(edited));
    }
    throw unavailable(1);
  })

  .delete("/:id", valid({ params: IdParam }), async (c) => {
    const asked = askedOf(c, c.req.valid("form").params.id);
    const wanted = ifMatch(c);
    const known = wanted && unwrap(await currentJob(c.env, asked.ref));
    if (wanted && known && !wanted.has(known.revision)) throw preconditionFailed(showJob(known));
    const deleted = await deleteJob(asked, known?.revision ?? null);
    if (!deleted.ok && deleted.error.code === "job_moved" && wanted)
      throw preconditionFailed(showJob(unwrap(await currentJob(c.env, asked.ref))));
    unwrap(deleted);
    return done(c, "Job deleted.", null);
  })

  .get("/:id/executions", valid({ params: IdParam, query: closed(PageQuery) }), async (c) => {
    const { params, query } = c.req.valid("form");
    const found = unwrap(await currentExecutions(c.env, refOf(c, params.id), offsetOf(query), query.size));
    const shown = found.executions.map((one) => showExecution(params.id, one));
    return listed(c, "Executions.", shown, pagingOf(query.page, query.size, found.total));
  })

  .post("/:id/cancel", valid({ params: IdParam }), async (c) =>
    done(c, "Job cancelled.", showJob(unwrap(await cancelJob(askedOf(c, c.req.valid("form").params.id))))),
  )

  .post("/:id/run", valid({ params: IdParam }), async (c) =>
    done(c, "Job is due now.", showJob(unwrap(await runJob(askedOf(c, c.req.valid("form").params.id))))),
  )

  .post("/:id/retry", valid({ params: IdParam }), async (c) =>
    done(c, "Job is due again.", showJob(unwrap(await retryJob(askedOf(c, c.req.valid("form").params.id))))),
  );

const laterOf = (c: AppContext) => (work: Promise<unknown>) => c.executionCtx.waitUntil(work);

const askedOf = (c: AppContext, jobId: string): Asked => ({ env: c.env, ref: refOf(c, jobId), later: laterOf(c) });

/** A job, with its revision for `If-Match`. */
function tagged(c: AppContext, message: string, job: JobView) {
  c.header("ETag", etagOf(job.revision));
  return done(c, message, showJob(job));
}

/** What is to be tried again keeps its time. */
const mayEdit = ({ status }: JobView, { delay, scheduled_for, timezone }: v.InferOutput<typeof JobPatch>): boolean =>
  status === "pending" ||
  (status === "retrying" && delay === undefined && scheduled_for === undefined && timezone === undefined);

/** What a batch says of one job: made, or another one holds its key; undefined if there is no such job any more. */
function entryOf(one: Inserted, holders: ReadonlyMap<string, JobView>) {
  if (one.created) return { status: 201, job: showJob(viewOfSpec(one.spec)) };
  const holder = holders.get(one.holder?.id ?? "");
  return holder && { status: 409, code: "idempotency_key_conflict", job: showJob(holder) };
}

/** The refusal for a key in use, with the job that holds it as it is now. */
async function keyInUse(c: AppContext, holderId: string | undefined): Promise<ApiError> {
  if (holderId === undefined) return refusalIfThere(c, unavailable(1));
  const holder: JobView = unwrap(await keyHolder(c.env, refOf(c, holderId)));
  return new ApiError("idempotency_key_conflict", "A job with this idempotency key exists already.", {
    data: showJob(holder),
  });
}
