// The session as the service keeps it: a cookie that no script can read. A key passes through here once and stays nowhere.

import { computed, signal } from "@preact/signals";
import { pauseAfter } from "../live/pause.ts";
import { type ApiError, asApiError } from "./api-error.ts";
import { call, whenUnauthorized } from "./call.ts";

const PATH = "/dashboard/session";

export interface Session {
  readonly account_id: string;
  readonly account_name: string;
  readonly scope: "full" | "read" | "create" | "worker";
  readonly read_only: boolean;
  readonly expires_at: string;
}

export type SessionState =
  /** With why the service cannot say yet whether there is a session. */
  | { readonly name: "opening"; readonly problem?: ApiError }
  | { readonly name: "signed_in"; readonly session: Session }
  /** With a sentence for the person who was signed in a moment ago. */
  | { readonly name: "signed_out"; readonly reason?: string };

/** The tabs of this browser share the cookie, and tell each other of a sign-in, or with null of a sign-out. */
const otherTabs = new BroadcastChannel("chronos-session");

export const sessionState = signal<SessionState>({ name: "opening" });

/** True if this session may change anything: the service refuses it otherwise, and the pages do not offer it. */
export const mayChange = computed(
  () =>
    sessionState.value.name === "signed_in" &&
    !sessionState.value.session.read_only &&
    sessionState.value.session.scope === "full",
);

export type SignIn = { readonly api_key: string; readonly read_only: boolean } | { readonly sign_in: string };

/** @throws ApiError when the service refuses */
export async function signIn(asked: SignIn): Promise<void> {
  const { data } = await call<Session>("POST", PATH, { body: asked });
  sessionState.value = { name: "signed_in", session: data };
  otherTabs.postMessage(data);
}

/** Ends the session, in all tabs. */
export async function signOut(): Promise<void> {
  await call("DELETE", PATH);
  sessionState.value = { name: "signed_out" };
  otherTabs.postMessage(null);
}

/** The last call of `openSession()`: an earlier one gives way to it. */
let opening = 0;

/** Signs in by a link's token, or asks for the session there is. Asks again for as long as the service cannot be reached. */
export async function openSession(token: string | null): Promise<void> {
  opening += 1;
  const own = opening;
  for (let failures = 1; ; failures += 1) {
    const problem = await openOnce(token);
    if (!problem || own !== opening) return;
    if (sessionState.value.name === "opening") sessionState.value = { name: "opening", problem };
    await new Promise((resolve) => setTimeout(resolve, pauseAfter(failures, problem.retryAfterMs)));
    if (own !== opening) return;
  }
}

/** @returns why the service could not decide */
async function openOnce(token: string | null): Promise<ApiError | undefined> {
  const refusal = token === null ? undefined : await refusalOf(() => signIn({ sign_in: token }));
  if (token !== null && !refusal) return undefined;
  if (refusal && isPassing(refusal)) return refusal;
  const none = await refusalOf(async () => {
    const { data } = await call<Session>("GET", PATH);
    sessionState.value = { name: "signed_in", session: data };
  });
  if (!none) return undefined;
  if (isPassing(none)) return none;
  const reason = refusal?.message ?? (none.status === 401 ? undefined : none.message);
  sessionState.value = reason === undefined ? { name: "signed_out" } : { name: "signed_out", reason };
  return undefined;
}

/** No answer, or one of a service that has too much to do: it says nothing about the session. */
const isPassing = ({ status }: ApiError): boolean => status === 0 || status === 429 || status >= 500;

const refusalOf = (step: () => Promise<void>): Promise<ApiError | undefined> =>
  step().then(() => undefined, asApiError);

whenUnauthorized(() => {
  if (sessionState.value.name !== "signed_in") return;
  sessionState.value = { name: "signed_out", reason: "Your session has ended. Sign in to go on where you were." };
});

/** Follows a sign-in or a sign-out in another tab, and a sign-in link that is opened in a page that is already there. */
export function followSession(): void {
  otherTabs.addEventListener("message", ({ data }: MessageEvent<Session | null>) => {
    if (data) sessionState.value = { name: "signed_in", session: data };
    else if (sessionState.value.name === "signed_in")
      sessionState.value = { name: "signed_out", reason: "You signed out in another tab." };
  });
  addEventListener("hashchange", () => {
    const token = takeSignInToken();
    if (token !== null) void openSession(token);
  });
}

/** The token of a sign-in link, which is taken out of the address before anything else happens. */
export function takeSignInToken(): string | null {
  const token = /^#sign-in=(.+)$/.exec(location.hash)?.[1];
  if (token === undefined) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}
