// The frame around every screen: navigation, search, clock, session.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Session } from "../api/session.ts";
import { BulkProgress } from "../bulk/progress.tsx";
import { KeyList } from "../keys/key-list.tsx";
import { useKeys } from "../keys/use-keys.ts";
import { walk } from "../keys/walk.ts";
import { adopt } from "../ui/adopt.ts";
import { Boundary } from "./boundary.tsx";
import css from "./frame.css?inline";
import { Menu } from "./menu.tsx";
import { href, navigate, place } from "./router.ts";
import { NAVIGATION, screenOf } from "./screens.ts";
import { focusSearch, Search } from "./search.tsx";

adopt(css);

export function Frame({ session }: { session: Session }) {
  const areKeysShown = useSignal(false);
  const { path } = place();
  const { component: Screen, params, pattern } = screenOf(path);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useKeys([
    { keys: "/", does: "Search", run: focusSearch },
    { keys: "?", does: "Show these shortcuts", run: () => (areKeysShown.value = true) },
    { keys: "j", does: "Next row", run: () => walk(1) },
    { keys: "k", does: "Row before", run: () => walk(-1) },
    ...NAVIGATION.map(({ path, label, key }) => ({
      keys: `g ${key}`,
      does: `Go to ${label.toLowerCase()}`,
      run: () => navigate(href(path)),
    })),
  ]);
  // A new screen takes the focus, as a new page would, so that the keyboard and screen readers go on there.
  useEffect(() => {
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [path]);
  return (
    <div class="frame">
      <button type="button" class="skip button" onClick={() => main.current?.focus()}>
        To the content
      </button>
      <header class="frame-bar">
        <a class="brand" href={href("/")} aria-label="Chronos">
          <Mark />
          <span>Chronos</span>
        </a>
        <nav aria-label="Screens">
          {NAVIGATION.map((entry) => (
            <a
              key={entry.path}
              href={href(entry.path)}
              aria-current={isWithin(path, entry.path) ? (path === entry.path ? "page" : "true") : undefined}
            >
              {entry.label}
            </a>
          ))}
        </nav>
        <Search />
        {session.read_only && <span class="read-only">Read only</span>}
        <Menu session={session} onKeys={() => (areKeysShown.value = true)} />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Boundary key={pattern + JSON.stringify(params)}>
          <Screen params={params} />
        </Boundary>
      </main>
      <BulkProgress />
      {areKeysShown.value && <KeyList onClose={() => (areKeysShown.value = false)} />}
    </div>
  );
}

const isWithin = (path: string, entry: string): boolean => path === entry || path.startsWith(`${entry}/`);

/** A clock's face at five past: the moment after it was due. */
export const Mark = () => (
  <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
    <circle cx="10" cy="10" r="8" />
    <path d="M10 5v5l3.5 2" stroke-linecap="round" stroke-linejoin="round" />
  </svg>
);
