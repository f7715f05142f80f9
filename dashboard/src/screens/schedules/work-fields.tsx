// The fields that say what each run of a schedule does.

import type { ComponentChildren } from "preact";
import { METHODS } from "../../api/job.ts";
import { choices, SelectField, TextArea, TextField } from "../../ui/field.tsx";
import type { Draft } from "./draft.ts";

export const Group = ({ title, children }: { title: string; children: ComponentChildren }) => (
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
export const Work = ({ draft: is, set, fault }: WorkProps) => (
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
