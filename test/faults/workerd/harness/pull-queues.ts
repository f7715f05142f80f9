// PullQueues on a bad day, as the owners of jobs meet them. Claims meet them as they are.

import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { OfferMessage } from "../../../../src/delivery/enqueue.ts";

/** How an offer is answered; `real` makes it at the PullQueue itself. */
export type Answering = (real: () => Promise<unknown>) => Promise<unknown>;

export const BAD_DAYS = {
  busy: async () => "busy",
  unreachable: () => Promise.reject(new Error("Network connection lost.")),
  overloaded: () => Promise.reject(Object.assign(new Error("too much load"), { overloaded: true })),
  "silent for ever": () => new Promise(() => {}),
  "doing it, and its answer is lost": async (real) => {
    await real();
    throw new Error("Network connection lost.");
  },
  "doing it, and answering too late": async (real) => {
    await real();
    return new Promise(() => {});
  },
} as const satisfies Record<string, Answering>;

/** Takes an offer, and has forgotten it: the instance died with it. */
export const forgetful: Answering = async () => "taken";

/** Answers the offers of owners like this from now on. */
export function pullQueuesAre(answering: Answering): { end(): void } {
  const getByName = env.PULL_QUEUES.getByName.bind(env.PULL_QUEUES);
  const spy = vi.spyOn(env.PULL_QUEUES, "getByName").mockImplementation((name) => {
    const queue = getByName(name);
    return new Proxy(queue, {
      get(target, method) {
        const real = Reflect.get(target, method);
        return method === "offer" ? (...args: unknown[]) => answering(() => real(...args)) : real;
      },
    });
  });
  return { end: () => void spy.mockRestore() };
}

/** What owners gave to the default queue, which goes no further by itself. */
export function sentOffers(): OfferMessage[] {
  const sent: OfferMessage[] = [];
  vi.spyOn(env.EXECUTIONS, "send").mockImplementation(
    async (message) => void sent.push(message as OfferMessage) as never,
  );
  return sent;
}
