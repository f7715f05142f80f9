// What the service says of itself, judged: what is wrong, why, and what to do. No I/O.

import type { HandlerStatus, Job, Overview, Webhook } from "../sdk/src/index.ts";
import { span } from "./moments.ts";

export interface Evidence {
  /** Null: it is well. Else what `/health` says. */
  unwell: string | null;
  /** Databases of a service with several that do not answer. */
  unanswered: readonly string[];
  overview: Overview;
  handlers: readonly HandlerStatus[];
  webhooks: readonly Webhook[];
  /** The job that has been due the longest, with what it waits for. */
  oldest: Job | null;
}

export interface Finding {
  /** Trouble makes the verdict "not well"; a note does not. */
  level: "trouble" | "note";
  message: string;
  /** A sentence, or nothing. */
  advice: string;
}

/** A worker that has not asked for so long is gone: a poll lasts at most 20 s. */
const ABSENT_AFTER_MS = 60_000;
/** Alarms may rarely be a minute late; more than this is the service's own lateness. */
const LATE_MS = 60_000;
const MOST_LISTED = 5;

export function diagnose(evidence: Evidence, now: number): Finding[] {
  return [
    ...health(evidence),
    ...overdue(evidence, now),
    ...unattended(evidence, now),
    ...heldFlows(evidence),
    ...lateness(evidence),
    ...failures(evidence),
    ...deafWebhooks(evidence),
  ];
}

/** One sentence. */
export function verdict(findings: readonly Finding[], { overview }: Evidence): string {
  const troubles = findings.filter(({ level }) => level === "trouble");
  const { completed, failed } = endedIn(overview);
  const ended = `${count(completed, "job")} completed and ${failed} failed in the last hour`;
  const [first] = troubles;
  if (first === undefined) return `All is well: nothing is late; ${ended}.`;
  const others = troubles.length - 1;
  const more = others === 0 ? "" : ` ${others} more ${others === 1 ? "finding is" : "findings are"} listed above.`;
  return `Not well: ${first.message}${more}`;
}

/** An account that is answered lives in a database that answers: those that do not are other accounts' trouble. */
function health({ unwell, unanswered }: Evidence): Finding[] {
  if (unwell !== null)
    return [trouble(`The service says that it is not well: ${unwell}`, "Its log has more: docs/operating.md.")];
  if (unanswered.length === 0) return [];
  const names = `${unanswered.join(", ")} ${unanswered.length === 1 ? "does" : "do"} not answer`;
  return [note(`${names}: accounts that live there wait.`, "This account is served.")];
}

function overdue({ overview, oldest }: Evidence, now: number): Finding[] {
  const { count: late, complete, oldestRunAt } = overview.overdue;
  if (late === 0) return [];
  const since = oldestRunAt === null ? "" : `, the oldest for ${span(now - oldestRunAt.getTime())}`;
  const many = complete ? count(late, "job") : `More than ${late} jobs`;
  const why = oldest?.waitingOn ? `Job ${oldest.id} (${oldest.name}): ${oldest.waitingOn.message}` : "";
  return [trouble(`${many} ${late === 1 && complete ? "is" : "are"} overdue${since}.`, why)];
}

function unattended({ handlers }: Evidence, now: number): Finding[] {
  return handlers.flatMap((one) => {
    if (one.unavailable)
      return [note(`The handler "${one.handler}" could not be looked at.`, "Try again in a moment.")];
    if (one.waiting === 0) return [];
    const absent = one.lastPollAt === null || now - one.lastPollAt.getTime() > ABSENT_AFTER_MS;
    const waiting = `${count(one.waiting, "job")} ${one.waiting === 1 ? "waits" : "wait"} for the handler "${one.handler}"`;
    if (!absent) return [note(`${waiting}; ${count(one.workers.length, "worker")} asked.`, "")];
    const last = one.lastPollAt === null ? "in the last seven days" : `for ${span(now - one.lastPollAt.getTime())}`;
    return [
      trouble(`${waiting}, and no worker has asked ${last}.`, "Start a worker, or see its log: docs/workers.md."),
    ];
  });
}

/** A pause is what somebody, or a breaker, wanted: it is said, and is no trouble of the service. */
const heldFlows = ({ overview }: Evidence): Finding[] =>
  overview.flows.flatMap(({ key, paused, waiting }) => {
    if (!paused || !waiting) return [];
    return [
      note(
        `The flow "${key}" is paused; ${count(waiting, "job")} ${waiting === 1 ? "waits" : "wait"} in it.`,
        `See why: chronos-edge flows get ${key}`,
      ),
    ];
  });

function lateness({ overview }: Evidence): Finding[] {
  const worst = Math.max(0, ...overview.buckets.map(({ latenessMs }) => latenessMs.p99 ?? 0));
  if (worst <= LATE_MS) return [];
  return [
    note(`Attempts of the last hour started up to ${span(worst)} late (p99).`, "docs/operating.md lists the causes."),
  ];
}

/** Failing jobs are mostly their targets' affair; when most jobs fail, something is wrong. */
function failures({ overview }: Evidence): Finding[] {
  const { completed, failed } = endedIn(overview);
  if (failed === 0) return [];
  const groups = overview.failing.slice(0, MOST_LISTED).map((one) => {
    const where = [one.handler && `handler "${one.handler}"`, one.host].filter(Boolean).join(" at ");
    return `${one.count} × ${one.errorCode}${where ? ` (${where})` : ""}, such as job ${one.jobId}`;
  });
  const message = `${count(failed, "job")} failed in the last hour, and ${completed} completed.`;
  return [{ level: failed > completed ? "trouble" : "note", message, advice: groups.join("; ") }];
}

function deafWebhooks({ webhooks }: Evidence): Finding[] {
  return webhooks.flatMap((one) => {
    if (!one.enabled && one.disabledReason !== null)
      return [
        trouble(
          `The webhook ${one.url} is disabled: ${one.disabledReason}`,
          `Then: chronos-edge webhooks enable ${one.id}`,
        ),
      ];
    if (one.failingSince !== null)
      return [note(`The webhook ${one.url} fails since ${one.failingSince.toISOString()}.`, "")];
    return [];
  });
}

function endedIn({ buckets }: Overview): { completed: number; failed: number } {
  const sum = (name: "completed" | "failed") => buckets.reduce((total, bucket) => total + bucket[name], 0);
  return { completed: sum("completed"), failed: sum("failed") };
}

const trouble = (message: string, advice: string): Finding => ({ level: "trouble", message, advice });
const note = (message: string, advice: string): Finding => ({ level: "note", message, advice });
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
