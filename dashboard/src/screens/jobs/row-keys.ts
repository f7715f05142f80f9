// The keys that select rows of the list: the one that has the focus.

import type { Binding } from "../../keys/bindings.ts";

const ROWS = "tr[data-id]";

const focusedRow = (): Element | null => document.activeElement?.closest(ROWS) ?? null;

/** @param toggle selects a row, or with `true` all rows up to it */
export const rowKeys = (toggle: (id: string, isRange: boolean) => void): Binding[] => {
  const toggleFocused = (isRange: boolean) => {
    const id = focusedRow()?.getAttribute("data-id");
    if (id) toggle(id, isRange);
  };
  return [
    { keys: "x", does: "Select the job", run: () => toggleFocused(false) },
    { keys: "X", does: "Select all up to the job", run: () => toggleFocused(true) },
  ];
};
