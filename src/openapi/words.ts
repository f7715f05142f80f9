// What each field means, in words. A name means the same wherever it stands; where it does not, it is named with its place.

import type { JsonSchema } from "@valibot/to-json-schema";
import { mapped } from "./walk.ts";

const TIME = "ISO 8601, UTC, with milliseconds.";

const WORDS: Record<string, string> = {
  action: "What is done to each of the jobs.",
  all: "All jobs of the account, but those that events have made. Stands alone.",
  api_key: "The account's first API key. Shown only here.",
  attempt: "The number of the execution, from 1. It never restarts.",
  attempts: "Executions started so far.",
  backoff: "How far retries lie apart. Left out: a second, doubled with each retry, with jitter, at most an hour.",
  breaker:
    "After so many counted failures in a row the flow pauses itself for so long, lets one attempt try, and goes on or pauses again. null: none.",
  body: "The first 4 KB of the answer's body, as text, its `Content-Encoding` undone. Where that is not possible, a sentence in parentheses says so.",
  callbacks: "Who is told how this job ends: a POST to that URL, as to a webhook.",
  cancel_requested: "The job was cancelled: stop, and report nothing.",
  code: "What went wrong, for programs.",
  completed_at: `When it ended, whatever the end; null before. ${TIME}`,
  concurrency: "How many attempts may run at once; null means any number.",
  count: "How many runs to show.",
  created_after: "Only jobs created after this moment. In a URL, the `+` of an offset is written `%2B`.",
  created_at: `When it was created. ${TIME}`,
  created_before: "Only jobs created before this moment. In a URL, the `+` of an offset is written `%2B`.",
  cron: "Five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday). If both day fields are restricted, a day needs to match only one of them; if one begins with `*`, as in `*/2`, it must match both. Give either `cron` or `interval`.",
  cursor: "A `next_cursor` of an earlier page: walks a list of any length. Not together with `page`.",
  database:
    "The number of the database that the account lives in. Left out of a request: the one whose accounts have run the fewest jobs lately.",
  data: "What was asked for; of an event, what it happened to, as it was then.",
  delays: "Seconds before each retry, one after the other; the last one repeats.",
  delay: "Run this long from now. Not together with `scheduled_for`.",
  delivery: "How an attempt reaches your code: pushed to a URL, or pulled by a worker.",
  description: "For people.",
  disabled_reason: "Why the service has disabled it; null when it is enabled, or was disabled by a person.",
  done: "Jobs that it has changed.",
  docs: "The reference: a page to read and to try.",
  enabled: "Whether it is told of what happens. Set to `true` again, its failures are counted from the beginning.",
  events: "The types of events it is told of.",
  failing_since: `When the first delivery failed, of those since the last that was taken; null while there is none. ${TIME}`,
  dry_run: "Only count the jobs that match. Default: `false`.",
  due_at: `When the attempt was due. ${TIME}`,
  expires_after:
    "How long after `scheduled_for` an attempt may still start, a retry too. A job that has not ended by then, and has no attempt under way, fails with `expired`. At most five years.",
  expires_at: `No attempt starts from then on; null: at any time. ${TIME}`,
  error: "Why the attempt failed; null while it has not.",
  errors: "The fields at fault, each once; empty when none is.",
  execution_id: "The execution: one attempt of the job.",
  failed: "Jobs that could not be reached, five times within two minutes. They may have been changed all the same.",
  failures: "Counted failures in a row, of any of its jobs.",
  field: "A dotted path into the request, such as `delivery.http.url`.",
  flow: "The flow whose limits hold for the job. One that nobody has defined has none.",
  handler: "The name of the code that does the work. Required when the delivery is pull.",
  handlers: "The handlers this worker has.",
  headers: "Header names and values.",
  health: "200 while the service is well.",
  healthy: "Whether the service is well.",
  http: "Where a push goes.",
  id: "A UUID.",
  idempotency_key:
    "Unique within the account while the job, or the schedule, exists, ended ones included: creating a second one with it is 409. Keys of the form `<uuid>.<digits>` belong to the jobs of schedules.",
  initial: "Seconds before the first retry.",
  interval:
    "Run again after this long, counted from run to run. A day is 24 hours, even when clocks change. At most five years. Give either `cron` or `interval`.",
  jitter: "Adds up to the wait again, so that jobs which failed together do not all come back together.",
  job_ids: "The jobs themselves; one that is named twice counts once. Not together with `filter`.",
  job: "The job as it is now, where there is one to show.",
  job_id: "The job.",
  jobs: "Up to a hundred jobs, each as for `POST /v1/jobs`.",
  key: "The API key. Shown only here.",
  last_error: "Why the last attempt failed; null while none has.",
  last_run_at: `When it last made a job; null before the first. ${TIME}`,
  last_poll_at: `When a worker last asked for jobs, or waited for one; null: not in the last seven days. After a restart of the service it may be up to 30 s too early. ${TIME}`,
  lateness_ms: "How long after `due_at` the attempt started, in milliseconds; null before it has.",
  lease_expires_at: `Until when the job is yours, unless a heartbeat extends it; null once it is not. ${TIME}`,
  limit: "How many attempts may start in any period.",
  local: "The same moment on the clock of the schedule's time zone, with its offset.",
  max: "The longest wait in seconds, jitter included. At least `initial`.",
  matched: "Jobs that it has found so far; all of them once it is completed. Then it is the sum of the other three.",
  max_jobs: "How many jobs to take at most. Given, `data` is an array, if only of one.",
  max_retries: "Retries after the first attempt.",
  message: "What happened, for people.",
  meta: "About the list.",
  method: "The method of the request.",
  missed_runs: "Runs skipped because they fell into an outage.",
  moving_to: "The number of the database that the account moves to; null when it does not move.",
  name: "For people.",
  next_cursor: "Give it as `cursor` for the next page; null on the last one.",
  next_run_at: `When it makes its next job; null while it is paused and once it is over. ${TIME}`,
  openapi: "The API in OpenAPI 3.1.",
  oldest_due_at: `When the job that has waited longest came due; null when none waits. ${TIME}`,
  oldest_waiting_since: `When the attempt that has waited longest came due; null when none waits. ${TIME}`,
  on_conflict:
    "What becomes of another job that holds the key. `replace`: while it is pending it becomes this one; later the key moves to a new job.",
  origin: "Who made the job.",
  overlap:
    "What a run does while the job of the run before has not ended: `allow` makes its job all the same, `skip` makes none and counts in `skipped_runs`.",
  overlap_hours: "How long the old secret stays valid.",
  page: "The number of the page, from 1.",
  pages: "How many pages there are. Exact up to 10,000 entries.",
  paging: "Where in the list this page stands.",
  pause: "How long it pauses, at most seven days.",
  paused:
    "Somebody has paused it: nothing starts until it is resumed. Its breaker does not change this, so that what was read may be sent back; `paused_until` tells of the breaker.",
  paused_until: `When its breaker lets an attempt try; null unless it holds the flow. Nothing starts before. ${TIME}`,
  period: "The length of the period, at most 31 days. It may begin at any moment.",
  payload:
    "The data of the job, for your code. As it was sent, character by character, without the white space between tokens.",
  prefix: "How the key begins: enough to recognise it.",
  previous_signing_secret: "The secret before, while it is still valid; else null.",
  previous_valid_until: `Until when the previous secret is valid; else null. ${TIME}`,
  progress:
    "What the worker said last of how far it is. Any JSON, at most 4 KB. It stays after the end of the execution; null while nothing was said.",
  queue: "The name of a Cloudflare Queue bound to the service. Without one, workers poll.",
  rate: "How many attempts may start in a period; null means any number.",
  reason:
    "Why it waits. `not_due`: its time has not come; `backoff`: an attempt failed, the next waits for its time; `waiting_for_worker`: it is due, and workers ask for its handler; `no_worker`: nobody has asked for its handler for a minute; `queue_not_bound`: its queue is not bound to the service; `account_suspended`: it came due while the account was suspended; `flow_limited`: it waits for its turn in its flow; `flow_paused`: its flow is paused; `overdue`: it is due, and the service is behind. More reasons may come.",
  reports: "What became of up to a hundred executions.",
  response: "What the push target answered; null for a pull, and when nothing came back.",
  result: "The JSON that a pull worker returned, as it was sent; else null.",
  retryable: "Whether trying again makes sense. `false` fails the job for good.",
  revision: "Counts the changes. `If-Match` takes it, as a text in double quotes.",
  running: "Attempts that hold a slot.",
  run_at: `When the next attempt is due; null once the job has ended. ${TIME}`,
  run_count: "How many jobs its runs have made.",
  runs: "How many jobs it makes at most. Neither skipped nor triggered ones count.",
  scope:
    "What the key may do. `full`: everything. `read`: GET alone, but for the signing secret. `create`: `POST /v1/jobs` and `POST /v1/jobs/batch`. `worker`: the calls of a worker.",
  scheduled_after: "Only jobs whose `scheduled_for` is after this moment.",
  scheduled_before: "Only jobs whose `scheduled_for` is before this moment.",
  schedule_id: "The schedule that made the job; `null` for a one-off job.",
  scheduled_for:
    "The job's nominal time. In a request: ISO 8601 with any offset, or without one beside a `timezone`; in the future and at most five years ahead; not together with `delay`. It does not change with retries.",
  searched_to: `Given only when the search stopped before the page was full: 10,000 jobs were read back to this creation time. Follow \`next_cursor\` to go on. ${TIME}`,
  signing_secret: "What deliveries are signed with: the whole string, `whsec_` included.",
  skipped_runs: 'Runs without a job, because the one before had not ended (`overlap: "skip"`).',
  since: `Since when it waits for this reason. ${TIME}`,
  size: "Entries on a page.",
  skipped: "Jobs whose state forbids the change, or that are gone.",
  started_at: `When it started; null before. ${TIME}`,
  status: "Where it stands.",
  stop_at: "No run at or after this moment. In a request: in the future.",
  tags: "Names to find the job by. No two are alike.",
  success: "Whether it was done.",
  timestamp: `When it happened. ${TIME}`,
  tag: "Only jobs with this tag; given more often, with all of them.",
  timeout:
    "Seconds an attempt may take: at most 600 for push, 86,400 for pull. A pull lease lasts as long; heartbeats extend it.",
  timezone:
    "An IANA time zone, such as `Europe/London`. UTC unless given. A `cron` is read in it. It does not change when an `interval` runs, only the local times that a preview shows.",
  total:
    "Entries in the whole list. Exact up to 10,000; with a filter, those among the newest 10,000 jobs that it reads.",
  traceparent: "The W3C trace context of the request that created the job. Left out if it had none.",
  trigger: "What made the attempt start.",
  truncated: "Whether the body is not whole: it was longer, did not come in time, or is not readable as text.",
  type: "Which kind of delivery.",
  unavailable: "Whether nothing could be found out in time. Then all but `handler` is null.",
  unanswered: "Databases that do not answer.",
  unit: "The unit.",
  until: `When this wait ends by itself, if only because the job expires; null when nobody knows. ${TIME}`,
  updated_at: `When it last changed. ${TIME}`,
  url: "A public https address without tabs, line breaks or control characters. Redirects are not followed.",
  utc: `The moment. ${TIME}`,
  value: "How many.",
  waiting:
    "Jobs of this handler that are due and that no worker has taken. Those for a Cloudflare Queue are not counted: its consumer asks nobody.",
  waiting_on:
    "Why the job has not run yet; null while it runs, and once it has ended. Only `GET /v1/jobs/{id}` says it: lists do not.",
  webhook_id: "The webhook.",
  wait_time_seconds: "How long to wait for a job when none is due.",
  worker_id: "The worker's own name, shown with its executions.",
  workers:
    "Workers that asked within the last five minutes, newest first, at most 100. Those that give no `worker_id` are not among them.",
};

/** The schema with words for every field that has none of its own. */
export function inWords(schema: JsonSchema): JsonSchema {
  return mapped(schema, (part) => {
    if (!part.properties) return part;
    const properties = Object.entries(part.properties).map(([name, field]) => {
      const words = typeof field === "object" && field.description === undefined ? WORDS[name] : undefined;
      return [name, words === undefined || typeof field !== "object" ? field : { ...field, description: words }];
    });
    return { ...part, properties: Object.fromEntries(properties) };
  });
}

/**
 * Says defaults in words. Generators of clients take `default` in a body for a promise that the field is there, and then
 * demand it of the caller.
 */
export function defaultsInWords(schema: JsonSchema): JsonSchema {
  return mapped(schema, (part) => {
    if (part.default === undefined) return part;
    const { default: value, description, ...rest } = part;
    return { ...rest, description: [description, `Default: \`${JSON.stringify(value)}\`.`].filter(Boolean).join(" ") };
  });
}
