// Queues: what is sent comes once or twice, late, in another order, alone or with others. A message that nobody acknowledges comes
// again.

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
  /** For so long it waits for others that come with it. */
  readonly gatherMs: number;
}

interface Held {
  readonly body: Buffer;
  readonly attempts: number;
  readonly gatherMs: number;
}

const MAX_BATCH_SIZE = 100;

const RETRY_MS = 5_000;
const MAX_RETRIES = 100;

export interface QueueMessage {
  readonly body: unknown;
  ack(): void;
  retry(how?: { readonly delaySeconds?: number }): void;
}

export interface Delivered {
  readonly messages: readonly QueueMessage[];
  readonly queue: string;
}

/** One queue and its consumer. */
export class Queues {
  readonly #name: string;
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #fate: () => MessageFate;
  readonly #deliver: (batch: Delivered) => Promise<"done" | "died" | "threw">;
  #gathered: Held[] = [];

  constructor(
    name: string,
    timeline: Timeline,
    chance: Chance,
    fate: () => MessageFate,
    deliver: (batch: Delivered) => Promise<"done" | "died" | "threw">,
  ) {
    this.#name = name;
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
              const message = { body: sent, attempts: 0, gatherMs: fate.gatherMs };
              this.#hold(message, fate.delayMs);
              if (fate.isTwice) this.#hold(message, this.#chance.around(60_000));
              answer(undefined);
            }
          });
        });
      },
    };
  }

  #hold(message: Held, delayMs: number): void {
    this.#timeline.after(delayMs, () => this.#gather(message));
  }

  #gather(message: Held): void {
    this.#gathered.push(message);
    if (this.#gathered.length > 1) return;
    if (message.gatherMs === 0) void this.#offer();
    else this.#timeline.after(message.gatherMs, () => void this.#offer());
  }

  /** All that have gathered, in no order. */
  async #offer(): Promise<void> {
    const batch = this.#gathered.splice(0, MAX_BATCH_SIZE);
    if (this.#gathered.length > 0) void this.#offer();
    for (let i = batch.length - 1; i > 0; i--) {
      const other = this.#chance.int(0, i);
      [batch[i], batch[other]] = [batch[other] as Held, batch[i] as Held];
    }
    const settled = batch.map((): "ack" | number | undefined => undefined);
    const messages = batch.map(({ body, attempts }, i) => ({
      body: deserialize(body),
      attempts: attempts + 1,
      ack: () => {
        settled[i] ??= "ack";
      },
      retry: ({ delaySeconds = RETRY_MS / 1_000 } = {}) => {
        settled[i] ??= delaySeconds * 1_000;
      },
    }));
    const outcome = await this.#deliver({ messages, queue: this.#name });
    for (const [i, message] of batch.entries()) {
      const again = settled[i];
      if ((outcome === "done" && typeof again !== "number") || message.attempts >= MAX_RETRIES) continue;
      this.#hold({ ...message, attempts: message.attempts + 1 }, typeof again === "number" ? again : RETRY_MS);
    }
  }
}
