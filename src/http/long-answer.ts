// An answer that takes its time: the status goes out at once, then a space now and then, then the JSON. JSON allows the
// spaces; they are how we learn that the client has gone, since nothing tells before a byte has been written to it.

import { stringify } from "../domain/json-text.ts";
import type { AppContext } from "./app-env.ts";

const SPACE_EVERY_MS = 1_000;

/** How long after a byte was written a client that has gone is known to have gone (measured: 6 ms). */
const NOTICE_MS = 6;

/** On a busy machine timers run before the sockets are looked at: one look sees nothing then. */
const LOOKS = 3;

/** A look that took no longer than this was not one of those. */
const CALM_MS = 8;

/** The client of a long answer. */
export interface Listener {
  /** Aborts when it has gone. */
  readonly gone: AbortSignal;
  /** Looks whether it is there now. */
  readonly isThere: () => Promise<boolean>;
}

/**
 * Answers 200 with what `work` comes to. The work goes on when the client leaves, so that it can put things right.
 *
 * @param work must not throw: its answer is the only one there is
 */
export function longAnswer(c: AppContext, work: (listener: Listener) => Promise<object>): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const left = new AbortController();
  const say = (text: string) => writer.write(encoder.encode(text)).catch(() => left.abort());
  c.req.raw.signal.addEventListener("abort", () => left.abort());
  const spaces = setInterval(() => void say(" "), SPACE_EVERY_MS);
  const isThere = async () => {
    for (let look = 0; look < LOOKS && !left.signal.aborted; look++) {
      const began = performance.now();
      void say(" ");
      await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
      if (performance.now() - began < CALM_MS) break;
    }
    return !left.signal.aborted;
  };
  const told = async () => {
    const answer = await work({ gone: left.signal, isThere });
    clearInterval(spaces);
    await say(stringify(answer));
    await writer.close().catch(() => {});
  };
  c.executionCtx.waitUntil(told());
  return c.body(readable, 200, { "Content-Type": "application/json" });
}
