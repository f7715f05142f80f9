// One schedule: what runs next, how the last runs went, what it does, and the actions for it.

import { get } from "../../api/call.ts";
import type { Schedule as Shown, Tick } from "../../api/schedule.ts";
import { changeSchedule, getSchedule, nextRuns, triggerSchedule } from "../../api/schedules.ts";
import { mayChange } from "../../api/session.ts";
import { href } from "../../app/router.ts";
import type { ScreenProps } from "../../app/screens.ts";
import { usePoll } from "../../live/poll.ts";
import { adopt } from "../../ui/adopt.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { ActionButton, Button, classOfButton } from "../../ui/button.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import { Loading, Problem, Stale } from "../../ui/problem.tsx";
import { Ago } from "../../ui/time.tsx";
import { toast } from "../../ui/toast.tsx";
import { NotFound } from "../not-found.tsx";
import { Facts } from "./facts.tsx";
import { Marks } from "./marks.tsx";
import { recurrenceOf } from "./recurrence.ts";
import { RunList } from "./run-list.tsx";
import { type RunJob, type RunMark, runMarks } from "./run-marks.ts";
import css from "./schedules.css?inline";

adopt(css);

const NEXT = 8;
const LAST = 20;

interface Known {
  readonly schedule: Shown;
  readonly next: readonly Tick[];
  readonly marks: readonly RunMark[];
}

async function read(id: string, signal: AbortSignal): Promise<Known> {
  const query = { schedule_id: id, size: String(LAST) };
  const [schedule, jobs] = await Promise.all([getSchedule(id, signal), get<RunJob[]>("/v1/jobs", query, signal)]);
  const hasNext = schedule.status === "active" || schedule.status === "paused";
  const next = hasNext ? await nextRuns(id, NEXT, signal) : [];
  return { schedule, next, marks: runMarks(jobs.data, id) };
}

export function Schedule({ params: { id = "" } }: ScreenProps) {
  const poll = usePoll<Known>(id, (signal) => read(id, signal), 5_000);
  const known = poll.value.value;
  const problem = poll.problem.value;
  if (!known && (problem?.status === 404 || problem?.status === 422)) return <NotFound />;
  if (!known)
    return problem ? (
      <Problem error={problem} onRetry={() => void poll.refresh()} />
    ) : (
      <>
        <h1 class="visually-hidden">Schedule</h1>
        <Loading />
      </>
    );
  const { schedule, next, marks } = known;
  const after = () => poll.refresh();
  return (
    <div class="schedule stack">
      <Stale error={problem} />
      <header class="row">
        <div class="rest">
          <h1>{schedule.name}</h1>
          <p class="row">
            <StatusBadge status={schedule.status} />
            <code>{recurrenceOf(schedule)}</code>
            {schedule.cron !== null && <span class="quiet">{schedule.timezone}</span>}
          </p>
        </div>
        {mayChange.value && <Actions schedule={schedule} after={after} />}
      </header>
      {schedule.description && <p class="description">{schedule.description}</p>}
      <div class="halves">
        <div class="stack">
          <section class="panel" aria-labelledby="last">
            <header>
              <h2 id="last">Last runs</h2>
              <span class="rest" />
              <a href={href("/jobs", { schedule_id: schedule.id })}>All its jobs</a>
            </header>
            <div class="inside stack">
              {marks.length === 0 ? <p class="quiet">It has not run yet.</p> : <Marks marks={marks} />}
              <Counts schedule={schedule} />
            </div>
          </section>
          <Facts schedule={schedule} />
        </div>
        <section class="panel" aria-labelledby="next">
          <header>
            <h2 id="next">{schedule.status === "paused" ? "Next runs, if it were resumed now" : "Next runs"}</h2>
            <span class="quiet">{schedule.timezone}</span>
          </header>
          <div class="inside">
            {next.length === 0 ? (
              <p class="quiet">There are none.</p>
            ) : (
              <RunList ticks={next} timeZone={schedule.timezone} />
            )}
          </div>
        </section>
      </div>
    </div>
  );
}

const runsWord = (count: number, most: number | null): string => {
  if (most !== null) return `of ${formatNumber(most)} ${most === 1 ? "run" : "runs"}`;
  return count === 1 ? "run" : "runs";
};

function Counts({ schedule }: { schedule: Shown }) {
  const { run_count, runs, missed_runs, skipped_runs, last_run_at } = schedule;
  return (
    <ul class="counts">
      <li>
        <strong>{formatNumber(run_count)}</strong> {runsWord(run_count, runs)}
        {last_run_at && (
          <span class="quiet">
            , the last <Ago at={last_run_at} />
          </span>
        )}
      </li>
      <li
        class={missed_runs > 0 ? "missed" : "quiet"}
        title="They fell due while the service was down or its database away; only the newest of them ran."
      >
        {formatNumber(missed_runs)} missed
      </li>
      <li class="quiet" title="The job of the run before had not ended.">
        {formatNumber(skipped_runs)} skipped
      </li>
    </ul>
  );
}

function Actions({ schedule, after }: { schedule: Shown; after: () => Promise<void> }) {
  const { id, name, status } = schedule;
  if (status === "completed" || status === "archived") return <Duplicate id={id} />;
  const change = (verb: "pause" | "resume", done: string) => async () => {
    await changeSchedule(id, verb);
    toast(done, { tone: "good" });
    await after();
  };
  return (
    <div class="row">
      <ActionButton
        look="primary"
        action={async () => {
          await triggerSchedule(id);
          toast("A job is made, due now.", { tone: "good" });
          await after();
        }}
      >
        Trigger now
      </ActionButton>
      {status === "active" ? (
        <ActionButton action={change("pause", "Paused. No run falls due until it is resumed.")}>Pause</ActionButton>
      ) : (
        <ActionButton action={change("resume", "Resumed.")}>Resume</ActionButton>
      )}
      <a class={classOfButton(undefined)} href={href(`/schedules/${id}/edit`)}>
        Edit
      </a>
      <Duplicate id={id} />
      <Button
        look="danger"
        onClick={() =>
          confirm({
            title: `Archive “${name}”?`,
            body: <p>It makes no more jobs, and those that are pending are cancelled. This cannot be undone.</p>,
            verb: "Archive",
            danger: true,
            action: async () => {
              await changeSchedule(id, "archive");
              toast("Archived.", { tone: "good" });
              await after();
            },
          })
        }
      >
        Archive
      </Button>
    </div>
  );
}

const Duplicate = ({ id }: { id: string }) => (
  <a class={classOfButton(undefined)} href={href("/schedules/new", { from: id })}>
    Duplicate
  </a>
);
