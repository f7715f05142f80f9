// Names and their handlers, checked when they are registered.

import { ChronosError } from "./errors.ts";
import type { ChronosHandler } from "./handlers.ts";

const NAME_LIMIT = 255;
/** What one claim may ask for. */
const HANDLER_LIMIT = 100;

export class HandlerRegistry {
  readonly #handlers = new Map<string, ChronosHandler>();

  get names(): string[] {
    return [...this.#handlers.keys()];
  }

  /** Throws a ChronosError for a name that is empty, too long or taken, and for what is no function. */
  add(name: string, handler: unknown): void {
    const trimmed = typeof name === "string" ? name.trim() : "";
    if (trimmed === "") throw new ChronosError("Handler name is required");
    if (trimmed.length > NAME_LIMIT) throw new ChronosError(`Handler name must be ${NAME_LIMIT} characters or fewer`);
    if (this.#handlers.has(trimmed)) throw new ChronosError(`Handler "${trimmed}" is already registered`);
    if (typeof handler !== "function") throw new ChronosError(`Handler "${trimmed}" must be a function`);
    if (this.#handlers.size === HANDLER_LIMIT) {
      throw new ChronosError(`At most ${HANDLER_LIMIT} handlers can be registered in one worker`);
    }
    this.#handlers.set(trimmed, handler as ChronosHandler);
  }

  get(name: string): ChronosHandler | undefined {
    return this.#handlers.get(name);
  }
}
