// What a form or a dialog keeps while it sends something: that it waits for the answer, and what was wrong the last time.

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { type ApiError, asApiError } from "../api/api-error.ts";

export interface Sending {
  /** The answer is not there yet: nothing is sent twice. */
  readonly isBusy: ReadonlySignal<boolean>;
  /** Why the last try failed. */
  readonly problem: ReadonlySignal<ApiError | undefined>;
  /** Runs `work`, and keeps why it failed. */
  readonly send: (work: () => Promise<void>) => Promise<void>;
  /** The same when a form is submitted. */
  readonly submits: (work: () => Promise<void>) => (event: Event) => void;
}

export function useSending(): Sending {
  const isBusy = useSignal(false);
  const problem = useSignal<ApiError | undefined>(undefined);
  const send = async (work: () => Promise<void>) => {
    isBusy.value = true;
    problem.value = undefined;
    try {
      await work();
    } catch (thrown) {
      problem.value = asApiError(thrown);
    }
    isBusy.value = false;
  };
  const submits = (work: () => Promise<void>) => (event: Event) => {
    event.preventDefault();
    void send(work);
  };
  return { isBusy, problem, send, submits };
}
