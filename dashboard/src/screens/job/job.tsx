// One job: what became of it, why it waits, all attempts, and what it carries.

import { useEffect } from "preact/hooks";
import { asApiError } from "../../api/api-error.ts";
import type { Paging } from "../../api/call.ts";
import type { Execution, Job as JobShown } from "../../api/job.ts";
import { executionsOf, getJob, latest } from "../../api/jobs.ts";
import { mayChange } from "../../api/session.ts";
import { href, place } from "../../app/router.ts";
import type { ScreenProps } from "../../app/screens.ts";
import { now } from "../../live/clock.ts";
import { usePoll } from "../../live/poll.ts";
import { adopt } from "../../ui/adopt.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { copy } from "../../ui/code.tsx";
import { Json } from "../../ui/json.tsx";
import { Empty, Loading, Problem, Stale } from "../../ui/problem.tsx";
import { Ago } from "../../ui/time.tsx";
import { formatLength } from "../../ui/time-format.ts";
import { NotFound } from "../not-found.tsx";
import { Actions } from "./actions.tsx";
import { Attempts } from "./attempts.tsx";
import { Facts } from "./facts.tsx";
import css from "./job.css?inline";

adopt(css);

interface Shown {
  readonly job: JobShown;
  readonly executions: readonly Execution[];
  readonly paging: Paging | undefined;
}

/** A job that has ended changes only when somebody changes it. */
const paceOf = ({ job }: Shown): number => (job.completed_at === null ? 2_000 : 10_000);

export function Job({ params: { id = "" } }: ScreenProps) {
  const page = Number(place().query.get("attempts")) || undefined;
  const poll = usePoll<Shown>(
    `${id} ${page}`,
    async (signal) => {
      const [job, { data, paging }] = await Promise.all([getJob(id, signal), executionsOf(id, page, signal)]);
      return { job, executions: data, paging };
    },
    paceOf,
  );
  const problem = poll.problem.value;
  const shown = poll.value.value;
  const name = shown?.job.name;
  useEffect(() => {
    if (name !== undefined) document.title = `${name} · Chronos`;
  }, [name]);
  if (problem?.status === 404 || problem?.status === 422)
    return shown ? <Empty title="This job is deleted" /> : <NotFound />;
  if (!shown)
    return problem ? <Problem error={asApiError(problem)} onRetry={() => void poll.refresh()} /> : <Loading />;
  const { executions, paging } = shown;
  const job = newest(shown.job);
  return (
    <article class="job stack">
      <header class="stack">
        <p class="quiet">
          <a href={href("/jobs")}>Jobs</a> /
        </p>
        <div class="title">
          <h1>
            <bdi>{job.name}</bdi>
          </h1>
          <StatusBadge status={job.status} />
          <Button small look="plain" title="Copy the id" onClick={() => void copy(job.id, "The id")}>
            <span class="mono">{job.id}</span>
          </Button>
        </div>
        {mayChange.value && (
          <Actions
            job={job}
            onChanged={(changed) => {
              poll.put({ ...shown, job: changed });
              void poll.refresh();
            }}
            onRefused={() => void poll.refresh()}
          />
        )}
      </header>
      <Stale error={problem} />
      <Waiting job={job} />
      <div class="columns">
        <div class="stack">
          <section class="panel">
            <header>
              <h2>Attempts</h2>
              <EarlierAttempts id={id} paging={paging} />
            </header>
            <Attempts job={job} executions={executions} />
          </section>
          {job.result_text !== null && (
            <section class="stack">
              <h2>Result</h2>
              <Json text={job.result_text} name="Result" />
            </section>
          )}
          <section class="stack">
            <h2>Payload</h2>
            {job.payload_text === null ? <p class="quiet">None.</p> : <Json text={job.payload_text} name="Payload" />}
          </section>
        </div>
        <aside class="panel" aria-label="What it was asked to do">
          <div class="inside">
            <Facts job={job} />
          </div>
        </aside>
      </div>
    </article>
  );
}

/** What it waits for comes with a question alone: the answer to a change lacks it. */
const newest = (job: JobShown): JobShown => latest(job) ?? job;

/** Why it has not run yet, or why it failed. The line is there in every state, so that what is below keeps its place. */
function Waiting({ job: { waiting_on, last_error, status, flow } }: { job: JobShown }) {
  if (waiting_on)
    return (
      <p class={waiting_on.reason === "not_due" ? "notice" : "notice warn"}>
        {waiting_on.message}{" "}
        {flow !== null && waiting_on.reason.startsWith("flow_") && (
          <>
            <a href={href(`/flows/${encodeURIComponent(flow)}`)}>Look at the flow</a>{" "}
          </>
        )}
        <span class="quiet">
          {waiting_on.until ? (
            <>
              That is <Ago at={waiting_on.until} />.
            </>
          ) : (
            `It has waited for ${formatLength(Math.max(0, now.value - Date.parse(waiting_on.since)))}.`
          )}
        </span>
      </p>
    );
  if (last_error && status !== "completed")
    return (
      <p class="notice bad">
        <code>{last_error.code}</code> {last_error.message}
      </p>
    );
  return (
    <p class="notice">
      {status === "running" ? "An attempt is under way." : status === "completed" ? "It is done." : `It is ${status}.`}
    </p>
  );
}

function EarlierAttempts({ id, paging }: { id: string; paging: Paging | undefined }) {
  if (!paging || paging.pages <= 1) return null;
  const { page, pages, size } = paging;
  const link = (to: number, label: string) => <a href={href(`/jobs/${id}`, { attempts: String(to) })}>{label}</a>;
  return (
    <span class="row quiet">
      {page > 1 && link(page - 1, "Earlier")}
      <span>
        {(page - 1) * size + 1}–{Math.min(page * size, paging.total)} of {paging.total}
      </span>
      {page < pages && link(page + 1, "Later")}
    </span>
  );
}
