// Walking through what is listed on a screen: rows, attempts. The focus itself moves, so Enter and screen readers follow.

/** The links and buttons that are walked through say so with this attribute. */
const STOPS = "main [data-walk]";

/** To the next one, or with -1 to the one before; to the first if the focus is in none of the rows. */
export function walk(by: 1 | -1): void {
  const stops = [...document.querySelectorAll<HTMLElement>(STOPS)];
  const row = (stop: Element): Element => stop.closest("tr, li") ?? stop;
  const at = stops.findIndex((stop) => row(stop).contains(document.activeElement));
  const next = stops[at < 0 ? 0 : Math.min(Math.max(at + by, 0), stops.length - 1)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}
