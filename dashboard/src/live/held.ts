// Keeps what is on the screen where it is while somebody is about to click on it.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** From the last movement of the mouse or of the focus on. */
export const HOLD_MS = 4_000;

export interface Held<T> {
  /** The newest value, or that of a moment ago while it is held. */
  readonly value: T;
  /** To be called whenever somebody moves over what it shows. */
  readonly touch: () => void;
}

/** @param key what was asked for: an answer to something else is never held back */
export function useHeld<T>(newest: T, key: unknown): Held<T> {
  const touchedAt = useRef(Number.NEGATIVE_INFINITY);
  const shown = useRef(newest);
  const shownKey = useRef(key);
  const released = useSignal(0);
  const leftMs = touchedAt.current + HOLD_MS - Date.now();
  if (leftMs <= 0 || shownKey.current !== key) shown.current = newest;
  shownKey.current = key;
  useEffect(() => {
    if (shown.current === newest) return;
    const timer = setTimeout(() => {
      released.value += 1;
    }, leftMs);
    return () => clearTimeout(timer);
  });
  // Read here, so that a release renders again.
  void released.value;
  const touch = () => {
    touchedAt.current = Date.now();
  };
  return { value: shown.current, touch };
}
