// The state of the service in one sentence, the most important first, and what else is worth knowing. Pure.

import { formatNumber } from "../../ui/number-format.ts";
import { formatLength } from "../../ui/time-format.ts";
import { count, type Finding, named, type Part } from "./finding.ts";
import { LATE_MS, overdue } from "./late-jobs.ts";
import type { Failing, Handler, Overview } from "./overview-answer.ts";

export interface Verdict {
  readonly first: Finding;
  readonly others: readonly Finding[];
}

/** Shares of what ended, from which failures are worth a look and from which they are an emergency. */
const FAILED_WARN = 0.05;
const FAILED_BAD = 0.5;
/** Fewer than this are no emergency, and of many jobs not worth a look. */
const MIN_FAILED = 5;

/** Attempts that are repeated, as a share of all that were over. */
const RETRIED_WARN = 0.25;

const RANK = { bad: 0, warn: 1, quiet: 2, good: 3 } as const;

/**
 * @param recent the overview of the last 15 minutes
 * @param handlers null while they are not known
 */
export function verdictOf(recent: Overview, handlers: readonly Handler[] | null, now: number): Verdict {
  const findings = [
    ...overdue(recent, handlers ?? [], now),
    ...silent(handlers ?? []),
    ...held(recent),
    ...failures(recent),
    ...retries(recent),
    ...lateness(recent),
  ].sort((a, b) => RANK[a.tone] - RANK[b.tone]);
  const [first, ...others] = findings.some(({ tone }) => tone === "bad" || tone === "warn")
    ? findings
    : [calm(recent), ...findings];
  return { first: first ?? calm(recent), others };
}

function silent(handlers: readonly Handler[]): Finding[] {
  const unknown = handlers.filter(({ unavailable }) => unavailable);
  if (unknown.length === 0) return [];
  return [
    { tone: "warn", parts: ["The queue of ", ...named(unknown), " does not answer."], leadsTo: { path: "/workers" } },
  ];
}

/** What waits because somebody, or a breaker, has paused its flow. */
function held({ flows }: Overview): Finding[] {
  const paused = flows.filter((one) => one.paused && one.waiting);
  if (paused.length === 0) return [];
  const waiting = paused.reduce((sum, one) => sum + (one.waiting ?? 0), 0);
  const [only] = paused;
  const where: Part[] =
    paused.length === 1 && only
      ? ["the flow ", { name: only.key }, " is paused."]
      : [`${paused.length} flows are paused.`];
  return [
    {
      tone: "warn",
      parts: [`${count(waiting, "job")} ${waiting === 1 ? "waits" : "wait"}: `, ...where],
      leadsTo: { path: "/flows" },
    },
  ];
}

function failures(recent: Overview): Finding[] {
  const { completed, failed } = totalsOf(recent);
  if (failed === 0) return [];
  const share = failed / (completed + failed);
  const isFew = failed < MIN_FAILED;
  const tone = share >= FAILED_BAD ? (isFew ? "warn" : "bad") : isFew || share < FAILED_WARN ? "quiet" : "warn";
  const most = tone === "quiet" ? null : mostOf(recent.failing);
  const query = { status: "failed", scheduled_after: recent.buckets[0]?.at ?? "" };
  return [
    {
      tone,
      parts: [
        `${failedOf(failed, completed + failed)} that ended in the last 15 min failed`,
        ...(most === null ? [] : [", most of them with ", ...most]),
        ".",
      ],
      leadsTo: { path: "/jobs", query },
    },
  ];
}

function failedOf(failed: number, all: number): string {
  if (all === 1) return "The only job";
  return failed === all ? `All ${count(all, "job")}` : `${formatNumber(failed)} of the ${count(all, "job")}`;
}

/** What more than half of the failures have in common; null when there is no such thing. */
function mostOf(failing: readonly Failing[]): Part[] | null {
  const all = failing.reduce((sum, group) => sum + group.count, 0);
  const most = failing.find((group) => group.count * 2 > all);
  if (!most) return null;
  const where: Part[] =
    most.host !== null
      ? [" from ", { name: most.host }]
      : most.handler !== null
        ? [" in ", { name: most.handler }]
        : [];
  return [{ name: most.error_code }, ...where];
}

function retries(recent: Overview): Finding[] {
  const { completed, failed, retried } = totalsOf(recent);
  const all = completed + failed + retried;
  if (retried < MIN_FAILED || retried / all < RETRIED_WARN) return [];
  return [
    {
      tone: "warn",
      parts: [`${formatNumber(retried)} of ${count(all, "attempt")} in the last 15 min failed and are tried again.`],
      leadsTo: { path: "/jobs", query: { status: "retrying" } },
    },
  ];
}

/** Of the last five minutes: what was late before is over. */
function lateness({ buckets }: Overview): Finding[] {
  const late = Math.max(0, ...buckets.slice(-5).map(({ lateness_ms }) => lateness_ms.p95 ?? 0));
  if (late < LATE_MS) return [];
  return [{ tone: "warn", parts: [`Jobs started up to ${formatLength(late)} late in the last 5 min.`] }];
}

function calm(recent: Overview): Finding {
  const { started } = totalsOf(recent);
  const due = recent.due.reduce((sum, minute) => sum + minute.count, 0);
  if (started > 0) return { tone: "good", parts: ["All well."] };
  if (due > 0)
    return {
      tone: "good",
      parts: [`All well. Nothing ran in the last 15 min; ${count(due, "job")} due within the hour.`],
    };
  return { tone: "quiet", parts: ["All quiet: nothing ran in the last 15 min, and nothing is due within the hour."] };
}

export interface Totals {
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
}

/** What was counted in the whole window. */
export function totalsOf({ buckets }: Pick<Overview, "buckets">): Totals {
  const sum = (of: (bucket: Overview["buckets"][number]) => number) => buckets.reduce((all, one) => all + of(one), 0);
  return {
    started: sum((one) => one.started),
    completed: sum((one) => one.completed),
    failed: sum((one) => one.failed),
    retried: sum((one) => one.retried),
  };
}
