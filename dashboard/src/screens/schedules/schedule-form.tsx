// A new schedule, or changes to one: the form, and beside it what the service would do with it, brought up to date as one types.

import { useSignal } from "@preact/signals";
import { ApiError } from "../../api/api-error.ts";
import { UNITS } from "../../api/job.ts";
import { Button } from "../../ui/button.tsx";
import { choices, faultOf, SelectField, TextField } from "../../ui/field.tsx";
import { Problem } from "../../ui/problem.tsx";
import { useSending } from "../../ui/sending.ts";
import type { Draft, DraftFault } from "./draft.ts";
import { Preview, usePreview } from "./schedule-preview.tsx";
import { Group, Work } from "./work-fields.tsx";

const EXAMPLES = [
  ["*/15 * * * *", "every 15 minutes"],
  ["0 9 * * *", "at nine, every day"],
  ["0 9 * * MON-FRI", "at nine, on weekdays"],
  ["0 0 1 * *", "at midnight, on the first of each month"],
] as const;

interface FormProps {
  readonly title: string;
  readonly start: Draft;
  /** What the button says. */
  readonly verb: string;
  readonly cancelTo: string;
  /** Sends it. @returns a fault that the service need not be asked about */
  readonly onSend: (draft: Draft) => Promise<DraftFault | undefined>;
}

export function ScheduleForm({ title, start, verb, cancelTo, onSend }: FormProps) {
  const draft = useSignal(start);
  const { isBusy, problem, submits } = useSending();
  const preview = usePreview(draft.value);
  const is = draft.value;
  const set = (name: keyof Draft) => (value: string) => {
    draft.value = { ...draft.value, [name]: value };
  };
  /** What the last try to send it, or else the preview, found in a field. */
  const fault = (field: string) => faultOf(problem.value, field) ?? faultOf(preview.problem, field);
  const send = async () => {
    const own = await onSend(is);
    if (own) throw new ApiError({ status: 0, code: "form", message: "Not sent yet.", errors: [own] });
  };
  return (
    <form class="schedule-form stack" onSubmit={submits(send)} noValidate>
      <h1>{title}</h1>
      <div class="halves">
        <div class="stack">
          <Group title="What">
            <TextField
              label="Name"
              value={is.name}
              onValue={set("name")}
              fault={fault("name")}
              required
              maxLength={255}
            />
            <TextField
              label="Description"
              value={is.description}
              onValue={set("description")}
              fault={fault("description")}
              maxLength={1000}
            />
          </Group>
          <Group title="When">
            <SelectField
              label="Recurs"
              value={is.recurs}
              onValue={set("recurs")}
              choices={[
                { value: "cron", label: "by a cron expression" },
                { value: "interval", label: "at an interval" },
              ]}
            />
            {is.recurs === "cron" ? (
              <>
                <TextField
                  label="Cron expression"
                  value={is.cron}
                  onValue={set("cron")}
                  fault={fault("cron")}
                  hint="Minute, hour, day of the month, month, day of the week."
                />
                <p class="row examples">
                  {EXAMPLES.map(([cron, meaning]) => (
                    <Button key={cron} small onClick={() => set("cron")(cron)} title={cron}>
                      {meaning}
                    </Button>
                  ))}
                </p>
                <ZoneField value={is.timezone} onValue={set("timezone")} fault={fault("timezone")} />
              </>
            ) : (
              <div class="fields">
                <TextField
                  label="Every"
                  value={is.every}
                  onValue={set("every")}
                  fault={fault("interval")}
                  inputMode="numeric"
                />
                <SelectField label="Unit" value={is.unit} onValue={set("unit")} choices={choices(UNITS)} />
              </div>
            )}
            <div class="fields">
              <TextField
                label="Runs at most"
                value={is.runs}
                onValue={set("runs")}
                fault={fault("runs")}
                inputMode="numeric"
                hint="Empty: without end."
              />
              <TextField
                label="Stops at"
                value={is.stopAt}
                onValue={set("stopAt")}
                fault={fault("stop_at")}
                placeholder="2027-01-31T18:00:00+01:00"
                hint="With its offset. Empty: never."
              />
            </div>
            <SelectField
              label="If the run before has not ended"
              value={is.overlap}
              onValue={set("overlap")}
              choices={[
                { value: "allow", label: "run all the same" },
                { value: "skip", label: "skip this run" },
              ]}
            />
          </Group>
          <Work draft={is} set={set} fault={fault} />
        </div>
        <div class="stack beside">
          <Preview {...preview} />
          {problem.value && <Problem error={problem.value} />}
          <footer class="row">
            <Button type="submit" look="primary" disabled={isBusy.value}>
              {verb}
            </Button>
            <a class="button" href={cancelTo}>
              Cancel
            </a>
          </footer>
        </div>
      </div>
    </form>
  );
}

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone")];

const ZoneField = (props: { value: string; onValue: (value: string) => void; fault: string | undefined }) => (
  <>
    <TextField {...props} label="Time zone" list="zones" hint="An IANA name, such as Europe/Berlin." />
    <datalist id="zones">
      {ZONES.map((zone) => (
        <option key={zone} value={zone} />
      ))}
    </datalist>
  </>
);
