// Reads something once: what somebody begins to edit must not change below their hands.

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { type ApiError, asApiError } from "../api/api-error.ts";

export interface Once<T> {
  readonly value: ReadonlySignal<T | undefined>;
  readonly problem: ReadonlySignal<ApiError | undefined>;
  /** Asks again after a failure. */
  readonly retry: () => void;
}

/** @param key when it changes, something else is asked for */
export function useOnce<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Once<T> {
  const tries = useMemo(() => signal(0), [key]);
  const [value, problem] = useMemo(
    (): [Signal<T | undefined>, Signal<ApiError | undefined>] => [signal(undefined), signal(undefined)],
    [key],
  );
  const n = tries.value;
  useEffect(() => {
    const asking = new AbortController();
    problem.value = undefined;
    load(asking.signal).then(
      (loaded) => {
        value.value = loaded;
      },
      (thrown) => {
        if (!asking.signal.aborted) problem.value = asApiError(thrown);
      },
    );
    return () => asking.abort();
  }, [key, n]);
  return { value, problem, retry: () => (tries.value += 1) };
}
