// The platform's alarm as it is. `runDurableObjectAlarm` consumes it before the handler runs; the platform keeps it until the
// handler has returned. It rings again at once when the process has died, and 2, 4, 8 … s later when the handler has thrown or
// broken a limit: six times, and then never.

import { runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import { setClock } from "../../../workerd/harness/clock.ts";
import type { OwnerUnderTest } from "../../../workerd/harness/owner.ts";

const MAX_RETRIES = 6;
const FIRST_RETRY_MS = 2_000;

/** What the platform makes of a handler that did not return. */
export type Failure = "death" | "counted";

/** A look-up that somebody else began is looked at so often. */
const SHORT_PAUSE_MS = 50;

/**
 * From now on short pauses are over at once. Whoever joins a look-up whose beginner has died looks at it for eleven seconds, which
 * pass by the machine's clock.
 */
export function shortPausesPass(): void {
  const timeout = globalThis.setTimeout;
  const ring = (then: () => void, ms = 0) => timeout(then, ms <= SHORT_PAUSE_MS ? 0 : ms);
  vi.spyOn(globalThis, "setTimeout").mockImplementation(ring as unknown as typeof setTimeout);
}

type Rings = { alarm(info: AlarmInvocationInfo): Promise<void> };

export class PlatformAlarm {
  readonly #owner: OwnerUnderTest<unknown>;
  readonly #failure: Failure;
  /** As the handler is told. */
  retryCount = 0;

  constructor(owner: OwnerUnderTest<unknown>, failure: Failure = "death") {
    this.#owner = owner;
    this.#failure = failure;
  }

  /**
   * Rings at the moment the alarm is set for, or now if that has passed.
   *
   * @returns whether the handler returned
   */
  async ring(): Promise<boolean> {
    const at = await this.#owner.alarm();
    if (at === null) throw new Error("no alarm is set");
    setClock(Math.max(at, Date.now()));
    const { retryCount } = this;
    const info = { retryCount, isRetry: retryCount > 0, scheduledTime: at };
    try {
      await runInDurableObject(this.#owner.owner, async (instance, { storage }) => {
        await storage.deleteAlarm();
        await (instance as unknown as Rings).alarm(info as AlarmInvocationInfo);
      });
      this.retryCount = 0;
      return true;
    } catch {
      await this.#keep();
      return false;
    }
  }

  /** The handler did not return: the alarm stands, unless it set another one or deleted everything. */
  async #keep(): Promise<void> {
    await runInDurableObject(this.#owner.owner, async (_, { storage }) => {
      const isReplaced = (await storage.getAlarm()) !== null || [...storage.kv.list()].length === 0;
      if (this.#failure === "death" || isReplaced) this.retryCount = 0;
      else this.retryCount += 1;
      if (isReplaced || this.retryCount > MAX_RETRIES) return;
      const pauseMs = this.retryCount === 0 ? 0 : FIRST_RETRY_MS * 2 ** (this.retryCount - 1);
      const keep: DurableObjectStorage["setAlarm"] = Object.getPrototypeOf(storage).setAlarm; // whatever a test has made of it
      await keep.call(storage, Date.now() + pauseMs);
    });
  }
}
