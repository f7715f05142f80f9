// The snapshots on their way from the objects to the read model: they stop here until a test lets them go on, in the
// order and as often as it likes.

import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import worker from "../../../src/index.ts";
import type { PokeMessage } from "../../../src/objects/pokes.ts";
import type { TakeUpMessage } from "../../../src/objects/take-ups.ts";
import type { Snapshot } from "../../../src/store/report.ts";

const TAKEN = { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };

class Post {
  readonly sent: Snapshot[] = [];
  /** The sweeper's questions to owners, by the names of the objects, as many at once as the queue was given. */
  readonly pokes: string[][] = [];
  /** The same for jobs that come near: what one call gave the queue, message by message. */
  readonly takeUps: TakeUpMessage[][] = [];

  reset(): void {
    this.sent.length = 0;
    this.pokes.length = 0;
    this.takeUps.length = 0;
    vi.spyOn(env.SNAPSHOTS, "sendBatch").mockImplementation(async (messages) => {
      const bodies = [...messages].map(({ body }) => body as PokeMessage | TakeUpMessage);
      const takeUps = bodies.filter((body) => body.kind === "take_up");
      if (takeUps.length > 0) this.takeUps.push(takeUps);
      const refs = bodies.filter((body) => body.kind === "poke");
      if (refs.length > 0) this.pokes.push(refs.map(({ accountId, jobId }) => `${accountId}/${jobId}`));
      return TAKEN;
    });
    vi.spyOn(env.SNAPSHOTS, "send").mockImplementation(async (snapshot) => {
      this.sent.push(structuredClone(snapshot) as Snapshot);
      return TAKEN;
    });
  }

  /** What was sent since the last look. */
  take(): Snapshot[] {
    return this.sent.splice(0);
  }

  /** Brings messages to the queue's consumer, all that wait unless told otherwise. */
  async deliver(sent: readonly { readonly kind: string }[] = this.take()) {
    const messages = sent.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }));
    const batch = createMessageBatch("chronos-snapshots", messages);
    const context = createExecutionContext();
    await worker.queue(batch as MessageBatch<never>, env);
    return getQueueResult(batch, context);
  }
}

export const post = new Post();
