// The time of a test: frozen, and moved by hand. The clock of the machine goes on underneath, but nothing asks it: an
// alarm set in this future never rings by itself.

import { vi } from "vitest";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Where every test begins. */
export const NOON = Date.UTC(2030, 0, 1, 12);

export const freeze = (): void => void vi.useFakeTimers({ toFake: ["Date"], now: NOON });

export const setClock = (at: number): void => void vi.setSystemTime(at);

export const advance = (ms: number): void => setClock(Date.now() + ms);

/** From now on every timer of the service rings after a hundredth of its time, its limits of patience too. */
export function hurry(): { end(): void } {
  const timeout = globalThis.setTimeout;
  const hurried = (ring: () => void, ms?: number) => timeout(ring, (ms ?? 0) / 100);
  const timers = vi.spyOn(globalThis, "setTimeout").mockImplementation(hurried as unknown as typeof setTimeout);
  const signal = AbortSignal.timeout;
  const signals = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => signal.call(AbortSignal, ms / 100));
  return {
    end() {
      timers.mockRestore();
      signals.mockRestore();
    },
  };
}

export const iso = (at: number): string => new Date(at).toISOString();

/** Waits for what another event brings about. Unlike `vi.waitFor` it leaves the frozen clock alone. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > 15_000) throw new Error("waited in vain");
    await scheduler.wait(1);
  }
}
