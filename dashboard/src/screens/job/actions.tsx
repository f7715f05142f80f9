// The actions on a job. The buttons keep their places whatever becomes of the job: one that its state forbids is disabled.

import { asApiError } from "../../api/api-error.ts";
import { isAllowed, type Job, type Verb } from "../../api/job.ts";
import { change, deleteJob } from "../../api/jobs.ts";
import { href, navigate, replace } from "../../app/router.ts";
import { ActionButton, Button, classOfButton } from "../../ui/button.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { toast } from "../../ui/toast.tsx";

interface ActionsProps {
  readonly job: Job;
  /** With the answer to a change. */
  readonly onChanged: (job: Job) => void;
  /** After a refusal: the job is not as it was shown. */
  readonly onRefused: () => void;
}

const SAID: Readonly<Record<Exclude<Verb, "delete">, string>> = {
  run: "It is due now.",
  retry: "It is due now, with all its retries.",
  cancel: "It is cancelled.",
};

export function Actions({ job, onChanged, onRefused }: ActionsProps) {
  const act = async (verb: Exclude<Verb, "delete">) => {
    try {
      onChanged(await change(job.id, verb));
      toast(SAID[verb], { tone: "good" });
    } catch (thrown) {
      onRefused();
      throw asApiError(thrown);
    }
  };
  const askCancel = () =>
    confirm({
      title: "Cancel this job?",
      body: (
        <p>
          {job.status === "running"
            ? "An attempt is under way. It can no longer change the job, but what it has begun at the other end goes on."
            : "No attempt starts after this. It can be retried later."}
        </p>
      ),
      verb: "Cancel the job",
      danger: true,
      action: () => act("cancel"),
    });
  const askDelete = () =>
    confirm({
      title: "Delete this job?",
      body: <p>Its executions and its idempotency key go with it. This cannot be undone.</p>,
      verb: "Delete the job",
      danger: true,
      action: async () => {
        await deleteJob(job.id);
        toast("The job is deleted.", { tone: "good" });
        // The back button must not lead to what is gone.
        replace(href("/jobs"));
      },
    });
  const can = (verb: Verb | "edit") => isAllowed(verb, job.status);
  return (
    <div class="row actions">
      <ActionButton disabled={!can("run")} action={() => act("run")}>
        Run now
      </ActionButton>
      <ActionButton disabled={!can("retry")} action={() => act("retry")}>
        Retry
      </ActionButton>
      <Button disabled={!can("cancel")} onClick={askCancel}>
        Cancel
      </Button>
      <Button disabled={!can("edit")} onClick={() => navigate(href(`/jobs/${job.id}/edit`))}>
        Edit
      </Button>
      <a class={classOfButton(undefined)} href={href("/jobs/new", { like: job.id })}>
        Duplicate
      </a>
      <Button look="danger" disabled={!can("delete")} onClick={askDelete}>
        Delete
      </Button>
    </div>
  );
}
