// Follows one job until it has ended: a line for each change.

import { setTimeout as sleep } from "node:timers/promises";
import { printable } from "../local/printable.ts";
import type { Execution, Job } from "../sdk/src/index.ts";
import { apiJsonLine } from "./api-json.ts";
import type { Context } from "./context.ts";
import { EXIT, type ExitCode, tell } from "./failure.ts";
import { span } from "./moments.ts";
import { errorText, statusCell } from "./show-job.ts";
import { paint } from "./terminal.ts";

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;
/** How long a service that has answered may be away. */
const PATIENCE_MS = 60_000;

/** 0 for a job that completes, 1 for one that does not. */
export async function tail(context: Context, id: string): Promise<ExitCode> {
  const { chronos, json, terminal } = context;
  let before = "";
  let seenAt: number | null = null;
  for (;;) {
    const job: Job | null = await chronos.jobs.get(id).catch((error: unknown) => passing(error, seenAt));
    if (job === null) {
      await sleep(LONGEST_PAUSE_MS);
      continue;
    }
    seenAt = Date.now();
    const progress = job.status === "running" ? ((await lastAttempt(context, id))?.progressText ?? null) : null;
    const now = `${job.status} ${job.attempts} ${job.revision} ${job.waitingOn?.reason} ${progress}`;
    if (now !== before) terminal.out(json ? apiJsonLine(job) : await line(context, job, progress));
    before = now;
    if (job.completedAt !== null) return job.status === "completed" ? EXIT.ok : EXIT.failed;
    await sleep(pauseMs(job, Date.now()));
  }
}

/** A service that is restarted comes back: of one that has answered, nothing is said for a while. */
function passing(error: unknown, seenAt: number | null): null {
  const isAway = tell(error).exitCode === EXIT.unreachable;
  if (!isAway || seenAt === null || Date.now() - seenAt > PATIENCE_MS) throw error;
  return null;
}

/** Nothing happens before the job is due: half of the way is far enough from missing its start. */
function pauseMs({ runAt, status }: Job, now: number): number {
  const ahead = runAt === null || status === "running" ? 0 : runAt.getTime() - now;
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, ahead / 2));
}

async function line(context: Context, job: Job, progress: string | null): Promise<string> {
  const { terminal } = context;
  const cell = statusCell(job.status);
  const { text, style } = typeof cell === "string" ? { text: cell, style: undefined } : cell;
  const status = text.padEnd(9);
  const at = paint(terminal, "dim", new Date().toISOString().slice(11, 23));
  return `${at}  ${style ? paint(terminal, style, status) : status}  ${printable(await said(context, job, progress))}`.trimEnd();
}

async function said(context: Context, job: Job, progress: string | null): Promise<string> {
  switch (job.status) {
    case "pending":
    case "queued":
      return job.waitingOn?.message ?? "";
    case "running":
      return `attempt ${job.attempts}${progress === null ? "" : `: ${progress}`}`;
    case "retrying":
      return `attempt ${job.attempts} failed: ${errorText(job.lastError)}; the next one ${next(job)}`;
    case "completed":
      return `attempt ${job.attempts}${await ending(context, job)}`;
    case "failed":
      return `after ${job.attempts} ${job.attempts === 1 ? "attempt" : "attempts"}: ${errorText(job.lastError)}`;
    case "cancelled":
      return "";
  }
}

const next = ({ runAt }: Job): string => {
  const ms = (runAt?.getTime() ?? 0) - Date.now();
  return ms > 0 ? `in ${span(ms)}` : "now";
};

/** What the last attempt answered, and how long it took. */
async function ending(context: Context, job: Job): Promise<string> {
  const last = await lastAttempt(context, job.id);
  if (!last?.startedAt || !last.completedAt) return "";
  const took = span(last.completedAt.getTime() - last.startedAt.getTime());
  const answer = last.response === null ? job.resultText : last.response.status;
  return `${answer === null ? "" : `, ${answer}`} in ${took}`;
}

async function lastAttempt({ chronos }: Context, id: string): Promise<Execution | undefined> {
  let last: Execution | undefined;
  for await (const execution of chronos.jobs.executions(id)) last = execution;
  return last;
}
