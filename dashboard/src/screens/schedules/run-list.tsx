// Runs to come, on the clock of the schedule's zone, with the changes of the clocks between them.

import type { Tick } from "../../api/schedule.ts";
import { Ago } from "../../ui/time.tsx";
import { formatExact } from "../../ui/time-format.ts";
import { markRuns, wordsOfChange, wordsOfTouch } from "./clock-change.ts";
import { localWords } from "./recurrence.ts";

interface RunListProps {
  readonly ticks: readonly Tick[];
  readonly timeZone: string;
}

export function RunList({ ticks, timeZone }: RunListProps) {
  const marked = markRuns(
    ticks.map(({ utc }) => Date.parse(utc)),
    timeZone,
  );
  return (
    <ol class="run-list">
      {ticks.map(({ utc, local }, i) => {
        const { change, touch } = marked[i] ?? {};
        const { clock, offset } = localWords(local);
        return (
          <li key={utc}>
            {change && <p class="change">{wordsOfChange(change)}</p>}
            <p class={touch ? "run touched" : "run"}>
              <time dateTime={utc} title={formatExact(Date.parse(utc), "utc")}>
                {clock} <span class="quiet">{offset === "+00:00" && timeZone === "UTC" ? "UTC" : offset}</span>
              </time>
              <span class="quiet">
                <Ago at={utc} />
              </span>
            </p>
            {touch && <p class="touch">{wordsOfTouch(touch)}</p>}
          </li>
        );
      })}
    </ol>
  );
}
