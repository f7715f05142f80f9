// The chart of jobs that are due in the next hour, minute by minute.

import { href } from "../../app/router.ts";
import { formatNumber } from "../../ui/number-format.ts";
import { Ago } from "../../ui/time.tsx";
import { formatClock } from "../../ui/time-format.ts";
import { zone } from "../../ui/zone.ts";
import { Bars } from "./bars.tsx";
import { jobsDueIn } from "./jobs-of.ts";
import type { Overview } from "./overview-answer.ts";
import { countScale, timeTicks } from "./scale.ts";

export function Due({ overview: { due, due_complete_until, overdue } }: { overview: Overview }) {
  const { top, ticks } = countScale(Math.max(0, ...due.map(({ count }) => count)));
  const all = due.reduce((sum, { count }) => sum + count, 0);
  const isCut = due.length < 61;
  return (
    <section class="panel" aria-label="Due in the next hour">
      <div class="inside">
        <Bars
          name="Due in the next hour"
          title={<h2>Due in the next hour</h2>}
          bars={due.map(({ at, count }) => ({
            key: at,
            pieces: count === 0 ? [] : [{ class: "due", from: 0, to: count / top }],
            words: `${formatClock(Date.parse(at), zone.value)}: ${formatNumber(count)} due`,
            href: count === 0 ? undefined : href("/jobs", jobsDueIn(at)),
          }))}
          lines={ticks.map(({ value, place }) => ({ place, label: formatNumber(value) }))}
          moments={timeTicks(
            due.map(({ at }) => Date.parse(at)),
            "1h",
            zone.value,
          )}
          summary={
            <span class="quiet">
              {formatNumber(all)} {all === 1 ? "job" : "jobs"}
              {isCut && `, counted up to ${formatClock(Date.parse(due_complete_until), zone.value)}`}; schedules make
              theirs at their time
            </span>
          }
        />
      </div>
      <Overdue overdue={overdue} />
    </section>
  );
}

/** What ought to have started. Both kinds are jobs that wait, for their owner or for a worker. */
function Overdue({ overdue: { count, complete, oldest_run_at } }: Pick<Overview, "overdue">) {
  if (oldest_run_at === null) return <p class="overdue quiet">Nothing is overdue.</p>;
  const waiting = new URLSearchParams({ scheduled_before: oldest(oldest_run_at) });
  for (const status of ["pending", "queued", "retrying"]) waiting.append("status", status);
  return (
    <p class="overdue">
      <strong>
        {complete ? "" : "More than "}
        {formatNumber(count)} overdue
      </strong>
      , the oldest was due <Ago at={oldest_run_at} />. <a href={href("/jobs", waiting)}>See the oldest</a>
    </p>
  );
}

/** A minute's worth of the oldest: a bound that stays where it is while somebody reads the list. */
const oldest = (at: string): string => new Date(Date.parse(at) + 60_000).toISOString();
