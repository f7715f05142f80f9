// Names and their handlers, checked when they are registered.

import { ChronosConfigError } from "./errors.ts";
import { refusePaddedName } from "./handler-name.ts";
import type { ChronosHandler } from "./handlers.ts";

const NAME_LIMIT = 255;
/** What one claim may ask for. */
const HANDLER_LIMIT = 100;

export class HandlerRegistry {
  readonly #handlers = new Map<string, ChronosHandler>();

  get names(): string[] {
    return [...this.#handlers.keys()];
  }

  /** Throws a ChronosConfigError for a name that is empty, padded, too long or taken, and for what is no function. */
  add(name: string, handler: unknown): void {
    if (typeof name !== "string" || name.trim() === "") throw new ChronosConfigError("Handler name is required");
    refusePaddedName(name);
    if ([...name].length > NAME_LIMIT) {
      throw new ChronosConfigError(`Handler name must be ${NAME_LIMIT} characters or fewer`);
    }
    if (this.#handlers.has(name)) throw new ChronosConfigError(`Handler "${name}" is already registered`);
    if (typeof handler !== "function") throw new ChronosConfigError(`Handler "${name}" must be a function`);
    if (this.#handlers.size === HANDLER_LIMIT) {
      throw new ChronosConfigError(`At most ${HANDLER_LIMIT} handlers can be registered in one worker`);
    }
    this.#handlers.set(name, handler as ChronosHandler);
  }

  get(name: string): ChronosHandler | undefined {
    return this.#handlers.get(name);
  }
}
