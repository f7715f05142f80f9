// All attempts of a job, one below the other on one line of time. A row opens to what was sent and what came back.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Execution, Job } from "../../api/job.ts";
import { now } from "../../live/clock.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { Exact } from "../../ui/time.tsx";
import { formatDistance, formatExact, formatLength } from "../../ui/time-format.ts";
import { zone } from "../../ui/zone.ts";
import { AttemptDetails } from "./attempt-details.tsx";
import { LaneBar } from "./lane.tsx";
import { type Lane, type Timeline, timelineOf } from "./moments.ts";

interface AttemptsProps {
  readonly job: Job;
  readonly executions: readonly Execution[];
}

export function Attempts({ job, executions }: AttemptsProps) {
  const open = useSignal<ReadonlySet<string>>(new Set());
  // The latest attempt is open at first. Later ones open when somebody wants it: nothing moves by itself.
  const first = executions.at(-1)?.id;
  useEffect(() => {
    if (first !== undefined && open.value.size === 0) open.value = new Set([first]);
  }, []);
  const timeline = timelineOf(job, executions, now.value);
  if (timeline.lanes.length === 0) return <p class="inside quiet">No attempt was made.</p>;
  const toggle = (id: string) => {
    const next = new Set(open.value);
    if (!next.delete(id)) next.add(id);
    open.value = next;
  };
  return (
    <div class="attempts">
      <Scale timeline={timeline} />
      <ol>
        {timeline.lanes.map((lane) =>
          lane.execution ? (
            <Attempt
              key={lane.execution.id}
              job={job}
              lane={lane}
              execution={lane.execution}
              timeline={timeline}
              isOpen={open.value.has(lane.execution.id)}
              onToggle={toggle}
            />
          ) : (
            <ToCome key="next" lane={lane} timeline={timeline} />
          ),
        )}
      </ol>
    </div>
  );
}

/** The ends of the line of time, and how long it is. */
const Scale = ({ timeline: { from, to } }: { timeline: Timeline }) => (
  <div class="scale" aria-hidden="true">
    <span>{formatExact(from, zone.value).slice(0, 19)}</span>
    <span>{formatLength(to - from)}</span>
    <span>{formatExact(to, zone.value).slice(sameDay(from, to) ? 11 : 0, 19)}</span>
  </div>
);

const sameDay = (from: number, to: number): boolean =>
  formatExact(from, zone.value).slice(0, 10) === formatExact(to, zone.value).slice(0, 10);

interface AttemptProps {
  readonly job: Job;
  readonly lane: Lane;
  readonly execution: Execution;
  readonly timeline: Timeline;
  readonly isOpen: boolean;
  readonly onToggle: (id: string) => void;
}

function Attempt({ job, lane, execution, timeline, isOpen, onToggle }: AttemptProps) {
  const { id, attempt, status, started_at, completed_at } = execution;
  const endedAt = completed_at === null ? now.value : Date.parse(completed_at);
  return (
    <li>
      <button
        type="button"
        class="attempt"
        data-walk
        aria-expanded={isOpen}
        onClick={() => onToggle(id)}
        data-attempt={attempt}
      >
        <span class="number">{attempt}</span>
        <StatusBadge status={status} />
        <LaneBar lane={lane} timeline={timeline} />
        <span class="took numbers">{started_at && formatLength(Math.max(0, endedAt - Date.parse(started_at)))}</span>
        <span class="said cut">{summaryOf(execution)}</span>
      </button>
      {isOpen && <AttemptDetails job={job} execution={execution} />}
    </li>
  );
}

/** In a few words, how it went: the status of the answer, or the fault. */
function summaryOf({ response, error, started_at, lateness_ms }: Execution): string {
  const late = lateness_ms !== null && lateness_ms >= 1_000 && `${formatLength(lateness_ms)} late`;
  const said = error ? error.message : response ? `answered ${response.status}` : started_at === null && "not started";
  return [said, late].filter(Boolean).join(" · ");
}

const ToCome = ({ lane, timeline }: { lane: Lane; timeline: Timeline }) => (
  <li>
    <div class="attempt to-come">
      <span class="number" />
      <span class="badge pending">next</span>
      <LaneBar lane={lane} timeline={timeline} />
      <span class="took">{formatDistance(lane.due, now.value)}</span>
      <span class="said cut">
        <Exact at={new Date(lane.due).toISOString()} />
      </span>
    </div>
  </li>
);
