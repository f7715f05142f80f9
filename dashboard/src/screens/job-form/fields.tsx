// The form of a job: what most jobs need first, and everything else below.

import type { ApiError } from "../../api/api-error.ts";
import { Check, faultOf, SelectField, TextArea, TextField } from "../../ui/field.tsx";
import { type Draft, METHODS, UNITS } from "./draft.ts";

export interface FieldsProps {
  readonly draft: Draft;
  readonly error: ApiError | undefined;
  readonly onChange: (change: Partial<Draft>) => void;
  /** Of a job that exists: its key cannot be changed. */
  readonly isEdit: boolean;
  /** An attempt was made already: its time cannot be changed. */
  readonly isTimeFixed: boolean;
}

const choices = (values: readonly string[]) => values.map((value) => ({ value, label: value }));
const units = UNITS.map((value) => ({ value, label: `${value}s` }));

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

/** What most jobs leave at its default. */
export function MoreFields({ draft, error, onChange, isEdit }: FieldsProps) {
  return (
    <div class="stack">
      {!isEdit && (
        <div class="fields">
          <TextField
            label="Idempotency key"
            hint="A second job with this key is not made."
            value={draft.idempotencyKey}
            onValue={(idempotencyKey) => onChange({ idempotencyKey })}
            fault={faultOf(error, "idempotency_key")}
            maxLength={255}
          />
          <SelectField
            label="If the key is in use"
            value={draft.onConflict}
            onValue={(onConflict) => onChange({ onConflict })}
            fault={faultOf(error, "on_conflict")}
            choices={[
              { value: "reject", label: "Make no job" },
              { value: "replace", label: "Replace a job that is pending" },
            ]}
          />
        </div>
      )}
      <div class="fields">
        <TextArea
          label="Tags"
          hint="One on each line, or with commas between."
          rows={2}
          value={draft.tags}
          onValue={(tags) => onChange({ tags })}
          fault={faultOf(error, "tags")}
        />
        <TextField
          label="Flow"
          hint="Jobs of one flow share its limits."
          value={draft.flow}
          onValue={(flow) => onChange({ flow })}
          fault={faultOf(error, "flow")}
          maxLength={255}
        />
      </div>
      <div class="fields">
        <TextField
          label="Time limit in seconds"
          hint="Of each attempt. Default: 30."
          type="number"
          min={1}
          value={draft.timeout}
          onValue={(timeout) => onChange({ timeout })}
          fault={faultOf(error, "timeout")}
        />
        <TextField
          label="Retries at most"
          hint="After the first attempt. Default: 3."
          type="number"
          min={0}
          max={50}
          value={draft.maxRetries}
          onValue={(maxRetries) => onChange({ maxRetries })}
          fault={faultOf(error, "max_retries")}
        />
        <div class="pair">
          <TextField
            label="Expires after"
            hint="From its time on. Default: never."
            type="number"
            min={1}
            value={draft.expiresValue}
            onValue={(expiresValue) => onChange({ expiresValue })}
            fault={faultOf(error, "expires_after")}
          />
          <SelectField
            label="Unit"
            value={draft.expiresUnit}
            onValue={(expiresUnit) => onChange({ expiresUnit })}
            choices={units}
          />
        </div>
      </div>
      <Backoff {...{ draft, error, onChange }} />
      <Callbacks {...{ draft, error, onChange }} />
    </div>
  );
}

type PartProps = Pick<FieldsProps, "draft" | "error" | "onChange">;

function Backoff({ draft, error, onChange }: PartProps) {
  const isGrowing = draft.backoff === "exponential" || draft.backoff === "fixed";
  return (
    <div class="fields">
      <SelectField
        label="Pauses between attempts"
        value={draft.backoff}
        onValue={(backoff) => onChange({ backoff: backoff as Draft["backoff"] })}
        fault={faultOf(error, "backoff")}
        choices={[
          { value: "default", label: "From 1 s to 1 h, doubled" },
          { value: "exponential", label: "Doubled, of my own" },
          { value: "fixed", label: "Always the same" },
          { value: "list", label: "A list" },
        ]}
      />
      {isGrowing && (
        <>
          <TextField
            label="First pause in seconds"
            type="number"
            min={1}
            value={draft.backoffInitial}
            onValue={(backoffInitial) => onChange({ backoffInitial })}
          />
          {draft.backoff === "exponential" && (
            <TextField
              label="Longest pause in seconds"
              type="number"
              min={1}
              value={draft.backoffMax}
              onValue={(backoffMax) => onChange({ backoffMax })}
            />
          )}
          <Check
            label="Jitter: jobs that failed together do not return together"
            isOn={draft.backoffJitter}
            onToggle={(backoffJitter) => onChange({ backoffJitter })}
          />
        </>
      )}
      {draft.backoff === "list" && (
        <TextField
          label="Pauses in seconds"
          hint="With commas between; the last one repeats."
          value={draft.backoffDelays}
          onValue={(backoffDelays) => onChange({ backoffDelays })}
          placeholder="10, 60, 600"
        />
      )}
    </div>
  );
}

function Callbacks({ draft, error, onChange }: PartProps) {
  return (
    <div class="fields callback-fields">
      <TextField
        label="Call when it is completed"
        type="url"
        placeholder="https://"
        value={draft.completedUrl}
        onValue={(completedUrl) => onChange({ completedUrl })}
        fault={faultOf(error, "callbacks.completed")}
      />
      <TextArea
        label="Headers of that call"
        rows={1}
        value={draft.completedHeaders}
        onValue={(completedHeaders) => onChange({ completedHeaders })}
      />
      <TextField
        label="Call when it has failed"
        type="url"
        placeholder="https://"
        value={draft.failedUrl}
        onValue={(failedUrl) => onChange({ failedUrl })}
        fault={faultOf(error, "callbacks.failed")}
      />
      <TextArea
        label="Headers of that call"
        rows={1}
        value={draft.failedHeaders}
        onValue={(failedHeaders) => onChange({ failedHeaders })}
      />
    </div>
  );
}
