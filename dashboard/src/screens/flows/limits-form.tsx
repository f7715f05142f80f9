// The limits of a flow, to be changed, or of a new one.

import { useSignal } from "@preact/signals";
import type { Flow } from "../../api/flow.ts";
import { putFlow } from "../../api/flows.ts";
import { UNITS } from "../../api/job.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { faultOf, SelectField, TextField } from "../../ui/field.tsx";
import { Problem } from "../../ui/problem.tsx";
import { useSending } from "../../ui/sending.ts";
import { type Draft, draftOf, EMPTY, limitsIn } from "./limits.ts";

interface LimitsFormProps {
  /** The flow as it was read; only a key for one that nobody has defined; undefined for a new one. */
  readonly of: Flow | string | undefined;
  readonly onClose: () => void;
  readonly onSaved: (flow: Flow) => void;
}

const units = UNITS.map((value) => ({ value, label: `${value}s` }));

export function LimitsForm({ of, onClose, onSaved }: LimitsFormProps) {
  const [flow, key] = typeof of === "string" ? [undefined, of] : [of, of?.key];
  const draft = useSignal<Draft>(flow ? draftOf(flow) : { ...EMPTY, key: key ?? "" });
  const { isBusy, problem, submits } = useSending();
  const is = draft.value;
  const field = (name: keyof Draft) => ({
    value: is[name],
    onValue: (value: string) => {
      draft.value = { ...draft.value, [name]: value };
    },
  });
  const fault = (name: string) => faultOf(problem.value, name);
  const save = async () => onSaved(await putFlow(key ?? is.key, limitsIn(is), flow?.revision));
  return (
    <Dialog title={flow ? "Change its limits" : key ? "Set its limits" : "New flow"} onClose={onClose}>
      <form class="stack limits-form" onSubmit={submits(save)} noValidate>
        {key === undefined && (
          <TextField
            {...field("key")}
            label="Key"
            fault={fault("key")}
            maxLength={255}
            autofocus
            hint="Jobs name it in their field flow."
          />
        )}
        <TextField
          {...field("concurrency")}
          label="Attempts at once"
          fault={fault("concurrency")}
          inputMode="numeric"
          hint="Empty: any number."
        />
        <div class="fields">
          <TextField
            {...field("rateLimit")}
            label="Starts at most"
            fault={fault("rate.limit") ?? fault("rate")}
            inputMode="numeric"
            hint="Empty: any number."
          />
          <TextField {...field("ratePeriod")} label="in" fault={fault("rate.period")} inputMode="numeric" />
          <SelectField {...field("rateUnit")} label="Unit of the period" choices={units} />
        </div>
        <div class="fields">
          <TextField
            {...field("failures")}
            label="Pauses after failures in a row"
            fault={fault("breaker.failures") ?? fault("breaker")}
            inputMode="numeric"
            hint="Empty: never."
          />
          <TextField {...field("pause")} label="for" fault={fault("breaker.pause")} inputMode="numeric" />
          <SelectField {...field("pauseUnit")} label="Unit of the pause" choices={units} />
        </div>
        {problem.value && <Problem error={problem.value} />}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={isBusy.value}>
            {flow ? "Save" : "Set limits"}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
