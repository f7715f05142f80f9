// The time that "3 min ago" counts from. It moves once a second while somebody looks.

import { effect, signal } from "@preact/signals";
import { isVisible } from "./visibility.ts";

export const now = signal(Date.now());

effect(() => {
  if (!isVisible.value) return;
  const tick = () => {
    now.value = Date.now();
  };
  tick();
  const timer = setInterval(tick, 1_000);
  return () => clearInterval(timer);
});
