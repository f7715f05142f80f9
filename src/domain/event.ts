// What is announced (contract §9): which events a job's end or a schedule's change makes, and the job that carries one to an
// endpoint. Such a job is made for each endpoint; its id follows from the event, so making it again changes nothing.

import type { FlowView } from "./flow.ts";
import { createdAtOf } from "./ids.ts";
import { formatInstant } from "./instant.ts";
import { type Callback, type Fault, isEnded, type Job, type JobSpec, type JobStatus, statusOf, viewOf } from "./job.ts";
import { type JsonText, raw, stringify } from "./json-text.ts";
import type { Schedule } from "./schedule.ts";
import { showFlow } from "./show-flow.ts";
import { showJob } from "./show-job.ts";
import { showSchedule } from "./show-schedule.ts";

export const EVENT_TYPES = [
  "job.completed",
  "job.failed",
  "job.cancelled",
  "job.recovered",
  "schedule.missed",
  "schedule.completed",
  "flow.paused",
  "flow.resumed",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What a schedule has to announce, and since when: ticks were missed, or it is over. */
export interface ScheduleNews {
  readonly type: "schedule.missed" | "schedule.completed";
  readonly at: number;
}

/** What a flow has to announce: its breaker has paused it, or lets it go on. */
export interface FlowNews {
  readonly type: "flow.paused" | "flow.resumed";
  readonly at: number;
}

/** Something that happened, as all who asked for it are told. */
export interface Event {
  /** `webhook.test` is made on request only. */
  readonly type: EventType | "webhook.test";
  readonly at: number;
  readonly data: JsonText;
  /** The tag by which its deliveries are found, beside the endpoint's; null: none. */
  readonly tag: string | null;
  /** Tells what happened from everything else of the account. */
  readonly identity: string;
  /** An endpoint that is told, although it is no webhook. */
  readonly callback: Callback | null;
}

/** Where an event goes. */
export interface Endpoint extends Callback {
  /** A webhook; null: a job's own callback. */
  readonly webhookId: string | null;
}

/** Whether a completed job had failed before, and with that may have alarmed somebody. An interruption is no such failure. */
const hadFailed = (tries: number, lastError: Fault | null): boolean =>
  tries > 0 || (lastError !== null && lastError.code !== "platform");

/** The events of an end. */
export function eventsOfEnd(status: JobStatus, tries: number, lastError: Fault | null): readonly EventType[] {
  switch (status) {
    case "completed":
      return hadFailed(tries, lastError) ? ["job.completed", "job.recovered"] : ["job.completed"];
    case "failed":
      return ["job.failed"];
    case "cancelled":
      return ["job.cancelled"];
    case "pending":
    case "queued":
    case "running":
    case "retrying":
      return [];
  }
}

/** Whether a job's end has events that may not have their jobs. */
const isPending = ({ phase, origin }: Job): boolean => isEnded(phase) && !phase.announced && origin !== "event";

/** The types of events a job still has to announce. */
export const pendingTypes = (job: Job): readonly EventType[] => {
  const past = job.untold.flatMap(({ type }) => (type === "webhook.test" ? [] : type));
  const present = isPending(job) ? eventsOfEnd(statusOf(job), job.tries, job.lastError) : [];
  return [...new Set([...past, ...present])];
};

/** Whether an endpoint that is no webhook is to be told: then nobody has to be asked whether somebody is. */
export const hasCallback = (job: Job): boolean =>
  job.untold.some(({ callback }) => callback !== null) || (isPending(job) && callbackOf(job) !== null);

/** The endpoint that a job names for this end of its own. */
function callbackOf({ phase, callbacks }: Job): Callback | null {
  if (phase.name === "completed") return callbacks?.completed ?? null;
  return phase.name === "failed" ? (callbacks?.failed ?? null) : null;
}

/** The events a job still has to announce, the oldest first. A callback hears how it ended, and not that it recovered. */
export function eventsOf(job: Job): readonly Event[] {
  const { id, attempt, phase, untold } = job;
  if (!isPending(job) || !isEnded(phase)) return untold;
  const data = stringify(showJob(viewOf(job))) as JsonText;
  const present = eventsOfEnd(phase.name, job.tries, job.lastError).map((type) => ({
    type,
    at: phase.endedAt,
    data,
    tag: `job:${id}`,
    identity: `job ${id} ${attempt} ${phase.name} ${phase.endedAt}`,
    callback: type === "job.recovered" ? null : callbackOf(job),
  }));
  return [...untold, ...present];
}

/** @param name tells what the news is about from everything else of the account */
const eventsOfNews = (news: readonly (ScheduleNews | FlowNews)[], data: object, tag: string, name: string): Event[] =>
  news.map(({ type, at }) => ({
    type,
    at,
    data: stringify(data) as JsonText,
    tag,
    identity: `${name} ${at}`,
    callback: null,
  }));

/** What a schedule has to announce. */
export const eventsOfSchedule = (schedule: Schedule): readonly Event[] =>
  eventsOfNews(schedule.news, showSchedule(schedule), `schedule:${schedule.id}`, `schedule ${schedule.id}`);

/** What a flow has to announce, with how it stands now. */
export const eventsOfFlow = (flow: FlowView, news: readonly FlowNews[]): readonly Event[] =>
  eventsOfNews(news, showFlow(flow), `flow:${flow.key}`, `flow ${flow.key}`);

/** What a webhook is sent on request. */
export const testEvent = (webhookId: string, at: number): Event => ({
  type: "webhook.test",
  at,
  data: stringify({ webhook_id: webhookId }) as JsonText,
  tag: null,
  identity: "",
  callback: null,
});

/** What the id of an event's job is made of, beside the moment: the same again for the same event and endpoint. */
export const identityOf = ({ type, identity }: Event, { webhookId }: Endpoint): string =>
  `${identity} ${type} ${webhookId ?? "callback"}`;

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Waits between the attempts of a delivery, in seconds: a bit more than a day in all. */
const RETRY_DELAYS = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR] as const;
const TIMEOUT_SECONDS = 15;

const WEBHOOK_TAG = "webhook:";

/** The webhook whose delivery this job is. */
export function webhookOf({ origin, tags }: Pick<JobSpec, "origin" | "tags">): string | null {
  if (origin !== "event") return null;
  return tags.find((tag) => tag.startsWith(WEBHOOK_TAG))?.slice(WEBHOOK_TAG.length) ?? null;
}

/**
 * The job that carries an event to an endpoint: a push like any other, whose payload is the body itself.
 *
 * @param id begins with the moment the job is made at
 */
export const jobOfEvent = (
  accountId: string,
  event: Event,
  { webhookId, url, headers }: Endpoint,
  id: string,
): JobSpec => ({
  name: event.type,
  handler: null,
  payload: stringify({ type: event.type, timestamp: formatInstant(event.at), data: raw(event.data) }) as JsonText,
  delivery: { type: "push", url, method: "POST", headers },
  timeoutSeconds: TIMEOUT_SECONDS,
  maxRetries: RETRY_DELAYS.length,
  backoff: { type: "list", delaysSeconds: RETRY_DELAYS },
  expiresAfterMs: null,
  tags: [...(event.tag === null ? [] : [event.tag]), ...(webhookId === null ? [] : [`${WEBHOOK_TAG}${webhookId}`])],
  flow: null,
  callbacks: null,
  accountId,
  id,
  scheduleId: null,
  origin: "event",
  idempotencyKey: null,
  traceparent: null,
  scheduledFor: createdAtOf(id),
  createdAt: createdAtOf(id),
});
