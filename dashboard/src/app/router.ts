// The address is the truth of what is shown: screen, filters, page. Screens read it from here and change it by navigating.

import { signal } from "@preact/signals";
import { DASHBOARD } from "./base.ts";

/** What is shown: a path below the dashboard, such as `/jobs`, and its query. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** How a place was left. */
interface Remembered {
  readonly scrollY?: number;
  /** The address of the link that had the focus: of the row that one went on from. */
  readonly focused?: string | undefined;
}

const here = (): Place => ({
  path: location.pathname.slice(DASHBOARD.length).replace(/\/+$/, "") || "/",
  query: new URLSearchParams(location.search),
});

const current = signal<Place>(here());

/** Where we are. Reading it in a component makes that follow. */
export const place = (): Place => current.value;

/** The address of a place, for a link. A click on such a link stays within the page. */
export function href(path: string, query?: URLSearchParams | Readonly<Record<string, string>>): string {
  const text = query === undefined ? "" : new URLSearchParams(query).toString();
  return `${DASHBOARD}${path === "/" ? "" : path}${text && `?${text}`}`;
}

/** Goes to an address that `href()` made, as a step that the back button undoes. */
export function navigate(to: string): void {
  const focused = document.activeElement?.getAttribute("href") ?? undefined;
  history.replaceState({ scrollY, focused } satisfies Remembered, "");
  history.pushState({}, "", to);
  current.value = here();
  scrollTo(0, 0);
}

/** The same without a step for the back button. */
export function replace(to: string): void {
  history.replaceState(history.state, "", to);
  current.value = here();
}

/** Follows the back button, and clicks on links of our own. */
export function followAddress(): void {
  history.scrollRestoration = "manual";
  addEventListener("popstate", () => {
    current.value = here();
    const { scrollY = 0, focused } = (history.state ?? {}) as Remembered;
    // Two frames: one until the screen is rendered, one until it has its height.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        scrollTo(0, scrollY);
        const link = focused && document.querySelector<HTMLElement>(`main a[href="${CSS.escape(focused)}"]`);
        if (link) link.focus({ preventScroll: true });
      }),
    );
  });
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || !isOurs(link) || !isPlain(event)) return;
    event.preventDefault();
    if (link.href !== location.href) navigate(link.href);
  });
}

const isOurs = (link: HTMLAnchorElement): boolean =>
  link.origin === location.origin &&
  (link.pathname === DASHBOARD || link.pathname.startsWith(`${DASHBOARD}/`)) &&
  link.target === "" &&
  !link.hasAttribute("download");

/** A click that asks the browser for nothing else, such as a new tab. */
const isPlain = (event: MouseEvent): boolean =>
  event.button === 0 && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
