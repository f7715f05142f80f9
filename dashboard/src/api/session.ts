// The session as the service keeps it: a cookie that no script can read. A key passes through here once and stays nowhere.

import { computed, signal } from "@preact/signals";
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
  | { readonly name: "opening" }
  | { readonly name: "signed_in"; readonly session: Session }
  /** With a sentence for the person who was signed in a moment ago. */
  | { readonly name: "signed_out"; readonly reason?: string };

export const sessionState = signal<SessionState>({ name: "opening" });

/** Whether this session may change anything: the service refuses it otherwise, and the pages do not offer it. */
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
}

/** Ends the session here; in other tabs with their next request. */
export async function signOut(): Promise<void> {
  await call("DELETE", PATH);
  sessionState.value = { name: "signed_out" };
}

/** At the start of the page: signs in by a link's token, or asks for the session there is. */
export async function openSession(token: string | null): Promise<void> {
  const refusal = token === null ? undefined : await refusalOf(() => signIn({ sign_in: token }));
  if (token !== null && !refusal) return;
  const none = await refusalOf(async () => {
    const { data } = await call<Session>("GET", PATH);
    sessionState.value = { name: "signed_in", session: data };
  });
  if (!none) return;
  const reason = refusal?.message ?? (none.status === 401 ? undefined : none.message);
  sessionState.value = reason === undefined ? { name: "signed_out" } : { name: "signed_out", reason };
}

const refusalOf = (step: () => Promise<void>): Promise<ApiError | undefined> =>
  step().then(() => undefined, asApiError);

whenUnauthorized(() => {
  if (sessionState.value.name !== "signed_in") return;
  sessionState.value = { name: "signed_out", reason: "Your session has ended. Sign in to go on where you were." };
});

/** The token of a sign-in link, which is taken out of the address before anything else happens. */
export function takeSignInToken(): string | null {
  const token = /^#sign-in=(.+)$/.exec(location.hash)?.[1];
  if (token === undefined) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}
