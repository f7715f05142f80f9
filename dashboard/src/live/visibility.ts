// Follows whether the page is visible. A hidden tab asks the service for nothing.

import { signal } from "@preact/signals";

export const isVisible = signal(document.visibilityState === "visible");

document.addEventListener("visibilitychange", () => {
  isVisible.value = document.visibilityState === "visible";
});
