// One attempt on the line of time, as a picture. The words beside it say the same.

import type { Lane, Timeline } from "./moments.ts";
import { placeIn } from "./moments.ts";

/** Of what lasts a millisecond on a line of hours something is seen, too. */
const LEAST_PERCENT = 0.6;

export function LaneBar({ lane, timeline }: { lane: Lane; timeline: Timeline }) {
  const status = lane.execution?.status ?? "pending";
  return (
    <svg class="lane" width="100%" height="16" aria-hidden="true">
      <line x1="0" x2="100%" y1="8" y2="8" class="lane-ground" />
      {lane.stretches.map(({ kind, from, to }) => {
        const [x, end] = [placeIn(timeline, from), placeIn(timeline, to)];
        if (kind === "pause") return <line key={kind} x1={`${x}%`} x2={`${end}%`} y1="8" y2="8" class="lane-pause" />;
        const width = Math.max(LEAST_PERCENT, end - x);
        return (
          <rect
            key={kind}
            x={`${Math.min(x, 100 - width)}%`}
            width={`${width}%`}
            y={kind === "run" ? 2 : 5}
            height={kind === "run" ? 12 : 6}
            rx="1.5"
            class={kind === "run" ? `lane-run ${status}` : "lane-late"}
          />
        );
      })}
      <line
        x1={`${placeIn(timeline, lane.due)}%`}
        x2={`${placeIn(timeline, lane.due)}%`}
        y1="1"
        y2="15"
        class="lane-due"
      />
    </svg>
  );
}
