// Sees to it that the account's list of handlers names the one a PullQueue is for. It holds up no offer and no poll, and fails
// none: while D1 is away it is tried again once a minute, with whatever call comes next.

import { databaseOf } from "../../accounts/home.ts";
import { log, nameOf } from "../../log.ts";
import { registerHandler } from "../../store/handlers-store.ts";

const KEY = "registered";

/** A handler that is in use is noted again this often: each note is a row, here and in D1. */
export const REGISTER_EVERY_MS = 24 * 60 * 60_000;

/** After a failure. */
export const TRY_AGAIN_MS = 60_000;

export class Registration {
  readonly #ctx: DurableObjectState;
  readonly #env: Cloudflare.Env;
  readonly #written: (now: number) => void;
  /** null: not as far as is stored; undefined: this instance has not looked. */
  #at: number | null | undefined;
  #nextTryAt = Number.NEGATIVE_INFINITY;

  /** @param written is called after each write to the object's storage */
  constructor(ctx: DurableObjectState, env: Cloudflare.Env, written: (now: number) => void) {
    this.#ctx = ctx;
    this.#env = env;
    this.#written = written;
  }

  /** The handler is in use. */
  used(now: number): void {
    if (now < this.#nextTryAt) return;
    const at = this.at();
    if (at !== null && now - at < REGISTER_EVERY_MS) return;
    this.#nextTryAt = now + TRY_AGAIN_MS;
    this.#ctx.waitUntil(this.#register(now));
  }

  /** When it was noted last; null: never. The last offer is at most a day later. */
  at(): number | null {
    this.#at ??= this.#ctx.storage.kv.get<number>(KEY) ?? null;
    return this.#at;
  }

  /** Call before the whole storage is deleted. */
  forget(): void {
    this.#at = null;
    this.#nextTryAt = Number.NEGATIVE_INFINITY;
  }

  async #register(now: number): Promise<void> {
    // The platform does not tell an object a name of more than 1,024 bytes: such a handler is not listed.
    const [accountId, handler] = split(this.#ctx.id.name ?? "");
    if (handler === "") return;
    try {
      const registered = await registerHandler(databaseOf(this.#env, accountId), { accountId, handler }, now);
      if (!registered.ok) return;
      this.#at = now;
      await this.#ctx.storage.put(KEY, now);
      this.#written(now);
    } catch (thrown) {
      log("error", "handler_not_registered", { account_id: accountId, error: nameOf(thrown) });
    }
  }
}

/** A PullQueue is named `account/handler`. */
function split(name: string): [accountId: string, handler: string] {
  const slash = name.indexOf("/");
  return [name.slice(0, slash), name.slice(slash + 1)];
}
