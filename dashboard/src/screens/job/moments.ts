// The attempts of a job on a line of time, to scale. Pure: the present is an argument.

import type { Execution, Job } from "../../api/job.ts";

/** A stretch of time: waiting for the next attempt, waiting to be started though due, or running. */
export interface Stretch {
  readonly kind: "pause" | "late" | "run";
  readonly from: number;
  readonly to: number;
}

export interface Lane {
  /** Null for the attempt that has yet to come. */
  readonly execution: Execution | null;
  readonly due: number;
  readonly stretches: readonly Stretch[];
}

interface Ends {
  readonly from: number;
  readonly to: number;
}

export interface Timeline extends Ends {
  readonly lanes: readonly Lane[];
}

const at = (time: string | null): number | null => (time === null ? null : Date.parse(time));

/** A lane for each attempt that was made, and one for the next if there will be one. */
export function timelineOf(job: Job, executions: readonly Execution[], now: number): Timeline {
  const lanes: Lane[] = [];
  let before: number | null = null;
  for (const execution of executions) {
    const due = Date.parse(execution.due_at);
    const started = at(execution.started_at);
    const ended = at(execution.completed_at);
    const stretches: Stretch[] = [];
    if (before !== null && due > before) stretches.push({ kind: "pause", from: before, to: due });
    const waitedTo = started ?? ended ?? Math.max(now, due);
    if (waitedTo > due) stretches.push({ kind: "late", from: due, to: waitedTo });
    if (started !== null) stretches.push({ kind: "run", from: started, to: ended ?? Math.max(now, started) });
    lanes.push({ execution, due, stretches });
    before = ended ?? started ?? due;
  }
  const next = at(job.run_at);
  const last = executions.at(-1);
  const isToCome = next !== null && (last === undefined || last.completed_at !== null);
  if (isToCome) lanes.push({ execution: null, due: next, stretches: stretchesTo(next, before, now) });
  const moments = lanes.flatMap(({ due, stretches }) => [due, ...stretches.flatMap(({ from, to }) => [from, to])]);
  const from = Math.min(...moments, ...(before === null ? [Date.parse(job.created_at)] : []));
  const to = Math.max(...moments);
  return { from, to: Math.max(to, from + 1), lanes };
}

function stretchesTo(next: number, before: number | null, now: number): Stretch[] {
  const from = before ?? now;
  const pause: Stretch[] = next > from ? [{ kind: "pause", from, to: next }] : [];
  return now > next ? [...pause, { kind: "late", from: next, to: now }] : pause;
}

/** Where a moment lies between the ends, in percent. */
export const placeIn = ({ from, to }: Ends, moment: number): number =>
  Math.min(100, Math.max(0, ((moment - from) / (to - from)) * 100));
