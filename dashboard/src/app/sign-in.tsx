// The way in: an API key, which is sent once and kept nowhere. The field is emptied before the answer comes.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { signIn } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { Check } from "../ui/field.tsx";
import { Problem } from "../ui/problem.tsx";
import { Mark } from "./frame.tsx";

export function SignIn({ reason }: { reason?: string | undefined }) {
  const key = useRef<HTMLInputElement>(null);
  const readOnly = useSignal(false);
  const isBusy = useSignal(false);
  const problem = useSignal<ApiError | undefined>(undefined);
  useEffect(() => key.current?.focus(), []);

  const send = async (event: Event) => {
    event.preventDefault();
    const field = key.current;
    if (!field || field.value.trim() === "") return;
    const api_key = field.value.trim();
    field.value = "";
    isBusy.value = true;
    problem.value = undefined;
    try {
      await signIn({ api_key, read_only: readOnly.value });
    } catch (thrown) {
      problem.value = asApiError(thrown);
      isBusy.value = false;
      field.focus();
    }
  };

  return (
    <main class="sign-in">
      <form onSubmit={(event) => void send(event)}>
        <h1>
          <Mark />
          Chronos
        </h1>
        {reason && (
          <p class="notice" role="status">
            {reason}
          </p>
        )}
        <div class="field">
          <label for="key">API key</label>
          <input
            id="key"
            ref={key}
            class="input mono"
            type="password"
            autocomplete="off"
            spellcheck={false}
            placeholder="chrns_…"
            required
          />
          <small>It is exchanged for a session and kept nowhere in this browser.</small>
        </div>
        <Check label="Read only: change nothing" isOn={readOnly.value} onToggle={(isOn) => (readOnly.value = isOn)} />
        {problem.value && <Problem error={problem.value} />}
        <Button type="submit" look="primary" disabled={isBusy.value}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
