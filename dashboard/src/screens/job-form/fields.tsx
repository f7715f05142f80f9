// The fields that most jobs need: name, where to, when, and the payload.

import type { ApiError } from "../../api/api-error.ts";
import { METHODS, UNITS } from "../../api/job.ts";
import { choices, faultOf, SelectField, TextArea, TextField } from "../../ui/field.tsx";
import type { Draft } from "./draft.ts";

export interface FieldsProps {
  readonly draft: Draft;
  readonly error: ApiError | undefined;
  readonly onChange: (change: Partial<Draft>) => void;
  /** Of a job that exists: its key cannot be changed. */
  readonly isEdit: boolean;
  /** An attempt was made already: its time cannot be changed. */
  readonly isTimeFixed: boolean;
}

export const units = UNITS.map((value) => ({ value, label: `${value}s` }));

export function Fields(props: FieldsProps) {
  const { draft, error, onChange } = props;
  return (
    <>
      <div class="fields">
        <TextField
          label="Name"
          hint="For people: in lists and events."
          value={draft.name}
          onValue={(name) => onChange({ name })}
          fault={faultOf(error, "name")}
          maxLength={255}
        />
        <SelectField
          label="Delivery"
          value={draft.delivery}
          onValue={(delivery) => onChange({ delivery: delivery as Draft["delivery"] })}
          choices={[
            { value: "pull", label: "A worker fetches it" },
            { value: "push", label: "The service calls a URL" },
            { value: "queue", label: "A Cloudflare Queue carries it" },
          ]}
        />
        <TextField
          label="Handler"
          hint={draft.delivery === "push" ? "Optional." : "The workers that ask for it get the job."}
          value={draft.handler}
          onValue={(handler) => onChange({ handler })}
          fault={faultOf(error, "handler")}
          maxLength={255}
        />
        {draft.delivery === "queue" && (
          <TextField
            label="Queue"
            value={draft.queue}
            onValue={(queue) => onChange({ queue })}
            fault={faultOf(error, "delivery.queue")}
          />
        )}
      </div>
      {draft.delivery === "push" && <Target {...props} />}
      {!props.isTimeFixed && <When {...props} />}
      <TextArea
        label="Payload"
        hint="A JSON object. It is sent as it is written here."
        value={draft.payload}
        onValue={(payload) => onChange({ payload })}
        fault={faultOf(error, "payload")}
        placeholder="{ }"
      />
    </>
  );
}

function Target({ draft, error, onChange }: FieldsProps) {
  return (
    <>
      <div class="fields target-fields">
        <SelectField
          label="Method"
          value={draft.method}
          onValue={(method) => onChange({ method })}
          choices={choices(METHODS)}
          fault={faultOf(error, "delivery.http.method")}
        />
        <TextField
          label="URL"
          type="url"
          value={draft.url}
          onValue={(url) => onChange({ url })}
          fault={faultOf(error, "delivery.http.url")}
          placeholder="https://"
        />
      </div>
      <TextArea
        label="Headers"
        hint="One on each line, as in `Name: value`."
        rows={2}
        value={draft.headers}
        onValue={(headers) => onChange({ headers })}
        fault={faultOf(error, "delivery.http.headers")}
      />
    </>
  );
}

function When({ draft, error, onChange, isEdit }: FieldsProps) {
  return (
    <div class="fields">
      <SelectField
        label="When"
        value={draft.when}
        onValue={(when) => onChange({ when: when as Draft["when"] })}
        choices={[
          { value: "now", label: isEdit ? "Leave it as it is" : "As soon as possible" },
          { value: "delay", label: "After a while" },
          { value: "at", label: "At a time" },
        ]}
      />
      {draft.when === "delay" && (
        <div class="pair">
          <TextField
            label="In"
            type="number"
            min={1}
            value={draft.delayValue}
            onValue={(delayValue) => onChange({ delayValue })}
            fault={faultOf(error, "delay")}
          />
          <SelectField
            label="Unit"
            value={draft.delayUnit}
            onValue={(delayUnit) => onChange({ delayUnit })}
            choices={units}
          />
        </div>
      )}
      {draft.when === "at" && (
        <>
          <TextField
            label="Time"
            type="datetime-local"
            value={draft.at}
            onValue={(at) => onChange({ at })}
            fault={faultOf(error, "scheduled_for")}
          />
          <TextField
            label="On a clock in"
            hint="A time zone, such as Europe/London or UTC."
            value={draft.timezone}
            onValue={(timezone) => onChange({ timezone })}
            fault={faultOf(error, "timezone")}
          />
        </>
      )}
    </div>
  );
}
