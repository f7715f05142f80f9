// Names of handlers are compared letter by letter, at the service and here. White space around one is surely a mistake: a
// job of such a name would wait for a worker that never asks for it.

import { ChronosConfigError } from "./errors.ts";

export function refusePaddedName(name: unknown): void {
  if (typeof name === "string" && name !== name.trim()) {
    throw new ChronosConfigError(`The handler name ${JSON.stringify(name)} must not begin or end with white space`);
  }
}
