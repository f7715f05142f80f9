// A new job, empty or with what another one was asked to do.

import type { ApiError } from "../../api/api-error.ts";
import { createJob, getJob, jobIn } from "../../api/jobs.ts";
import { SERVICE_URL } from "../../app/base.ts";
import { href, navigate, place } from "../../app/router.ts";
import { useOnce } from "../../live/once.ts";
import { Button } from "../../ui/button.tsx";
import { copy } from "../../ui/code.tsx";
import { Loading, Problem } from "../../ui/problem.tsx";
import { toast } from "../../ui/toast.tsx";
import { zone } from "../../ui/zone.ts";
import type { Body } from "./body.ts";
import { curlOf } from "./curl.ts";
import { draftOf, emptyDraft } from "./draft.ts";
import { JobForm } from "./job-form.tsx";

/** The zone of the clock that the pages show. */
export const zoneName = (): string =>
  zone.value === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export function NewJob() {
  const like = place().query.get("like");
  const read = useOnce(like ?? "", async (signal) => (like === null ? null : await getJob(like, signal)));
  const template = read.value.value;
  if (read.problem.value) return <Problem error={read.problem.value} onRetry={read.retry} />;
  if (template === undefined) return <Loading />;
  const send = async (body: Body) => {
    const job = await createJob(body);
    toast("The job is created.", { tone: "good" });
    navigate(href(`/jobs/${job.id}`));
  };
  return (
    <JobForm
      title={template ? "New job like this one" : "New job"}
      initial={template ? draftOf(template, zoneName()) : emptyDraft(zoneName())}
      verb="Create the job"
      back={href(like === null ? "/jobs" : `/jobs/${like}`)}
      send={send}
      explain={KeyInUse}
      tools={(body) => (
        <Button onClick={() => void copy(curlOf(SERVICE_URL, body()), "The command")}>Copy as curl</Button>
      )}
    />
  );
}

/** The job that holds the key already. */
function KeyInUse(error: ApiError) {
  const job = jobIn(error);
  return job && <a href={href(`/jobs/${job.id}`)}>Show the job that has this key: {job.name}</a>;
}
