// `chronos-edge doctor`: is it well, what is late, and why?

import type { Command } from "commander";
import { printable } from "../../local/printable.ts";
import { ChronosApiError, ChronosConnectionError, type Job } from "../../sdk/src/index.ts";
import type { Bind, Context } from "../context.ts";
import { diagnose, type Evidence, type Finding, verdict } from "../diagnosis.ts";
import { EXIT, type ExitCode } from "../failure.ts";
import { paint, type Terminal } from "../terminal.ts";
import { readAll } from "./lists.ts";

const PATIENCE_MS = 10_000;
/** As the service counts: a job is overdue once it has been due for so long. */
const OVERDUE_MS = 10_000;

export function doctorCommand(program: Command, bind: Bind): void {
  program
    .command("doctor")
    .description("is the service well, what is late, and why; exit code 1 if something is wrong")
    .action(bind(examine));
}

async function examine(context: Context): Promise<ExitCode> {
  const { chronos, service, terminal } = context;
  const health = await healthOf(service.url);
  const [overview, handlers, webhooks] = await Promise.all([
    chronos.overview({ window: "1h" }),
    readAll(chronos.handlers.list()),
    readAll(chronos.webhooks.list()),
  ]);
  // The service counted what was overdue when it answered, which may be seconds after the command began.
  const now = Date.now();
  const { oldestRunAt } = overview.overdue;
  const oldest = oldestRunAt && (await oldestOverdue(context, oldestRunAt, now));
  const evidence: Evidence = { ...health, overview, handlers, webhooks, oldest };
  const findings = diagnose(evidence, now);
  const sentence = verdict(findings, evidence);
  const well = findings.every(({ level }) => level === "note");
  const { url, source } = service;
  context.print({ well, verdict: sentence, url, findings }, () =>
    report(terminal, { url, source, sentence, well, findings }),
  );
  return well ? EXIT.ok : EXIT.failed;
}

/** What the service says of itself. */
async function healthOf(url: string): Promise<Pick<Evidence, "unwell" | "unanswered">> {
  try {
    const answer = await fetch(`${url.replace(/\/+$/, "")}/health`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await answer.text();
    if (answer.ok) return { unwell: null, unanswered: unansweredIn(text) };
    return { unwell: messageOf(text) ?? `status ${answer.status}`, unanswered: [] };
  } catch (cause) {
    throw new ChronosConnectionError(`${url} does not answer: is the service running, and is the address right?`, {
      cause,
    });
  }
}

function unansweredIn(text: string): string[] {
  try {
    const { data } = JSON.parse(text) as { data?: { unanswered?: unknown } };
    const names = data?.unanswered;
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

function messageOf(text: string): string | null {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message : null;
  } catch {
    return null;
  }
}

/** Of a page of jobs that were due by then, the one that is due the longest; lists cannot be sorted by that. */
async function oldestOverdue({ chronos }: Context, oldestRunAt: Date, now: number): Promise<Job | null> {
  const scheduledBefore = new Date(oldestRunAt.getTime() + 1);
  const { items } = await chronos.jobs
    .list({ status: ["pending", "queued", "retrying"], scheduledBefore, size: 100 })
    .page();
  const dueAt = ({ runAt, scheduledFor }: Job) => (runAt ?? scheduledFor).getTime();
  const late = items.filter((job) => dueAt(job) <= now - OVERDUE_MS).sort((a, b) => dueAt(a) - dueAt(b));
  const [first] = late;
  if (first === undefined) return null;
  return chronos.jobs.get(first.id).catch((error: unknown) => {
    // It has ended meanwhile, and was deleted.
    if (error instanceof ChronosApiError && error.code === "job_not_found") return null;
    throw error;
  });
}

interface Report {
  url: string;
  source: string;
  sentence: string;
  well: boolean;
  findings: readonly Finding[];
}

function report(terminal: Terminal, { url, source, sentence, well, findings }: Report): string {
  const lines = findings.flatMap(({ level, message, advice }) => {
    const mark = level === "trouble" ? paint(terminal, "red", "✗") : paint(terminal, "yellow", "·");
    return [`${mark} ${printable(message)}`, ...(advice ? [`    ${printable(advice)}`] : [])];
  });
  const head = paint(terminal, "dim", `${url} (${source})`);
  return [head, ...lines, paint(terminal, well ? "green" : "red", printable(sentence))].join("\n");
}
