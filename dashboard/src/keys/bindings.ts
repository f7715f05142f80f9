// The keys that do something at this moment. Each screen adds its own while it is shown; the latest to come is asked first.

import { signal } from "@preact/signals";

export interface Binding {
  /** A key as the browser names it, or two with a space between: `j`, `Enter`, `g j`. */
  readonly keys: string;
  /** For the list of keys. Left out: another binding's words cover it. */
  readonly does?: string;
  readonly run: () => void;
}

const layers = signal<readonly (readonly Binding[])[]>([]);

/** Adds bindings. @returns what removes them */
export function addBindings(bindings: readonly Binding[]): () => void {
  layers.value = [...layers.value, bindings];
  return () => {
    layers.value = layers.value.filter((layer) => layer !== bindings);
  };
}

/** All bindings, the latest first. */
export const bindingsNow = (): readonly Binding[] => layers.value.toReversed().flat();

/** What a key stands for after the keys that were pressed just before: a binding, the first key of one, or nothing. */
export function match(bindings: readonly Binding[], before: string, key: string): Binding | "more" | undefined {
  const pressed = before === "" ? key : `${before} ${key}`;
  const found = bindings.find(({ keys }) => keys === pressed);
  if (found) return found;
  return bindings.some(({ keys }) => keys.startsWith(`${pressed} `)) ? "more" : undefined;
}
