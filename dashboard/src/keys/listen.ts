// Listens for keys on the whole page, and leaves them to whoever needs them more: text fields, dialogs, the browser.

import { signal } from "@preact/signals";
import { bindingsNow, match } from "./bindings.ts";

/** How long a first key, such as `g`, waits for its second. */
const SEQUENCE_MS = 1_000;
const KEPT_AS = "chronos-keys";

/** Single keys can be switched off: speech input and some assistive tools press them by accident. */
export const areKeysOn = signal(localStorage.getItem(KEPT_AS) !== "off");

export function switchKeys(on: boolean): void {
  areKeysOn.value = on;
  localStorage.setItem(KEPT_AS, on ? "on" : "off");
}

export function listenForKeys(): void {
  let before = "";
  let pressedAt = 0;
  addEventListener("keydown", (event) => {
    if (!areKeysOn.value || isTaken(event)) return;
    if (event.timeStamp - pressedAt > SEQUENCE_MS) before = "";
    const found = match(bindingsNow(), before, event.key) ?? match(bindingsNow(), "", event.key);
    pressedAt = event.timeStamp;
    before = found === "more" ? event.key : "";
    if (found === undefined || found === "more") return;
    event.preventDefault();
    found.run();
  });
}

const TYPED_INTO = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
/** Enter and the space bar belong to these when they have the focus. */
const PRESSED = "a[href], button, summary, [role=button], input";

function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  if (document.querySelector("dialog:modal")) return true;
  const focused = event.target instanceof Element ? event.target : null;
  if (focused?.closest(TYPED_INTO)) return true;
  return (event.key === "Enter" || event.key === " ") && focused?.closest(PRESSED) != null;
}
