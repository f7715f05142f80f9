// The rows of the list. Each keeps its place and its element through every refresh, and with it focus and selection.

import type { Job } from "../../api/job.ts";
import { latest } from "../../api/jobs.ts";
import { mayChange } from "../../api/session.ts";
import { href } from "../../app/router.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { Ago } from "../../ui/time.tsx";
import { targetOf } from "../job/target.ts";
import { isSelected, type Selected } from "./selection.ts";

interface JobTableProps {
  readonly rows: readonly Job[];
  readonly gone: ReadonlySet<string>;
  readonly selected: Selected;
  /** With the shift key: all rows from the one that was switched last. */
  readonly onToggle: (id: string, isRange: boolean) => void;
  readonly onTogglePage: () => void;
}

export function JobTable({ rows, gone, selected, onToggle, onTogglePage }: JobTableProps) {
  const count = rows.filter(({ id }) => isSelected(selected, id)).length;
  return (
    <div class="table-scroll">
      <table class="table jobs">
        <thead>
          <tr>
            {mayChange.value && (
              <th class="select">
                <label>
                  <input
                    type="checkbox"
                    aria-label="Select all jobs of this page"
                    checked={count > 0 && count === rows.length}
                    indeterminate={count > 0 && count < rows.length}
                    onClick={onTogglePage}
                  />
                </label>
              </th>
            )}
            <th class="status">Status</th>
            <th class="name">Name</th>
            <th class="target">Handler or target</th>
            <th class="when">Due or ended</th>
            <th class="attempts number">Attempts</th>
            <th class="error">Last error</th>
            <th class="created">Created</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row
              key={row.id}
              row={row}
              isGone={gone.has(row.id)}
              isOn={isSelected(selected, row.id)}
              onToggle={onToggle}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps extends Pick<JobTableProps, "onToggle"> {
  readonly row: Job;
  readonly isGone: boolean;
  readonly isOn: boolean;
}

function Row({ row, isGone, isOn, onToggle }: RowProps) {
  const now = latest(row);
  const job = now ?? row;
  const target = targetOf(job);
  return (
    <tr
      data-id={job.id}
      aria-selected={mayChange.value ? isOn : undefined}
      class={isGone || now === null ? "gone" : undefined}
      title={isGone ? "It is not in this list any more." : undefined}
    >
      {mayChange.value && (
        <td class="select">
          <label>
            <input
              type="checkbox"
              aria-label={`Select ${job.name}`}
              checked={isOn}
              onClick={(event) => onToggle(job.id, event.shiftKey)}
            />
          </label>
        </td>
      )}
      <td class="status">
        {now === null ? "deleted" : isGone && now === row ? "gone" : <StatusBadge status={job.status} />}
      </td>
      <td class="name">
        <div class="line">
          <a data-walk href={href(`/jobs/${job.id}`)} class="cut" title={job.name}>
            <bdi>{job.name}</bdi>
          </a>
          {job.tags.map((tag) => (
            <span class="tag cut" key={tag} title={tag}>
              {tag}
            </span>
          ))}
        </div>
      </td>
      <td class="target">
        <div class="cut" title={target}>
          <bdi>{target}</bdi>
        </div>
      </td>
      <td class="when">{(job.completed_at ?? job.run_at) && <Ago at={job.completed_at ?? job.run_at ?? ""} />}</td>
      <td class="attempts number" title={`${job.max_retries} retries at most`}>
        {job.attempts}
      </td>
      <td class="error">
        {job.last_error && (
          <div class="cut" title={job.last_error.message}>
            <bdi>{job.last_error.message}</bdi>
          </div>
        )}
      </td>
      <td class="created">
        <Ago at={job.created_at} />
      </td>
    </tr>
  );
}
