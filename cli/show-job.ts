// Jobs and their executions for people.

import type { Execution, Job, JobStatus } from "../sdk/src/index.ts";
import { moment, relative, span } from "./moments.ts";
import { type Cell, facts, table } from "./table.ts";
import type { Style, Terminal } from "./terminal.ts";

const STYLES: Partial<Record<JobStatus | Execution["status"], Style>> = {
  completed: "green",
  failed: "red",
  timed_out: "red",
  retrying: "yellow",
  interrupted: "yellow",
  running: "cyan",
  cancelled: "dim",
};

export const statusCell = (status: JobStatus | Execution["status"]): Cell => {
  const style = STYLES[status];
  return style === undefined ? status : { text: status, style };
};

export const errorText = (error: Job["lastError"]): string => (error === null ? "" : `${error.code}: ${error.message}`);

export function jobTable(terminal: Terminal, jobs: readonly Job[], now: number): string {
  if (jobs.length === 0) return "No jobs.";
  const rows = jobs.map((job): Cell[] => [
    job.id,
    statusCell(job.status),
    relative(job.completedAt ?? job.runAt ?? job.scheduledFor, now),
    String(job.attempts),
    job.handler ?? (job.delivery.type === "push" ? job.delivery.http.url : ""),
    job.name,
    errorText(job.lastError),
  ]);
  return table(terminal, ["ID", "STATUS", "WHEN", "ATTEMPTS", "TO", "NAME", "LAST ERROR"], rows);
}

export function jobFacts(terminal: Terminal, job: Job, now: number): string {
  const { delivery, waitingOn } = job;
  return facts(terminal, [
    ["id", job.id],
    ["name", job.name],
    ["status", statusCell(job.status)],
    ["waits for", waitingOn ? waitingOn.message : ""],
    ["handler", job.handler ?? ""],
    ["pushed to", delivery.type === "push" ? `${delivery.http.method} ${delivery.http.url}` : ""],
    ["queue", delivery.type === "pull" ? (delivery.queue ?? "") : ""],
    ["due", moment(job.scheduledFor, now)],
    ["next attempt", job.runAt?.getTime() === job.scheduledFor.getTime() ? "" : moment(job.runAt, now)],
    ["expires", moment(job.expiresAt, now)],
    ["ended", moment(job.completedAt, now)],
    ["attempts", String(job.attempts)],
    ["retries", `at most ${job.maxRetries}`],
    ["timeout", span(job.timeout * 1_000)],
    ["last error", job.lastError === null ? "" : { text: errorText(job.lastError), style: "red" }],
    ["payload", job.payloadText ?? ""],
    ["result", job.resultText ?? ""],
    ["key", job.idempotencyKey ?? ""],
    ["schedule", job.scheduleId ?? ""],
    ["flow", job.flow ?? ""],
    ["tags", job.tags.join(", ")],
    ["created", moment(job.createdAt, now)],
  ]);
}

export function executionTable(terminal: Terminal, executions: readonly Execution[], now: number): string {
  const rows = executions.map((one): Cell[] => [
    String(one.attempt),
    statusCell(one.status),
    one.trigger,
    relative(one.startedAt ?? one.dueAt, now),
    one.latenessMs === null ? "" : span(one.latenessMs),
    one.startedAt && one.completedAt ? span(one.completedAt.getTime() - one.startedAt.getTime()) : "",
    answerText(one),
  ]);
  return table(terminal, ["ATTEMPT", "STATUS", "TRIGGER", "STARTED", "LATE", "TOOK", "ANSWER"], rows);
}

export function answerText({ response, error, workerId, progressText }: Execution): string {
  if (error !== null) return errorText(error);
  if (response !== null) return `${response.status} ${response.body}`.trim();
  return [workerId && `worker ${workerId}`, progressText && `progress ${progressText}`].filter(Boolean).join(", ");
}
