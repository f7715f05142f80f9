// What workers say over HTTP: they claim a job, keep its lease, and report how it went.

import { Hono } from "hono";
import * as v from "valibot";
import { formatInstant } from "../domain/instant.ts";
import type { Fault } from "../domain/job.ts";
import { bytesOf, cut } from "../domain/text.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { done, success } from "../http/envelope.ts";
import { integer, text, uuid } from "../http/fields.ts";
import { longAnswer } from "../http/long-answer.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { askOwner, jobAt } from "../objects/addresses.ts";
import { claimNow, claimWithin } from "../objects/claim.ts";
import type { Leased } from "../objects/owners.ts";
import { showJob } from "./show-job.ts";

const MAX_RESULT_BYTES = 65_536;
const MAX_WAIT_SECONDS = 20;
const MAX_ERROR_LENGTH = 4_096;

const JobParam = v.object({ job_id: uuid });
const Claim = closed({
  handlers: v.pipe(
    v.array(text(255)),
    v.minLength(1, "Must name a handler."),
    v.maxLength(100, "Must be at most 100 names."),
  ),
  wait_time_seconds: v.nullish(integer(0, MAX_WAIT_SECONDS), MAX_WAIT_SECONDS),
  worker_id: v.nullish(text(255)),
});
const Start = closed({ execution_id: uuid, worker_id: v.nullish(text(255)) });
const Heartbeat = closed({ execution_id: uuid });
const Complete = closed({
  execution_id: uuid,
  result: v.optional(
    v.pipe(
      v.unknown(),
      v.check(
        (value) => bytesOf(JSON.stringify(value)) <= MAX_RESULT_BYTES,
        `Must be at most ${MAX_RESULT_BYTES} bytes as JSON.`,
      ),
    ),
  ),
});
const Fail = closed({
  execution_id: uuid,
  error: closed({
    message: text(MAX_ERROR_LENGTH, 0),
    name: v.nullish(text(255)),
  }),
  retryable: v.nullish(v.boolean(), true),
});

export const worker = new Hono<AppEnv>()
  .post("/claim", valid({ body: Claim }), async (c) => {
    const { handlers, wait_time_seconds, worker_id } = c.req.valid("form").body;
    const asked = {
      accountId: c.var.account.id,
      handlers,
      workerId: worker_id ?? null,
      pollId: c.var.requestId,
      later: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
    };
    const due = unwrap(await claimNow(c.env, asked));
    if (due || wait_time_seconds === 0) return c.json(showClaim(due));
    return longAnswer(c, async (client) => {
      const claimed = await claimWithin(c.env, asked, wait_time_seconds * 1_000, client);
      return showClaim(claimed.ok ? claimed.value : null); // a fault in the middle of a poll: the next one is told
    });
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
    const ref = refOf(c, params.job_id);
    const job = unwrap(await askOwner(() => jobAt(c.env, ref).complete(ref, body.execution_id, body.result ?? null)));
    return done(c, "Job completed.", showJob(job));
  })

  .post("/:job_id/fail", valid({ params: JobParam, body: Fail }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.job_id);
    const fault = faultOf(body.error.message, body.error.name ?? null);
    const job = unwrap(await askOwner(() => jobAt(c.env, ref).fail(ref, body.execution_id, fault, body.retryable)));
    return done(c, "Failure recorded.", showJob(job));
  })

  .post("/:job_id/heartbeat", valid({ params: JobParam, body: Heartbeat }), async (c) => {
    const { params, body } = c.req.valid("form");
    const ref = refOf(c, params.job_id);
    const { leaseEndsAt } = unwrap(await askOwner(() => jobAt(c.env, ref).heartbeat(ref, body.execution_id)));
    const lease_expires_at = leaseEndsAt === null ? null : formatInstant(leaseEndsAt);
    return done(c, "Heartbeat.", { lease_expires_at, cancel_requested: leaseEndsAt === null });
  });

const refOf = (c: AppContext, jobId: string) => ({ accountId: c.var.account.id, jobId });

const faultOf = (message: string, name: string | null): Fault => ({
  code: "handler_error",
  message: cut(name === null ? message : `${name}: ${message}`, MAX_ERROR_LENGTH),
});

const showClaim = (leased: Leased | null) =>
  leased ? success("Job claimed.", showLeased(leased)) : success("No job was due.", null);

const showLeased = ({ job, executionId, attempt, leaseEndsAt }: Leased) => ({
  job_id: job.id,
  execution_id: executionId,
  handler: job.handler,
  attempt,
  scheduled_for: formatInstant(job.scheduledFor),
  payload: job.payload,
  timeout: job.timeoutSeconds,
  lease_expires_at: formatInstant(leaseEndsAt),
});
