// A client on a service in memory, with a faked clock and no chance: jitter is always the half.

import { onTestFinished, vi } from "vitest";
import { type AnyHandlers, Chronos, type ChronosOptions, type HandlerMap } from "../src/index.ts";
import { systemPlatform } from "../src/platform.ts";
import { appUnderTest } from "./app-under-test.ts";
import { Line } from "./line.ts";

export const NOON = Date.UTC(2030, 0, 1, 12);

/** `vi.setSystemTime()` steps Date, and nothing else: the clock on the wall is set. */
const FAKED = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] as const;

export function setUp<M extends HandlerMap<M> = AnyHandlers>(
  options: Partial<ChronosOptions> = {},
  clock?: { aheadMs: number },
) {
  vi.useFakeTimers({ now: NOON, toFake: [...FAKED] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const app = appUnderTest(clock);
  const line = new Line(app.fetch);
  const log: { level: string; message: string; meta: Record<string, unknown> | undefined }[] = [];
  const at = (level: string) => (message: string, meta?: Record<string, unknown>) => {
    log.push({ level, message, meta });
  };
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const { apiKey, baseUrl } = app;
  const chronos = new Chronos<M>(
    { apiKey, baseUrl, fetch: line.fetch, logger, ...options },
    { ...systemPlatform, random: () => 0.5 },
  );
  const logged = (level: string) => log.filter((one) => one.level === level).map((one) => one.message);
  return { app, line, chronos, logger, log, logged };
}

/** Lets faked time pass, and everything happen that is due meanwhile. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Waits for a call that pauses between its tries, and gives its value or its error. */
export async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  const outcome = call.catch((error: unknown) => error);
  await pass(300_000);
  return outcome;
}

/** A promise to be settled from outside. */
export function gate<T = void>() {
  let open!: (value: T) => void;
  let slam!: (reason: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    slam = reject;
  });
  return { promise, open, slam };
}

/** Whether a promise has settled by now. */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const first = await Promise.race([promise.catch(() => {}), pass(0).then(() => pending)]);
  return first !== pending;
}
