// An answer that takes its time: the status goes out at once, then a space now and then, then the JSON. JSON allows the
// spaces; they are how we learn that the client has gone, since nothing tells before a byte has been written to it.

import { stringify } from "../domain/json-text.ts";
import type { AppContext } from "./app-env.ts";

const SPACE_EVERY_MS = 1_000;

/**
 * How often a client is looked for: a space is written, and then the sockets get their turn. The first byte to one that
 * has gone is taken, the next one fails (measured on a busy machine: of 1,000 that had gone, two looks missed none).
 */
const LOOKS = 3;

/** One that does not read its answer is still there. */
const PATIENCE_MS = 50;

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
      await Promise.race([say(" "), scheduler.wait(PATIENCE_MS)]);
      await scheduler.wait(1);
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
