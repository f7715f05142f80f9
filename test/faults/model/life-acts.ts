// A job's life, step by step: it is made, claimed, reported on, cancelled and retried, each beside the reference.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { aContent, someTime } from "./content.ts";
import type { Acts, Ground, JobJson } from "./ground.ts";
import type { ReferenceJob } from "./reference.ts";
import * as reference from "./reference.ts";

export const HANDLERS = ["model", "another model"] as const;

const always = () => true;

export const lifeActs = (ground: Ground): Acts => ({
  create: { weight: 20, run: () => create(ground) },
  "create again": { weight: 5, fits: ({ key }) => key !== null, to: (job) => createAgain(ground, job) },
  claim: { weight: 25, run: () => claim(ground) },
  complete: { weight: 8, fits: isHeld, to: (job) => report(ground, job, "complete") },
  fail: { weight: 14, fits: isHeld, to: (job) => report(ground, job, "fail") },
  heartbeat: { weight: 6, fits: isHeld, to: (job) => report(ground, job, "heartbeat") },
  "report late": { weight: 8, fits: ({ past }) => past.length > 0, to: (job) => reportLate(ground, job) },
  "repeat the report": {
    weight: 4,
    fits: ({ lastReport, status }) => lastReport !== null && status !== "running",
    to: (job) => repeat(ground, job),
  },
  cancel: { weight: 8, fits: always, to: (job) => cancel(ground, job) },
  retry: { weight: 8, fits: always, to: (job) => retry(ground, job) },
  wait: { weight: 5, run: () => sleep(ground.chance.between(50, 500)) },
});

const isHeld = ({ holder }: ReferenceJob): boolean => holder !== null;

async function create(ground: Ground): Promise<void> {
  const { chance } = ground;
  const key = randomUUID().slice(0, 13);
  const { asked, expiry } = aContent(chance);
  const { body: time } = chance.happens(40) ? someTime(chance) : { body: {} };
  const body = { ...asked, ...expiry.body, ...time, idempotency_key: key };
  const made = await ground.call<JobJson>("POST", "/v1/jobs", body);
  if (made.status !== 201) return ground.wrong("create", made);
  const job = jobMade(made.body.data, { key, asked, expiresAfterMs: expiry.ms });
  ground.jobs.push(job);
  await ground.isListed(job, made.body.data);
}

/** A new job as the service has told of it. */
export function jobMade(
  { id, scheduled_for }: JobJson,
  what: Pick<ReferenceJob, "key" | "asked" | "expiresAfterMs">,
): ReferenceJob {
  const scheduledFor = Date.parse(scheduled_for);
  const expiresAt = what.expiresAfterMs === null ? null : scheduledFor + what.expiresAfterMs;
  const fresh = { isRetry: false, attempts: 0, tries: 0, holder: null, past: [], lastReport: null, result: null };
  const untold = { hasFailed: false, events: [] };
  return { id, ...what, scheduledFor, expiresAt, status: "waiting", runAt: scheduledFor, ...fresh, ...untold };
}

async function createAgain(ground: Ground, { id, key }: ReferenceJob): Promise<void> {
  const body = { name: "again", handler: "model", idempotency_key: key };
  const answer = await ground.call<JobJson>("POST", "/v1/jobs", body);
  if (answer.status !== 409 || answer.body.data.id !== id) ground.wrong("create again", answer);
}

async function claim(ground: Ground): Promise<void> {
  const body = { handlers: HANDLERS, wait_time_seconds: 0 };
  const askedAt = Date.now();
  const answer = await ground.call<{ job_id: string; execution_id: string } | null>(
    "POST",
    "/v1/worker/jobs/claim",
    body,
  );
  const now = Date.now();
  if (answer.status !== 200) return ground.wrong("claim", answer);
  const claimed = answer.body.data;
  if (claimed === null) return nothingWaitsLongerThanItMay(ground, now);
  const job = ground.jobs.find(({ id }) => id === claimed.job_id);
  if (!job || !reference.canBeClaimed(job, now)) return ground.wrong(`claim of a job that is ${job?.status}`, answer);
  if (reference.expiresBy(job, askedAt)) return ground.wrong(`claim of a job that expired at ${job.expiresAt}`, answer);
  if (job.past.includes(claimed.execution_id)) return ground.wrong("claim of an old execution", answer);
  ground.claims += 1;
  reference.claimed(job, claimed.execution_id);
  await ground.agree(job);
}

function nothingWaitsLongerThanItMay(ground: Ground, now: number): void {
  const mayWaitMs = ground.settleMs;
  const isForgotten = (job: ReferenceJob) => reference.canBeClaimed(job, now) && !reference.expiresBy(job, now);
  const forgotten = ground.jobs.find((job) => isForgotten(job) && now - job.runAt > mayWaitMs);
  if (forgotten) ground.fault(`${forgotten.id} is due for ${now - forgotten.runAt} ms, and a claim finds nothing`);
}

async function report(ground: Ground, job: ReferenceJob, what: "complete" | "fail" | "heartbeat"): Promise<void> {
  const execution_id = job.holder;
  const path = `/v1/worker/jobs/${job.id}/${what}`;
  if (what === "heartbeat") {
    return heartbeat(ground, job, path);
  }
  const retryable = ground.chance.happens(80);
  const result = { number: ground.chance.between(1, 1_000) };
  const body = what === "complete" ? { execution_id, result } : { execution_id, retryable, error: { message: "no" } };
  const answer = await ground.call<JobJson>("POST", path, body);
  if (answer.status !== 200) return ground.wrong(what, answer);
  const { run_at } = answer.body.data;
  if (what === "complete") return reference.completed(job, result);
  for (const fault of reference.failed(job, retryable, Date.now(), run_at === null ? null : Date.parse(run_at)))
    ground.fault(fault);
}

/** The progress that a worker reports is shown from then on. */
async function heartbeat(ground: Ground, { id, holder: execution_id }: ReferenceJob, path: string): Promise<void> {
  const progress = { done: ground.chance.between(1, 1_000) };
  const answer = await ground.call("POST", path, { execution_id, progress });
  if (answer.status !== 200) return ground.wrong("heartbeat", answer);
  const listed = await ground.call<{ id: string; progress: unknown }[]>("GET", `/v1/jobs/${id}/executions?size=100`);
  const shown = listed.body.data?.find((one) => one.id === execution_id)?.progress;
  if (JSON.stringify(shown) !== JSON.stringify(progress))
    ground.fault(`${id} shows the progress ${JSON.stringify(shown)}`);
}

/** An execution that lost its lease cannot change anything. */
async function reportLate(ground: Ground, job: ReferenceJob): Promise<void> {
  const execution_id = job.past.slice(0, job.holder === null ? -1 : undefined).at(-1);
  if (execution_id === undefined) return;
  const shown = await ground.call("POST", `/v1/worker/jobs/${job.id}/heartbeat`, { execution_id });
  if (shown.status !== 409 && shown.status !== 200) ground.wrong("a late heartbeat", shown);
  const result = { late: true };
  const answer = await ground.call<JobJson>("POST", `/v1/worker/jobs/${job.id}/complete`, { execution_id, result });
  // 200 repeats what was accepted once: the agreement afterwards shows that it changed nothing.
  if (answer.status !== 409 && answer.status !== 200) ground.wrong("a late report", answer);
}

async function repeat(ground: Ground, job: ReferenceJob): Promise<void> {
  const execution_id = job.past.at(-1);
  const same = job.lastReport === "complete" ? "complete" : "fail";
  const other = same === "complete" ? "fail" : "complete";
  const body = (what: string) => (what === "fail" ? { execution_id, error: { message: "no" } } : { execution_id });
  const repeated = await ground.call("POST", `/v1/worker/jobs/${job.id}/${same}`, body(same));
  if (repeated.status !== 200) ground.wrong("the same report again", repeated);
  const contrary = await ground.call("POST", `/v1/worker/jobs/${job.id}/${other}`, body(other));
  if (contrary.status !== 409) ground.wrong("the other report after it", contrary);
}

async function cancel(ground: Ground, job: ReferenceJob): Promise<void> {
  const answer = await ground.call<JobJson>("POST", `/v1/jobs/${job.id}/cancel`);
  if (answer.status !== (reference.isOver(job) ? 409 : 200)) return ground.wrong(`cancel of ${job.status}`, answer);
  if (reference.isOver(job)) return;
  reference.cancelled(job);
  await ground.isListed(job, answer.body.data);
}

async function retry(ground: Ground, job: ReferenceJob): Promise<void> {
  const answer = await ground.call<JobJson>("POST", `/v1/jobs/${job.id}/retry`);
  const may = job.status === "failed" || job.status === "cancelled";
  if (answer.status !== (may ? 200 : 409)) return ground.wrong(`retry of ${job.status}`, answer);
  if (may) reference.retried(job, Date.parse(answer.body.data.run_at ?? ""));
}
