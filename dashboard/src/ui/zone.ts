// The time zone of the pages: UTC, as logs have it, or the browser's. The choice is kept in the browser.

import { signal } from "@preact/signals";
import type { Zone } from "./time-format.ts";

const KEPT_AS = "chronos-zone";

export const zone = signal<Zone>(localStorage.getItem(KEPT_AS) === "utc" ? "utc" : "local");

export function setZone(next: Zone): void {
  zone.value = next;
  localStorage.setItem(KEPT_AS, next);
}
