// What workers say over HTTP: they claim a job, keep its lease, and report how it went.

import { Hono } from "hono";
import * as v from "valibot";
import { formatInstant } from "../domain/instant.ts";
import type { Fault, JobView } from "../domain/job.ts";
import { raw } from "../domain/json-text.ts";
import { moment, showJob } from "../domain/show-job.ts";
import { cut } from "../domain/text.ts";
import { openPoll } from "../http/account-limits.ts";
import type { AppEnv } from "../http/app-env.ts";
import { carried } from "../http/carried.ts";
import { done, success } from "../http/envelope.ts";
import { STATUS_OF } from "../http/errors.ts";
import { integer, list, text, uuid } from "../http/fields.ts";
import { longAnswer } from "../http/long-answer.ts";
import { MAX_BATCH_BYTES } from "../http/read-body.ts";
import { errorOf, unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { askOwner, jobAt } from "../objects/addresses.ts";
import type { Answer, Leased } from "../objects/owners.ts";
import { claimNow, claimWithin } from "../objects/pull-queue/claim.ts";
import { type Report, reportEach, reportOne } from "../objects/report-each.ts";
import { refOf } from "./job-ref.ts";

export const MAX_RESULT_BYTES = 65_536;
const MAX_WAIT_SECONDS = 20;
const MAX_ERROR_LENGTH = 4_096;

export const MAX_PROGRESS_BYTES = 4_096;

/** Any JSON; null is the same as none. */
export const result = carried(MAX_RESULT_BYTES);
export const progress = carried(MAX_PROGRESS_BYTES);

/** Jobs of one claim, and reports of one call. */
const MAX_AT_ONCE = 100;

const JobParam = v.object({ job_id: uuid });
const Claim = closed({
  handlers: v.pipe(
    v.array(text(255)),
    v.minLength(1, "Must name a handler."),
    v.maxLength(100, "Must be at most 100 names."),
  ),
  wait_time_seconds: v.nullish(integer(0, MAX_WAIT_SECONDS), MAX_WAIT_SECONDS),
  max_jobs: v.nullish(integer(1, MAX_AT_ONCE)),
  worker_id: v.nullish(text(255)),
});
const Start = closed({ execution_id: uuid, worker_id: v.nullish(text(255)) });
const Heartbeat = closed({ execution_id: uuid, progress: v.nullish(progress) });
const failure = {
  error: closed({
    message: text(MAX_ERROR_LENGTH, 0),
    name: v.nullish(text(255)),
  }),
  retryable: v.nullish(v.boolean(), true),
};
const Complete = closed({ execution_id: uuid, result: v.nullish(result) });
const Fail = closed({ execution_id: uuid, ...failure });
const Reports = closed({
  reports: list(
    v.variant("status", [
      closed({ job_id: uuid, execution_id: uuid, status: v.literal("completed"), result: v.nullish(result) }),
      closed({ job_id: uuid, execution_id: uuid, status: v.literal("failed"), ...failure }),
    ]),
    MAX_AT_ONCE,
    "reports",
  ),
});

/** A key that has expired could not report what it took. */
const msLeftTo = (expiresAt: number | null, now: number): number =>
  expiresAt === null ? Number.POSITIVE_INFINITY : Math.max(0, expiresAt - now);

export const worker = new Hono<AppEnv>()
  .post("/claim", valid({ body: Claim }), async (c) => {
    const { handlers, wait_time_seconds, max_jobs, worker_id } = c.req.valid("form").body;
    const show = max_jobs == null ? showClaim : showClaims;
    const asked = {
      accountId: c.var.account.id,
      handlers: [...new Set(handlers)],
      most: max_jobs ?? 1,
      workerId: worker_id ?? null,
      pollId: c.var.requestId,
      later: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
    };
    const due = unwrap(await claimNow(c.env, asked));
    if (due.length > 0 || wait_time_seconds === 0) return done(c, ...show(due));
    const waitMs = Math.min(wait_time_seconds * 1_000, msLeftTo(c.var.key.expiresAt, c.var.platform.now()));
    const close = openPoll(c, asked.pollId, waitMs);
    return longAnswer(c, async (client) => {
      const claimed = await claimWithin(c.env, asked, waitMs, client).finally(close);
      return success(...show(claimed.ok ? claimed.value : [])); // a fault in the middle of a poll: the next one is told
    });
  })

  .post("/report", valid({ body: Reports, maxBytes: MAX_BATCH_BYTES }), async (c) => {
    const reports = c.req.valid("form").body.reports.map(reportOf);
    const answers = await reportEach(c.env, c.var.account.id, reports);
    return done(c, "Reports taken.", answers.map(showReported));
  })

  .post("/:job_id/start", valid({ params: JobParam, body: Start }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.job_id);
    const leased = unwrap(
      await askOwner(() => jobAt(c.env, ref).lease(ref, body.execution_id, body.worker_id ?? null)),
    );
    return done(c, "Job started.", showLeased(leased));
  })

  .post("/:job_id/complete", valid({ params: JobParam, body: Complete }), async (c) => {
    const { params, body } = c.req.valid("form");
    const report = reportOf({ ...params, ...body, status: "completed" });
    return done(c, "Job completed.", showJob(unwrap(await reportOne(c.env, c.var.account.id, report))));
  })

  .post("/:job_id/fail", valid({ params: JobParam, body: Fail }), async (c) => {
    const { params, body } = c.req.valid("form");
    const report = reportOf({ ...params, ...body, status: "failed" });
    return done(c, "Failure recorded.", showJob(unwrap(await reportOne(c.env, c.var.account.id, report))));
  })

  .post("/:job_id/heartbeat", valid({ params: JobParam, body: Heartbeat }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.job_id);
    const { leaseEndsAt } = unwrap(
      await askOwner(() => jobAt(c.env, ref).heartbeat(ref, body.execution_id, body.progress ?? null)),
    );
    return done(c, "Heartbeat.", { lease_expires_at: moment(leaseEndsAt), cancel_requested: leaseEndsAt === null });
  });

const faultOf = (message: string, name: string | null): Fault => ({
  code: "handler_error",
  message: cut(name === null ? message : `${name}: ${message}`, MAX_ERROR_LENGTH),
});

type Said = v.InferOutput<typeof Reports>["reports"][number];

const reportOf = (said: Said): Report => ({
  jobId: said.job_id,
  executionId: said.execution_id,
  outcome:
    said.status === "completed"
      ? { result: said.result ?? null }
      : { error: faultOf(said.error.message, said.error.name ?? null), retryable: said.retryable },
});

const showReported = (answer: Answer<JobView>) => {
  if (answer.ok) return { status: 200, job: showJob(answer.value) };
  const { code } = errorOf(answer.error);
  return { status: STATUS_OF[code], code };
};

type Shown = [message: string, data: object | null];

const showClaim = ([leased]: readonly Leased[]): Shown =>
  leased ? ["Job claimed.", showLeased(leased)] : ["No job was due.", null];

const showClaims = (leased: readonly Leased[]): Shown => [
  leased.length > 0 ? "Jobs claimed." : "No job was due.",
  leased.map(showLeased),
];

const showLeased = ({ job, executionId, attempt, leaseEndsAt }: Leased) => ({
  job_id: job.id,
  execution_id: executionId,
  handler: job.handler,
  attempt,
  scheduled_for: formatInstant(job.scheduledFor),
  payload: raw(job.payload),
  timeout: job.timeoutSeconds,
  ...(job.traceparent !== null && { traceparent: job.traceparent }),
  lease_expires_at: formatInstant(leaseEndsAt),
});
