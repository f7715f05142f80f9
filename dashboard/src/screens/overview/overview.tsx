// The first screen: how it is in one sentence, then the charts, what fails, and what is due.

import { useMemo, useRef } from "preact/hooks";
import { get } from "../../api/call.ts";
import { mayChange } from "../../api/session.ts";
import { href, place, replace } from "../../app/router.ts";
import { ended } from "../../bulk/running.ts";
import { now } from "../../live/clock.ts";
import { useHeld } from "../../live/held.ts";
import { usePoll } from "../../live/poll.ts";
import { adopt } from "../../ui/adopt.ts";
import { classOfButton } from "../../ui/button.tsx";
import { Loading, Problem, Stale } from "../../ui/problem.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Charts } from "./charts.tsx";
import { Due } from "./due.tsx";
import { FailingList } from "./failing-list.tsx";
import css from "./overview.css?inline";
import type { Overview as Answer, Handler, WindowName } from "./overview-answer.ts";
import { verdictOf } from "./verdict.ts";
import { VerdictLine } from "./verdict-line.tsx";

adopt(css);

/** Counts are up to ten seconds behind: asking more often would show nothing new. */
const EVERY_MS = 10_000;

const WINDOWS: readonly { readonly value: WindowName; readonly label: string; readonly everyMs: number }[] = [
  { value: "15m", label: "15 min", everyMs: EVERY_MS },
  { value: "1h", label: "1 h", everyMs: EVERY_MS },
  { value: "24h", label: "24 h", everyMs: 15_000 },
  { value: "7d", label: "7 d", everyMs: 30_000 },
];

const RECENT: WindowName = "15m";
const DEFAULT: WindowName = "1h";

/** What the verdict is made of: the last 15 minutes, and who asks for work. */
interface Recent {
  readonly overview: Answer;
  readonly handlers: readonly Handler[];
  readonly readAt: number;
}

const readOverview = async (window: WindowName, signal: AbortSignal): Promise<Answer> =>
  (await get<Answer>("/v1/overview", { window }, signal)).data;

async function readRecent(signal: AbortSignal): Promise<Recent> {
  const [overview, handlers] = await Promise.all([
    readOverview(RECENT, signal),
    get<Handler[]>("/v1/handlers", { size: "100" }, signal),
  ]);
  return { overview, handlers: handlers.data, readAt: Date.now() };
}

/** The window that the address names. */
const windowOf = (query: URLSearchParams) =>
  WINDOWS.find(({ value }) => value === query.get("window")) ??
  WINDOWS.find(({ value }) => value === DEFAULT) ??
  WINDOWS[0];

export function Overview() {
  const shown = windowOf(place().query);
  const window = shown?.value ?? DEFAULT;
  const recent = usePoll<Recent>("recent", readRecent, EVERY_MS);
  // A bulk action that has ended has changed what is shown here.
  const chosen = usePoll<Answer>(`${window} ${ended.value}`, (signal) => readOverview(window, signal), shown?.everyMs);
  // The charts of the window before stay until those of the new one are there.
  const last = useRef<Answer | undefined>(undefined);
  last.current = chosen.value.value ?? last.current;
  const [known, overview] = [recent.value.value, last.current];
  const newest = useMemo(() => known && overview && { known, overview }, [known, overview]);
  const { value, touch } = useHeld(newest, overview?.window);
  const problem = recent.problem.value ?? chosen.problem.value;
  if (!value) {
    if (problem)
      return <Problem error={problem} onRetry={() => void Promise.all([recent.refresh(), chosen.refresh()])} />;
    return (
      <>
        <h1 class="visually-hidden">Overview</h1>
        <Loading />
      </>
    );
  }
  return (
    <div class="overview stack" onPointerMove={touch} onFocusIn={touch}>
      <Stale error={problem} />
      <Verdict {...value.known} />
      <div class="row windows">
        <Segments label="Show" choices={WINDOWS} value={window} onValue={choose} />
        {value.overview.window !== window && <span class="quiet">Reading …</span>}
      </div>
      <Charts overview={value.overview} />
      <div class="halves">
        <FailingList overview={value.overview} />
        <Due overview={value.known.overview} />
      </div>
    </div>
  );
}

/** By itself, since it counts the seconds. */
function Verdict({ overview, handlers, readAt }: Recent) {
  const verdict = verdictOf(overview, handlers, Math.max(now.value, readAt));
  return (
    <>
      <VerdictLine verdict={verdict} />
      {verdict.first.tone === "quiet" && mayChange.value && <Begin />}
    </>
  );
}

const choose = (name: WindowName): void => replace(href("/", name === DEFAULT ? {} : { window: name }));

/** Where nothing happens, somebody may be about to begin. */
const Begin = () => (
  <p class="row">
    <a class={classOfButton("primary")} href={href("/jobs/new")}>
      Create a job
    </a>
    <a class={classOfButton(undefined)} href={href("/schedules/new")}>
      Create a schedule
    </a>
  </p>
);
