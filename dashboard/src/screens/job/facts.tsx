// A job's settings as a list of facts, with links to its schedule, flow and callbacks.

import type { ComponentChildren } from "preact";
import type { Job } from "../../api/job.ts";
import { href } from "../../app/router.ts";
import { Ago, Exact } from "../../ui/time.tsx";
import { formatLength } from "../../ui/time-format.ts";

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

const Moment = ({ at }: { at: string }) => (
  <>
    <Exact at={at} />{" "}
    <span class="quiet">
      <Ago at={at} />
    </span>
  </>
);

export const Facts = ({ job }: { job: Job }) => (
  <dl class="facts">
    <Fact name="Scheduled for">
      <Moment at={job.scheduled_for} />
    </Fact>
    {job.run_at && job.run_at !== job.scheduled_for && (
      <Fact name="Next attempt">
        <Moment at={job.run_at} />
      </Fact>
    )}
    {job.completed_at && (
      <Fact name="Ended">
        <Moment at={job.completed_at} />
      </Fact>
    )}
    {job.expires_at && (
      <Fact name="Expires">
        <Moment at={job.expires_at} />
      </Fact>
    )}
    {job.handler && (
      <Fact name="Handler">
        <a href={href("/jobs", { handler: job.handler })}>{job.handler}</a>
      </Fact>
    )}
    <Fact name="Delivery">{deliveryWords(job)}</Fact>
    <Fact name="Time limit">{formatLength(job.timeout * 1_000)} for each attempt</Fact>
    <Fact name="Retries">
      at most {job.max_retries}, {backoffWords(job.backoff)}
    </Fact>
    {job.idempotency_key && (
      <Fact name="Idempotency key">
        <span class="mono">{job.idempotency_key}</span>
      </Fact>
    )}
    {job.tags.length > 0 && (
      <Fact name="Tags">
        <span class="row">
          {job.tags.map((tag) => (
            <a key={tag} href={tagged(tag)}>
              {tag}
            </a>
          ))}
        </span>
      </Fact>
    )}
    {job.flow && (
      <Fact name="Flow">
        <a href={href(`/flows/${encodeURIComponent(job.flow)}`)}>{job.flow}</a>
      </Fact>
    )}
    {job.schedule_id && (
      <Fact name="Schedule">
        <a href={href(`/schedules/${job.schedule_id}`)} class="mono">
          {job.schedule_id}
        </a>
      </Fact>
    )}
    {job.callbacks && (
      <Fact name="Callbacks">
        {Object.entries(job.callbacks).map(([end, callback]) => (
          <div key={end}>
            when {end}: <span class="mono">{callback?.url}</span>
          </div>
        ))}
        <a href={href("/jobs", { tag: `job:${job.id}`, origin: "event" })}>Their deliveries</a>
      </Fact>
    )}
    <Fact name="Made by">{MADE_BY[job.origin]}</Fact>
    <Fact name="Created">
      <Moment at={job.created_at} />
    </Fact>
    <Fact name="Changed">
      <Moment at={job.updated_at} /> <span class="quiet">revision {job.revision}</span>
    </Fact>
  </dl>
);

const MADE_BY: Readonly<Record<Job["origin"], string>> = {
  api: "a call of the API",
  schedule: "a schedule",
  event: "an event",
};

/** A tag of an event's job names the job or the schedule it tells of. */
function tagged(tag: string): string {
  const id = /^job:([0-9a-f-]{36})$/.exec(tag)?.[1];
  return id ? href(`/jobs/${id}`) : href("/jobs", { tag });
}

function deliveryWords({ delivery }: Job): ComponentChildren {
  if (delivery.type === "push")
    return (
      <>
        push: <span class="mono">{`${delivery.http.method} ${delivery.http.url}`}</span>
      </>
    );
  return delivery.queue ? `pull, through the queue ${delivery.queue}` : "pull: a worker fetches it";
}

const seconds = (n: number | undefined): string => formatLength((n ?? 0) * 1_000);

function backoffWords(backoff: Job["backoff"]): string {
  if (backoff === null) return "with growing pauses";
  if (backoff.type === "list") return `with pauses of ${backoff.delays.map(seconds).join(", ")}`;
  const jitter = backoff.jitter ? ", with jitter" : "";
  if (backoff.type === "fixed") return `with pauses of ${seconds(backoff.initial)}${jitter}`;
  return `with pauses from ${seconds(backoff.initial)} to ${seconds(backoff.max)}${jitter}`;
}
