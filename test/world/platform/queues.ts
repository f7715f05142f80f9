// Queues: what is sent comes once or twice, late, in another order. A message that nobody acknowledges comes again.

import { deserialize, serialize } from "node:v8";
import type { Chance } from "./chance.ts";
import { presentContext } from "./context.ts";
import type { Timeline } from "./timeline.ts";

/** What befalls a message. */
export interface MessageFate {
  readonly delayMs: number;
  readonly isTwice: boolean;
  /** It is not taken. */
  readonly isRefused: boolean;
}

interface Held {
  readonly body: Buffer;
  readonly attempts: number;
}

const RETRY_MS = 5_000;
const MAX_RETRIES = 100;

export interface Delivered {
  readonly messages: readonly object[];
  readonly queue: string;
}

export class Queues {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #fate: () => MessageFate;
  readonly #deliver: (batch: Delivered) => Promise<"done" | "died" | "threw">;

  constructor(
    timeline: Timeline,
    chance: Chance,
    fate: () => MessageFate,
    deliver: (batch: Delivered) => Promise<"done" | "died" | "threw">,
  ) {
    this.#timeline = timeline;
    this.#chance = chance;
    this.#fate = fate;
    this.#deliver = deliver;
  }

  binding() {
    return {
      send: (body: unknown): Promise<void> => {
        const sent = serialize(body);
        return presentContext().ask((answer, fail) => {
          const fate = this.#fate();
          this.#timeline.after(2, () => {
            if (fate.isRefused) fail(new Error("Queue send failed: internal error"));
            else {
              this.#hold({ body: sent, attempts: 0 }, fate.delayMs);
              if (fate.isTwice) this.#hold({ body: sent, attempts: 0 }, this.#chance.around(60_000));
              answer(undefined);
            }
          });
        });
      },
    };
  }

  #hold(message: Held, delayMs: number): void {
    this.#timeline.after(delayMs, () => void this.#offer(message));
  }

  async #offer({ body, attempts }: Held): Promise<void> {
    let settled: "ack" | number | undefined;
    const message = {
      body: deserialize(body),
      attempts: attempts + 1,
      ack: () => {
        settled ??= "ack";
      },
      retry: ({ delaySeconds = RETRY_MS / 1_000 } = {}) => {
        settled ??= delaySeconds * 1_000;
      },
    };
    const outcome = await this.#deliver({ messages: [message], queue: "chronos-executions" });
    if (outcome === "done" && typeof settled !== "number") return;
    if (attempts < MAX_RETRIES)
      this.#hold({ body, attempts: attempts + 1 }, typeof settled === "number" ? settled : RETRY_MS);
  }
}
