// The jobs of a flow that wait: those that are due, first due first, and behind them those whose time has not come.

import type { Job } from "../../api/job.ts";
import { latest } from "../../api/jobs.ts";
import { href } from "../../app/router.ts";
import { now } from "../../live/clock.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { Ago } from "../../ui/time.tsx";
import { inLine } from "./in-line.ts";

/** How many jobs are asked for: the most that a page has. */
export const LIMIT = "100";
const SHOWN = 25;

export function Line({ flow, jobs }: { flow: string; jobs: readonly Job[] }) {
  const line = inLine(jobs.flatMap((job) => latest(job) ?? []));
  const query = new URLSearchParams([
    ["flow", flow],
    ["status", "pending"],
    ["status", "retrying"],
  ]);
  return (
    <section class="panel" aria-labelledby="line">
      <header>
        <h2 id="line">Its jobs that wait</h2>
        <span class="rest" />
        <a href={href("/jobs", query)}>All of them</a>
      </header>
      {line.length === 0 ? (
        <p class="inside quiet">None waits.</p>
      ) : (
        <ol class="line-rows flow-line">
          {line.slice(0, SHOWN).map(({ id, name, status, run_at }) => (
            <li key={id}>
              <a data-walk class="cut" href={href(`/jobs/${id}`)} title={name}>
                <bdi>{name}</bdi>
              </a>
              <StatusBadge status={status} />
              <span class="quiet">
                {run_at !== null && Date.parse(run_at) <= now.value ? "due " : ""}
                {run_at !== null && <Ago at={run_at} />}
              </span>
            </li>
          ))}
        </ol>
      )}
      {jobs.length === Number(LIMIT) && (
        <p class="inside quiet">
          These are among the newest {LIMIT}. The line itself is in the order in which jobs are due.
        </p>
      )}
    </section>
  );
}
