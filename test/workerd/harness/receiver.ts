// The other end of a push: every fetch of the service ends here, and answers what the test has written for its URL.

import { vi } from "vitest";
import { until } from "./clock.ts";

export const TARGET = "https://hooks.example.com/notify";

/** A request as it arrived. */
export interface Received {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: string | undefined;
  readonly signal: AbortSignal;
}

/** A status, a whole response, or something that takes a hand in it. */
export type Script = number | (() => Response) | ((request: Received) => Promise<Response>);

/** A request that waits at the target until it is answered. */
export interface Held {
  readonly answer: Script;
  /** The request, once it has arrived. */
  arrived(): Promise<Received>;
  release(answer: Script): void;
}

class Receiver {
  readonly received: Received[] = [];
  #scripts = new Map<string, Script[]>();

  /** Answers to the requests to come, in this order; the last stands for all that follow. */
  answers(...scripts: readonly Script[]): void {
    this.answersAt(TARGET, ...scripts);
  }

  answersAt(url: string, ...scripts: readonly Script[]): void {
    this.#scripts.set(url, [...scripts]);
  }

  /** Holds the next request, and all that follow, until it is let go. */
  holds(): Held {
    let request: Received | undefined;
    let answer: Script | undefined;
    const held: Held = {
      answer: async (arrived) => {
        request = arrived;
        while (answer === undefined) {
          if (arrived.signal.aborted) throw arrived.signal.reason;
          await scheduler.wait(1);
        }
        return responseOf(answer, arrived);
      },
      arrived: async () => {
        await until(() => request !== undefined);
        return request as Received;
      },
      release: (script) => {
        answer = script;
      },
    };
    this.answers(held.answer);
    this.#held.push(held);
    return held;
  }

  readonly #held: Held[] = [];

  reset(): void {
    for (const held of this.#held.splice(0)) held.release(200);
    this.received.length = 0;
    this.#scripts.clear();
    vi.spyOn(globalThis, "fetch").mockImplementation((url, init) => this.#answer(String(url), init ?? {}));
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const request: Received = {
      url,
      method: init.method ?? "GET",
      headers: new Headers(init.headers),
      body: String(init.body ?? ""),
      redirect: init.redirect,
      signal: init.signal ?? new AbortController().signal,
    };
    this.received.push(request);
    const scripts = this.#scripts.get(url) ?? [];
    const script = scripts.length > 1 ? scripts.shift() : scripts[0];
    return responseOf(script ?? 200, request);
  }
}

async function responseOf(script: Script, request: Received): Promise<Response> {
  return typeof script === "number" ? new Response(null, { status: script }) : script(request);
}

export const receiver = new Receiver();
