// Jobs that are late, by what they wait for: a worker that is not there, one that is busy, or the service itself. Pure.

import { formatLength } from "../../ui/time-format.ts";
import { count, type Finding, named, type Part } from "./finding.ts";
import type { Handler, Overview } from "./overview-answer.ts";
import { hasNoWorker } from "./workers-asking.ts";

/** Jobs that are later than this at their start are late for people, too. */
export const LATE_MS = 10_000;
const VERY_LATE_MS = 60_000;

export function overdue({ overdue: late }: Overview, handlers: readonly Handler[], now: number): Finding[] {
  if (late.count === 0 || late.oldest_run_at === null) return [];
  const all: Late = { count: late.count, isLeast: !late.complete, byMs: now - Date.parse(late.oldest_run_at) };
  const waiting = handlers.filter((one) => waitingFor([one]) > 0).sort((a, b) => waitingFor([b]) - waitingFor([a]));
  const abandoned = waiting.filter((one) => hasNoWorker(one, now));
  const busy = waiting.filter((one) => !hasNoWorker(one, now));
  // The counts of handlers are of another moment than that of the late jobs: only a great difference says something.
  const rest = late.complete && late.count > 2 * waitingFor(waiting) ? late.count - waitingFor(waiting) : 0;
  const isMixed = [abandoned.length, busy.length, rest].filter((n) => n > 0).length > 1;
  const of = (some: readonly Handler[]) => (isMixed ? lateFor(some, all, now) : all);
  return [
    ...(abandoned.length > 0
      ? [finding(of(abandoned), "bad", ["no worker asks for ", ...named(abandoned), "."], WORKERS)]
      : []),
    ...(busy.length > 0 && of(busy).byMs >= LATE_MS
      ? [finding(of(busy), toneOf(of(busy)), ["the workers of ", ...named(busy), " do not keep up."], WORKERS)]
      : []),
    ...(rest > 0 || waiting.length === 0
      ? [finding({ ...all, count: rest || all.count }, toneOf(all), ["the service is behind."], behind(now))]
      : []),
  ];
}

interface Late {
  readonly count: number;
  /** There are more than that. */
  readonly isLeast: boolean;
  /** The latest of them. */
  readonly byMs: number;
}

type LeadsTo = Finding["leadsTo"];

const WORKERS: LeadsTo = { path: "/workers" };

const behind = (now: number): LeadsTo => ({
  path: "/jobs",
  query: { status: "pending", scheduled_before: new Date(now).toISOString() },
});

const toneOf = ({ byMs }: Late): "bad" | "warn" => (byMs >= VERY_LATE_MS ? "bad" : "warn");

const finding = ({ count: n, isLeast, byMs }: Late, tone: Finding["tone"], why: Part[], leadsTo: LeadsTo): Finding => ({
  tone,
  parts: [`${isLeast ? "More than " : ""}${count(n, "job")} late by up to ${formatLength(byMs)}: `, ...why],
  ...(leadsTo && { leadsTo }),
});

const waitingFor = (handlers: readonly Handler[]): number =>
  handlers.reduce((sum, { waiting }) => sum + (waiting ?? 0), 0);

/** Of all late jobs those of some handlers. */
function lateFor(handlers: readonly Handler[], all: Late, now: number): Late {
  const dueAt = handlers.flatMap(({ oldest_due_at }) => (oldest_due_at === null ? [] : [Date.parse(oldest_due_at)]));
  const byMs = dueAt.length === 0 ? all.byMs : Math.max(0, now - Math.min(...dueAt));
  return { count: Math.min(all.count, waitingFor(handlers)), isLeast: false, byMs };
}
