// The benchmark's side of the receiver: starting it, and waiting until what is expected has arrived.

import { setTimeout as sleep } from "node:timers/promises";
import { freePort, HOST, startModule, stop } from "./processes.ts";

export interface Arrival {
  readonly id: string;
  /** Both epoch milliseconds, on the same machine's clock. */
  readonly due: number;
  readonly at: number;
}

export interface Receiver {
  readonly hook: string;
  /** Answers 503, always. */
  readonly broken: string;
  forget(): Promise<void>;
  /** Until there are `count` arrivals, or the deadline. */
  arrived(count: number, deadline: number): Promise<void>;
  /** All arrivals once there are `count`, or what there is at `deadline`. Waits half a second more for duplicates. */
  arrivals(count: number, deadline: number): Promise<Arrival[]>;
  stop(): Promise<void>;
}

const POLL_MS = 50;
const AFTERTHOUGHT_MS = 500;

export interface Answering {
  /** How long its answers take. */
  readonly delayMs?: number;
  /** How long the headers of its answers are, as the JSON they are kept as. */
  readonly headerBytes?: number;
}

export async function startReceiver(
  folder: string,
  { delayMs = 0, headerBytes = 0 }: Answering = {},
): Promise<Receiver> {
  const port = await freePort();
  const args = [String(port), String(delayMs), String(headerBytes)];
  const child = await startModule("src/receiver.ts", args, folder);
  const origin = `http://${HOST}:${port}`;
  const get = async (path: string) => (await fetch(`${origin}${path}`)).json();
  const arrived = async (count: number, deadline: number) => {
    while (Date.now() < deadline && Number(await get("/arrivals?count")) < count) await sleep(POLL_MS);
  };
  return {
    hook: `${origin}/hook`,
    broken: `${origin}/broken`,
    async forget() {
      await fetch(`${origin}/arrivals`, { method: "DELETE" });
    },
    arrived,
    async arrivals(count, deadline) {
      await arrived(count, deadline);
      await sleep(AFTERTHOUGHT_MS);
      return (await get("/arrivals")) as Arrival[];
    },
    stop: () => stop(child),
  };
}
