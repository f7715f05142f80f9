// When an attempt was due, when it started, and when it ended.

import type { Execution } from "../../api/job.ts";
import { Exact } from "../../ui/time.tsx";
import { formatLength } from "../../ui/time-format.ts";

export const MomentsList = ({ execution }: { execution: Execution }) => {
  const { due_at, started_at, completed_at, lateness_ms } = execution;
  return (
    <>
      <dt>Due</dt>
      <dd>
        <Exact at={due_at} milliseconds />
      </dd>
      <dt>Started</dt>
      <dd>
        {started_at ? <Exact at={started_at} milliseconds /> : "no"}
        {lateness_ms !== null && <span class="quiet"> {formatLength(lateness_ms)} after it was due</span>}
      </dd>
      <dt>Ended</dt>
      <dd>
        {completed_at ? <Exact at={completed_at} milliseconds /> : "not yet"}
        {completed_at && started_at && (
          <span class="quiet"> after {formatLength(Date.parse(completed_at) - Date.parse(started_at))}</span>
        )}
      </dd>
    </>
  );
};
