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
  /** All arrivals once there are `count`, or what there is at `deadline`. Waits half a second more for duplicates. */
  arrivals(count: number, deadline: number): Promise<Arrival[]>;
  stop(): Promise<void>;
}

const POLL_MS = 100;
const AFTERTHOUGHT_MS = 500;

/** @param delayMs how long its answers take */
export async function startReceiver(folder: string, delayMs = 0): Promise<Receiver> {
  const port = await freePort();
  const child = await startModule("src/receiver.ts", [String(port), String(delayMs)], folder);
  const origin = `http://${HOST}:${port}`;
  const get = async (path: string) => (await fetch(`${origin}${path}`)).json();
  return {
    hook: `${origin}/hook`,
    broken: `${origin}/broken`,
    async forget() {
      await fetch(`${origin}/arrivals`, { method: "DELETE" });
    },
    async arrivals(count, deadline) {
      while (Date.now() < deadline && Number(await get("/arrivals?count")) < count) await sleep(POLL_MS);
      await sleep(AFTERTHOUGHT_MS);
      return (await get("/arrivals")) as Arrival[];
    },
    stop: () => stop(child),
  };
}
