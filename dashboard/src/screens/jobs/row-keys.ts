// The keys that walk through the rows of a list. They move the focus itself, so Enter and screen readers follow by themselves.

import type { Binding } from "../../keys/bindings.ts";

const ROWS = "tr[data-id]";

const focusedRow = (): Element | null => document.activeElement?.closest(ROWS) ?? null;

function step(by: number): void {
  const rows = [...document.querySelectorAll(ROWS)];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  const link = next?.querySelector("a[href]");
  if (link instanceof HTMLElement) {
    link.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }
}

/** @param toggle selects a row, or with `true` all rows up to it */
export const rowKeys = (toggle: (id: string, isRange: boolean) => void): Binding[] => {
  const toggleFocused = (isRange: boolean) => {
    const id = focusedRow()?.getAttribute("data-id");
    if (id) toggle(id, isRange);
  };
  return [
    { keys: "j", does: "Next job", run: () => step(1) },
    { keys: "k", does: "Job before", run: () => step(-1) },
    { keys: "x", does: "Select the job", run: () => toggleFocused(false) },
    { keys: "X", does: "Select all up to the job", run: () => toggleFocused(true) },
  ];
};
