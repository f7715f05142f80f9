// A new schedule, or changes to one: the form, and beside it what the service would do with it, brought up to date as one types.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { type ApiError, asApiError, ApiError as Failure } from "../../api/api-error.ts";
import type { Tick } from "../../api/schedule.ts";
import { previewRuns } from "../../api/schedules.ts";
import { Button } from "../../ui/button.tsx";
import { faultOf, SelectField, TextArea, TextField } from "../../ui/field.tsx";
import { Problem } from "../../ui/problem.tsx";
import { type Draft, type DraftFault, timingOf } from "./draft.ts";
import { RunList } from "./run-list.tsx";

const PREVIEWED = 10;
/** So that not every letter is a request. */
const TYPING_MS = 250;

const UNITS = ["second", "minute", "hour", "day", "week"];
const METHODS = ["POST", "PUT", "PATCH", "GET", "DELETE"];
const choices = (values: readonly string[]) => values.map((value) => ({ value, label: value }));

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
  const problem = useSignal<ApiError | undefined>(undefined);
  const isBusy = useSignal(false);
  const preview = usePreview(draft.value);
  const is = draft.value;
  const set = (name: keyof Draft) => (value: string) => {
    draft.value = { ...draft.value, [name]: value };
  };
  /** What the last try to send it, or else the preview, found in a field. */
  const fault = (field: string) => faultOf(problem.value, field) ?? faultOf(preview.problem, field);
  const send = async (event: Event) => {
    event.preventDefault();
    isBusy.value = true;
    problem.value = undefined;
    try {
      const own = await onSend(is);
      if (own) problem.value = new Failure({ status: 0, code: "form", message: "Not sent yet.", errors: [own] });
    } catch (thrown) {
      problem.value = asApiError(thrown);
    }
    isBusy.value = false;
  };
  return (
    <form class="schedule-form stack" onSubmit={(event) => void send(event)} noValidate>
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
          <Preview {...preview} timeZone={is.recurs === "cron" ? is.timezone : "UTC"} />
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

const Group = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <fieldset class="panel">
    <legend>{title}</legend>
    <div class="inside stack">{children}</div>
  </fieldset>
);

interface WorkProps {
  readonly draft: Draft;
  readonly set: (name: keyof Draft) => (value: string) => void;
  readonly fault: (field: string) => string | undefined;
}

/** What each run does. */
const Work = ({ draft: is, set, fault }: WorkProps) => (
  <Group title="Its jobs">
    <SelectField
      label="Delivery"
      value={is.delivery}
      onValue={set("delivery")}
      choices={[
        { value: "pull", label: "pulled by a worker" },
        { value: "push", label: "pushed to a URL" },
      ]}
    />
    <TextField
      label={is.delivery === "pull" ? "Handler" : "Handler (optional)"}
      value={is.handler}
      onValue={set("handler")}
      fault={fault("handler")}
      maxLength={255}
    />
    {is.delivery === "push" && (
      <>
        <TextField
          label="URL"
          value={is.url}
          onValue={set("url")}
          fault={fault("delivery.http.url")}
          inputMode="url"
          placeholder="https://"
        />
        <SelectField label="Method" value={is.method} onValue={set("method")} choices={choices(METHODS)} />
        <TextArea
          label="Headers"
          value={is.headers}
          onValue={set("headers")}
          fault={fault("delivery.http.headers")}
          rows={2}
          placeholder="Name: value"
        />
      </>
    )}
    <TextArea
      label="Payload"
      value={is.payload}
      onValue={set("payload")}
      fault={fault("payload")}
      rows={4}
      placeholder='{ "report": "daily" }'
      hint="A JSON object. It is sent as it is typed."
    />
    <div class="fields">
      <TextField
        label="Timeout in seconds"
        value={is.timeout}
        onValue={set("timeout")}
        fault={fault("timeout")}
        inputMode="numeric"
      />
      <TextField
        label="Retries"
        value={is.maxRetries}
        onValue={set("maxRetries")}
        fault={fault("max_retries")}
        inputMode="numeric"
      />
      <TextField
        label="Tags"
        value={is.tags}
        onValue={set("tags")}
        fault={fault("tags")}
        placeholder="nightly, reports"
      />
      <TextField label="Flow" value={is.flow} onValue={set("flow")} fault={fault("flow")} maxLength={255} />
    </div>
  </Group>
);

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

interface PreviewState {
  readonly ticks: readonly Tick[] | undefined;
  readonly problem: ApiError | undefined;
}

/** Asks for the next runs whenever what decides them has changed, a moment after the last letter. */
function usePreview(draft: Draft): PreviewState {
  const state = useSignal<PreviewState>({ ticks: undefined, problem: undefined });
  const timing = timingOf(draft);
  const key = JSON.stringify(timing);
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(
      async () => {
        try {
          const ticks = await previewRuns({ ...timing, count: PREVIEWED }, asking.signal);
          state.value = { ticks, problem: undefined };
        } catch (thrown) {
          // What was shown last stays, greyed out, so that nothing jumps while somebody types.
          if (!asking.signal.aborted) state.value = { ...state.value, problem: asApiError(thrown) };
        }
      },
      state.value.ticks === undefined ? 0 : TYPING_MS,
    );
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [key]);
  return state.value;
}

const Preview = ({ ticks, problem, timeZone }: PreviewState & { timeZone: string }) => (
  <section class="panel" aria-labelledby="preview">
    <header>
      <h2 id="preview">Next runs</h2>
      <span class="quiet">{timeZone}</span>
    </header>
    <div class={problem ? "inside outdated" : "inside"} aria-live="polite">
      {problem && <p class="quiet">No preview: {problem.errors[0]?.message ?? problem.message}</p>}
      {ticks?.length === 0 && <p class="quiet">It would never run.</p>}
      {ticks && <RunList ticks={ticks} timeZone={timeZone} />}
    </div>
  </section>
);
