// A choice of a few, all of them to be seen.

import { adopt } from "./adopt.ts";
import css from "./segments.css?inline";

adopt(css);

interface SegmentsProps<T extends string> {
  /** What is chosen. */
  readonly label: string;
  readonly choices: readonly { readonly value: T; readonly label: string }[];
  readonly value: T;
  readonly onValue: (value: T) => void;
}

export const Segments = <T extends string>({ label, choices, value, onValue }: SegmentsProps<T>) => (
  <fieldset class="segments">
    <legend class="visually-hidden">{label}</legend>
    {choices.map((choice) => (
      <button
        key={choice.value}
        type="button"
        aria-pressed={choice.value === value}
        onClick={() => onValue(choice.value)}
      >
        {choice.label}
      </button>
    ))}
  </fieldset>
);
