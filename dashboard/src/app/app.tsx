// The whole page: sign in first, then the frame with the screen of this address.

import { effect } from "@preact/signals";
import { forgetChanges } from "../api/jobs.ts";
import { sessionState } from "../api/session.ts";
import { forgetRunning } from "../bulk/running.ts";
import { forgetLists } from "../screens/jobs/use-job-list.ts";
import { Confirm } from "../ui/dialog.tsx";
import { Toasts } from "../ui/toast.tsx";
import { Frame } from "./frame.tsx";
import { href, place, replace } from "./router.ts";
import { START, screenOf } from "./screens.ts";
import { SignIn } from "./sign-in.tsx";

export function App() {
  const state = sessionState.value;
  if (state.name === "opening") return null;
  return (
    <>
      {state.name === "signed_in" ? (
        <>
          <Frame session={state.session} />
          <Confirm />
        </>
      ) : (
        <SignIn reason={state.reason} />
      )}
      <Toasts />
    </>
  );
}

/** What was read in one session is not shown in the next, which may be another account's. */
export function forgetAtEnd(): void {
  effect(() => {
    if (sessionState.value.name !== "signed_out") return;
    forgetLists();
    forgetChanges();
    forgetRunning();
  });
}

/** The start page has an address of its own, and each screen its title. */
export function keepTitle(): void {
  effect(() => {
    const { path } = place();
    if (path === "/" && path !== START) replace(href(START) + location.search);
    const title = sessionState.value.name === "signed_out" ? "Sign in" : screenOf(path).title;
    document.title = `${title} · Chronos`;
  });
}
