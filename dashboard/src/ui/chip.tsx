// Chips: small labels that can be switched or removed, such as the filters of a list.

import type { ComponentChildren } from "preact";
import { adopt } from "./adopt.ts";
import css from "./chip.css?inline";

adopt(css);

interface ChipProps {
  /** What kind of thing it is, in front of it: "handler". */
  readonly label?: string;
  readonly children: ComponentChildren;
  /** With it the chip has a cross. */
  readonly onRemove?: () => void;
  /** What the cross removes, for those who do not see it. */
  readonly removes?: string;
  readonly title?: string;
}

export const Chip = ({ label, children, onRemove, removes, title }: ChipProps) => (
  <span class="chip">
    <span title={title}>
      {label && <b>{label} </b>}
      {children}
    </span>
    {onRemove && (
      <button type="button" aria-label={`Remove ${removes ?? label ?? "it"}`} onClick={onRemove}>
        ✕
      </button>
    )}
  </span>
);

interface ToggleChipProps {
  readonly isOn: boolean;
  readonly onToggle: () => void;
  readonly children: ComponentChildren;
}

export const ToggleChip = ({ isOn, onToggle, children }: ToggleChipProps) => (
  <span class="chip">
    <button type="button" aria-pressed={isOn} onClick={onToggle}>
      {children}
    </button>
  </span>
);
