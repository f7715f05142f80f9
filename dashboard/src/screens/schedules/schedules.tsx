// The list of schedules: what runs next, what ran last, and which of them want a look.

import type { Paging } from "../../api/call.ts";
import { SCHEDULE_STATUSES, type Schedule } from "../../api/schedule.ts";
import { listSchedules } from "../../api/schedules.ts";
import { mayChange } from "../../api/session.ts";
import { href, navigate, place } from "../../app/router.ts";
import { usePoll } from "../../live/poll.ts";
import { adopt } from "../../ui/adopt.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { classOfButton } from "../../ui/button.tsx";
import { Chip, ToggleChip } from "../../ui/chip.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import { PageLinks } from "../../ui/page-links.tsx";
import { Empty, Loading, Problem, Stale } from "../../ui/problem.tsx";
import { Ago } from "../../ui/time.tsx";
import { recurrenceOf } from "./recurrence.ts";
import css from "./schedules.css?inline";

adopt(css);

const SIZE = "25";

interface Page {
  readonly schedules: readonly Schedule[];
  readonly paging: Paging | undefined;
}

/** What the address asks for; anything else in it is left out. */
function askedIn(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  for (const status of query.getAll("status")) asked.append("status", status);
  for (const name of ["handler", "page"]) if (query.get(name)) asked.set(name, query.get(name) ?? "");
  return asked;
}

export function Schedules() {
  const asked = askedIn(place().query);
  const poll = usePoll<Page>(
    asked.toString(),
    async (signal) => {
      const { data, paging } = await listSchedules(new URLSearchParams([...asked, ["size", SIZE]]), signal);
      return { schedules: data, paging };
    },
    5_000,
  );
  const known = poll.value.value;
  const problem = poll.problem.value;
  const isFiltered = asked.has("status") || asked.has("handler");
  return (
    <div class="schedules stack">
      <header class="row">
        <h1>Schedules</h1>
        <span class="rest" />
        {mayChange.value && (
          <a class={classOfButton("primary")} href={href("/schedules/new")}>
            New schedule
          </a>
        )}
      </header>
      <Filters asked={asked} />
      {known ? <Stale error={problem} /> : !problem && <Loading />}
      {!known && problem && <Problem error={problem} onRetry={() => void poll.refresh()} />}
      {known && known.schedules.length === 0 && (
        <section class="panel">
          <None isFiltered={isFiltered} />
        </section>
      )}
      {known && known.schedules.length > 0 && (
        <section class="panel" aria-label="All schedules">
          <ul class="schedule-rows line-rows">
            <li class="head" aria-hidden="true">
              <span>Schedule</span>
              <span>Recurs</span>
              <span>Next run</span>
              <span>Last run</span>
              <span>Runs</span>
              <span>Status</span>
            </li>
            {known.schedules.map((schedule) => (
              <Row key={schedule.id} schedule={schedule} />
            ))}
          </ul>
          {known.paging && (
            <PageLinks
              paging={known.paging}
              hrefOf={(page) =>
                href("/schedules", new URLSearchParams([...without(asked, "page"), ["page", `${page}`]]))
              }
            />
          )}
        </section>
      )}
    </div>
  );
}

const without = (asked: URLSearchParams, name: string, value?: string): [string, string][] =>
  [...asked].filter(([field, given]) => field !== name || (value !== undefined && given !== value));

const go = (pairs: [string, string][]): void => navigate(href("/schedules", new URLSearchParams(pairs)));

function Filters({ asked }: { asked: URLSearchParams }) {
  const others = without(asked, "page");
  const chosen = asked.getAll("status");
  const handler = asked.get("handler");
  return (
    <fieldset class="filters row">
      <legend class="visually-hidden">Filter</legend>
      {SCHEDULE_STATUSES.map((status) => (
        <ToggleChip
          key={status}
          isOn={chosen.includes(status)}
          onToggle={() =>
            go(
              chosen.includes(status)
                ? without(new URLSearchParams(others), "status", status)
                : [...others, ["status", status]],
            )
          }
        >
          {status}
        </ToggleChip>
      ))}
      {handler !== null && (
        <Chip label="handler" onRemove={() => go(without(new URLSearchParams(others), "handler"))}>
          {handler}
        </Chip>
      )}
    </fieldset>
  );
}

function Row({ schedule }: { schedule: Schedule }) {
  const { id, name, description, handler, delivery, timezone, next_run_at, last_run_at, status, runs } = schedule;
  const target = handler ?? (delivery.type === "push" ? delivery.http.url : "");
  return (
    <li class={status}>
      <span class="what">
        <a data-walk class="name cut" href={href(`/schedules/${id}`)} title={name}>
          {name}
        </a>
        <span class="quiet cut" title={description ?? target}>
          {target}
        </span>
      </span>
      <span data-label="Recurs" class="cut">
        <code>{recurrenceOf(schedule)}</code>
        {schedule.cron !== null && <span class="quiet zone">{timezone}</span>}
      </span>
      <span data-label="Next run">
        {next_run_at === null ? <span class="quiet">–</span> : <Ago at={next_run_at} />}
      </span>
      <span data-label="Last run">
        {last_run_at === null ? <span class="quiet">never</span> : <Ago at={last_run_at} />}
      </span>
      <span data-label="Runs">
        {formatNumber(schedule.run_count)}
        {runs !== null && ` of ${formatNumber(runs)}`}
        <Lost schedule={schedule} />
      </span>
      <span data-label="Status">
        <StatusBadge status={status} />
      </span>
    </li>
  );
}

/** Runs that did not happen. */
const Lost = ({ schedule: { missed_runs, skipped_runs } }: { schedule: Schedule }) => (
  <>
    {missed_runs > 0 && <span class="missed">{formatNumber(missed_runs)} missed</span>}
    {skipped_runs > 0 && <span class="quiet skipped">{formatNumber(skipped_runs)} skipped</span>}
  </>
);

const None = ({ isFiltered }: { isFiltered: boolean }) =>
  isFiltered ? (
    <Empty title="No schedule matches">
      <p>
        <a href={href("/schedules")}>Remove all filters</a>
      </p>
    </Empty>
  ) : (
    <Empty title="No schedules yet">
      <p>A schedule makes one job for each of its runs: by a cron expression in a time zone, or at an interval.</p>
      {mayChange.value && (
        <a class={classOfButton("primary")} href={href("/schedules/new")}>
          Create the first one
        </a>
      )}
    </Empty>
  );
