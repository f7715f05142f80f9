// Light or dark: as the system has it, unless somebody chose otherwise. The choice is kept in the browser.

import { effect, signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT_AS = "chronos-theme";

const known = THEMES.find((one) => one === localStorage.getItem(KEPT_AS));

export const theme = signal<Theme>(known ?? "system");

effect(() => {
  document.documentElement.style.colorScheme = theme.value === "system" ? "" : theme.value;
});

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === "system") localStorage.removeItem(KEPT_AS);
  else localStorage.setItem(KEPT_AS, next);
}
