// Form fields with their label, a hint, and the fault that the service found in them.

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { ApiError } from "../api/api-error.ts";
import { adopt } from "./adopt.ts";
import css from "./field.css?inline";

adopt(css);

/** What the service says of a field, or of what lies within it. */
export const faultOf = (error: ApiError | undefined, field: string): string | undefined =>
  error?.errors
    .filter((one) => one.field === field || one.field.startsWith(`${field}.`))
    .map((one) => (one.field === field ? one.message : `${one.field.slice(field.length + 1)}: ${one.message}`))
    .join(" ") || undefined;

interface Labelled {
  readonly label: string;
  readonly hint?: ComponentChildren | undefined;
  readonly fault?: string | undefined;
}

interface Attributes {
  readonly id: string;
  readonly class: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string;
}

function Field({ label, hint, fault, control }: Labelled & { control: (attributes: Attributes) => ComponentChildren }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {control({
        id,
        class: "input",
        "aria-invalid": fault !== undefined,
        "aria-describedby": `${id}-hint ${id}-fault`,
      })}
      <small id={`${id}-hint`} hidden={hint === undefined}>
        {hint}
      </small>
      <span class="fault" id={`${id}-fault`} hidden={fault === undefined}>
        {fault}
      </span>
    </div>
  );
}

/** A value that a form keeps, and how it changes. */
interface Bound {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** JSX tells a number's field from a text's; here any goes. */
const asAttributes = (rest: object): object => rest;

interface Typed {
  readonly name?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly required?: boolean | undefined;
  readonly maxLength?: number | undefined;
  readonly disabled?: boolean | undefined;
}

interface TextFieldProps extends Labelled, Bound, Typed {
  readonly type?: "text" | "number" | "datetime-local" | "url" | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly list?: string | undefined;
  readonly inputMode?: "numeric" | "url" | undefined;
  /** Takes the focus when its dialog opens. */
  readonly autofocus?: boolean | undefined;
}

export const TextField = ({ label, hint, fault, value, onValue, ...rest }: TextFieldProps) => (
  <Field
    {...{ label, hint, fault }}
    control={(attributes) => (
      <input
        autocomplete="off"
        spellcheck={false}
        {...asAttributes(rest)}
        {...attributes}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    )}
  />
);

interface TextAreaProps extends Labelled, Bound, Typed {
  readonly rows?: number | undefined;
}

export const TextArea = ({ label, hint, fault, value, onValue, ...rest }: TextAreaProps) => (
  <Field
    {...{ label, hint, fault }}
    control={(attributes) => (
      <textarea
        spellcheck={false}
        {...asAttributes(rest)}
        {...attributes}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    )}
  />
);

interface Choice {
  readonly value: string;
  readonly label: string;
}

/** Values that are their own labels. */
export const choices = (values: readonly string[]): Choice[] => values.map((value) => ({ value, label: value }));

interface SelectFieldProps extends Labelled, Bound {
  readonly choices: readonly Choice[];
  readonly name?: string | undefined;
  readonly disabled?: boolean | undefined;
}

export const SelectField = ({ label, hint, fault, value, onValue, choices, ...rest }: SelectFieldProps) => (
  <Field
    {...{ label, hint, fault }}
    control={(attributes) => (
      <select
        {...asAttributes(rest)}
        {...attributes}
        value={value}
        onChange={(event) => onValue(event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    )}
  />
);

interface CheckProps {
  readonly label: ComponentChildren;
  readonly isOn: boolean;
  readonly onToggle: (isOn: boolean) => void;
}

export const Check = ({ label, isOn, onToggle }: CheckProps) => (
  <label class="check">
    <input type="checkbox" checked={isOn} onChange={(event) => onToggle(event.currentTarget.checked)} />
    <span>{label}</span>
  </label>
);
