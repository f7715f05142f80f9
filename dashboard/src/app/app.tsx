// The whole page: sign in first, then the frame with the screen of this address.

import { effect } from "@preact/signals";
import { forgetChanges } from "../api/jobs.ts";
import { sessionState } from "../api/session.ts";
import { forgetRunning } from "../bulk/running.ts";
import { forgetLists } from "../screens/jobs/use-job-list.ts";
import { Confirm } from "../ui/dialog.tsx";
import { Loading, Problem } from "../ui/problem.tsx";
import { Toasts } from "../ui/toast.tsx";
import { Frame } from "./frame.tsx";
import { href, place, replace } from "./router.ts";
import { START, screenOf } from "./screens.ts";
import { SignIn } from "./sign-in.tsx";

export function App() {
  const state = sessionState.value;
  if (state.name === "opening")
    return (
      <main>{state.problem ? <Problem error={state.problem} note="This page keeps asking." /> : <Loading />}</main>
    );
  return (
    <>
      {state.name === "signed_in" ? (
        <>
          <Frame key={state.session.account_id} session={state.session} />
          <Confirm />
        </>
      ) : (
        <SignIn reason={state.reason} />
      )}
      <Toasts />
    </>
  );
}

/** What was read of one account is not shown to the next. */
export function forgetAtEnd(): void {
  let before: string | undefined;
  effect(() => {
    const { value } = sessionState;
    const account = value.name === "signed_in" ? value.session.account_id : undefined;
    if (account === before) return;
    before = account;
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
