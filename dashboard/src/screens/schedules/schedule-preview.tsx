// The preview beside a schedule's form: the next runs as the service computes them, updated while somebody types.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type ApiError, asApiError } from "../../api/api-error.ts";
import type { Tick } from "../../api/schedule.ts";
import { previewRuns } from "../../api/schedules.ts";
import { type Draft, timingOf } from "./draft.ts";
import { RunList } from "./run-list.tsx";

const PREVIEWED = 10;
/** So that not every letter is a request. */
const TYPING_MS = 250;

interface PreviewState {
  readonly ticks: readonly Tick[] | undefined;
  /** Of the ticks: the zone may have been changed since they were asked for. */
  readonly timeZone: string;
  readonly problem: ApiError | undefined;
}

/** Asks for the next runs whenever what decides them has changed, a moment after the last letter. */
export function usePreview(draft: Draft): PreviewState {
  const timeZone = draft.recurs === "cron" ? draft.timezone.trim() || "UTC" : "UTC";
  const state = useSignal<PreviewState>({ ticks: undefined, timeZone, problem: undefined });
  const timing = timingOf(draft);
  const key = JSON.stringify(timing);
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(
      async () => {
        try {
          const ticks = await previewRuns({ ...timing, count: PREVIEWED }, asking.signal);
          state.value = { ticks, timeZone, problem: undefined };
        } catch (thrown) {
          // What was shown last stays, greyed out, so that nothing jumps while somebody types.
          if (!asking.signal.aborted) state.value = { ...state.value, problem: asApiError(thrown) };
        }
      },
      state.value.ticks === undefined ? 0 : TYPING_MS,
    );
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [key]);
  return state.value;
}

export const Preview = ({ ticks, problem, timeZone }: PreviewState) => (
  <section class="panel" aria-labelledby="preview">
    <header>
      <h2 id="preview">Next runs</h2>
      <span class="quiet">{timeZone}</span>
    </header>
    <div class={problem ? "inside outdated" : "inside"} aria-live="polite">
      {problem && <p class="quiet">No preview: {problem.errors[0]?.message ?? problem.message}</p>}
      {ticks?.length === 0 && <p class="quiet">It would never run.</p>}
      {ticks && <RunList ticks={ticks} timeZone={timeZone} />}
    </div>
  </section>
);
