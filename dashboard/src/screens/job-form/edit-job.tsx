// Changes a job that waits. The change is meant for the job as it was read: if anybody changes it meanwhile, nothing is overwritten.

import { useSignal } from "@preact/signals";
import type { ApiError } from "../../api/api-error.ts";
import { isAllowed, type Job } from "../../api/job.ts";
import { editJob, getJob, jobIn } from "../../api/jobs.ts";
import { href, navigate } from "../../app/router.ts";
import type { ScreenProps } from "../../app/screens.ts";
import { useOnce } from "../../live/once.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Loading, Problem } from "../../ui/problem.tsx";
import { toast } from "../../ui/toast.tsx";
import { changesBetween } from "./body.ts";
import { type Draft, draftOf } from "./draft.ts";
import { JobForm } from "./job-form.tsx";
import { zoneName } from "./new-job.tsx";

export function EditJob({ params: { id = "" } }: ScreenProps) {
  const read = useOnce(id, (signal) => getJob(id, signal));
  const reread = useSignal<Job | undefined>(undefined);
  const job = reread.value ?? read.value.value;
  if (!job) return read.problem.value ? <Problem error={read.problem.value} onRetry={read.retry} /> : <Loading />;
  const shown = href(`/jobs/${id}`);
  if (!isAllowed("edit", job.status))
    return (
      <Empty title={`This job is ${job.status}`}>
        <p>
          Only a job that waits for its time can be changed. <a href={shown}>Back to it</a>
        </p>
      </Empty>
    );
  const initial = draftOf(job, zoneName());
  const send = async (_: object, draft: Draft) => {
    const changes = changesBetween(initial, draft);
    if (Object.keys(changes).length > 0) await editJob(id, changes, job.revision);
    toast(Object.keys(changes).length > 0 ? "The job is changed." : "Nothing was changed.", { tone: "good" });
    navigate(shown);
  };
  const explain = (error: ApiError) => {
    const present = jobIn(error);
    return present && <Button onClick={() => (reread.value = present)}>Begin again with the job as it is now</Button>;
  };
  return (
    <JobForm
      key={job.revision}
      title={`Edit: ${job.name}`}
      initial={initial}
      verb="Save"
      isEdit
      isTimeFixed={job.status !== "pending"}
      back={shown}
      send={send}
      explain={explain}
    />
  );
}
