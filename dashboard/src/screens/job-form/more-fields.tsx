// Fields that most jobs leave at their defaults: key, tags, limits, retries, callbacks.

import { Check, faultOf, SelectField, TextArea, TextField } from "../../ui/field.tsx";
import type { Draft } from "./draft.ts";
import { type FieldsProps, units } from "./fields.tsx";

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
