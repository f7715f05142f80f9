// The jobs of a flow that are due and wait for their turn, first due first.

import type { Job } from "../../api/job.ts";
import { latest, listJobs } from "../../api/jobs.ts";
import { href } from "../../app/router.ts";
import { now } from "../../live/clock.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import { Ago } from "../../ui/time.tsx";
import { inLine } from "./in-line.ts";

const SHOWN = 25;
/** The most that a page has. */
const SIZE = 100;

export interface InLine {
  readonly jobs: readonly Job[];
  readonly total: number;
}

/** The list is newest first, so the head of a long line is at its end: of jobs that were made in the order in which they are due. */
export async function readLine(flow: string, signal: AbortSignal): Promise<InLine> {
  const due = { flow, status: ["pending", "retrying"], scheduled_before: new Date().toISOString() };
  const page = (n: number) => listJobs({ ...due, page: String(n), size: String(SIZE) }, signal);
  const first = await page(1);
  const { pages = 1, total = 0 } = first.paging ?? {};
  if (pages <= 1) return { jobs: first.data, total };
  const last = await page(pages);
  const before = last.data.length < SHOWN ? (pages === 2 ? first : await page(pages - 1)).data : [];
  return { jobs: [...before, ...last.data], total };
}

export function Line({ flow, line: { jobs, total } }: { flow: string; line: InLine }) {
  const line = inLine(
    jobs.flatMap((job) => latest(job) ?? []),
    now.value,
  ).slice(0, SHOWN);
  return (
    <section class="panel" aria-labelledby="line">
      <header>
        <h2 id="line">In line</h2>
        {total > line.length && line.length > 0 && (
          <span class="quiet">
            the first {line.length} of {formatNumber(total)}
          </span>
        )}
        <span class="rest" />
        <a href={href("/jobs", { flow })}>All its jobs</a>
      </header>
      {line.length === 0 ? (
        <p class="inside quiet">No job waits for its turn.</p>
      ) : (
        <ol class="line-rows flow-line">
          {line.map(({ id, name, status, run_at, scheduled_for }) => (
            <li key={id}>
              <a data-walk class="cut" href={href(`/jobs/${id}`)} title={name}>
                <bdi>{name}</bdi>
              </a>
              <StatusBadge status={status} />
              <span class="quiet">
                <Ago at={run_at ?? scheduled_for} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
