// The two screens with the form of a schedule: a new one, which may begin as a copy, and changes to one.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type ApiError, asApiError } from "../../api/api-error.ts";
import type { Schedule } from "../../api/schedule.ts";
import { createSchedule, editSchedule, getSchedule } from "../../api/schedules.ts";
import { mayChange } from "../../api/session.ts";
import { href, navigate, place } from "../../app/router.ts";
import type { ScreenProps } from "../../app/screens.ts";
import { adopt } from "../../ui/adopt.ts";
import { Problem, ReadOnly } from "../../ui/problem.tsx";
import { toast } from "../../ui/toast.tsx";
import { bodyOf, changesOf, draftOf, EMPTY } from "./draft.ts";
import { ScheduleForm } from "./schedule-form.tsx";
import css from "./schedules.css?inline";

adopt(css);

export function NewSchedule() {
  const from = place().query.get("from");
  return <WithSchedule id={from}>{(copied) => <New copied={copied} />}</WithSchedule>;
}

function New({ copied }: { copied: Schedule | undefined }) {
  const start = copied
    ? draftOf(copied)
    : { ...EMPTY, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" };
  return (
    <ScheduleForm
      title="New schedule"
      verb="Create schedule"
      start={start}
      cancelTo={href("/schedules")}
      onSend={async (draft) => {
        const asked = bodyOf(draft);
        if ("fault" in asked) return asked.fault;
        const { id } = await createSchedule(asked.body);
        toast("Schedule created.", { tone: "good" });
        navigate(href(`/schedules/${id}`));
        return undefined;
      }}
    />
  );
}

export const EditSchedule = ({ params: { id = "" } }: ScreenProps) => (
  <WithSchedule id={id}>{(schedule) => schedule && <Edit schedule={schedule} />}</WithSchedule>
);

function Edit({ schedule }: { schedule: Schedule }) {
  const start = draftOf(schedule);
  const back = href(`/schedules/${schedule.id}`);
  return (
    <ScheduleForm
      title={`Change “${schedule.name}”`}
      verb="Save changes"
      start={start}
      cancelTo={back}
      onSend={async (draft) => {
        const asked = changesOf(start, draft);
        if ("fault" in asked) return asked.fault;
        if (Object.keys(asked.body).length > 0) {
          await editSchedule(schedule.id, asked.body, schedule.revision);
          toast("Schedule changed. It takes effect from the next run.", { tone: "good" });
        }
        navigate(back);
        return undefined;
      }}
    />
  );
}

interface WithScheduleProps {
  /** null: without any. */
  readonly id: string | null;
  readonly children: (schedule: Schedule | undefined) => preact.ComponentChildren;
}

/** Reads a schedule once: a form does not change below whoever fills it in. */
function WithSchedule({ id, children }: WithScheduleProps) {
  const schedule = useSignal<Schedule | undefined>(undefined);
  const problem = useSignal<ApiError | undefined>(undefined);
  useEffect(() => {
    if (id === null) return;
    const asking = new AbortController();
    getSchedule(id, asking.signal).then(
      (known) => {
        schedule.value = known;
      },
      (thrown) => {
        if (!asking.signal.aborted) problem.value = asApiError(thrown);
      },
    );
    return () => asking.abort();
  }, [id]);
  if (!mayChange.value) return <ReadOnly />;
  if (problem.value) return <Problem error={problem.value} />;
  if (id !== null && !schedule.value) return <h1 class="visually-hidden">Schedule</h1>;
  return children(schedule.value);
}
