import { expect, it, vi } from "vitest";
import { sleep, systemPlatform } from "../src/platform.ts";

it("sleeps as long as told, and leaves no listener on a signal that lives on", async () => {
  vi.useFakeTimers();
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  const slept = sleep(systemPlatform, 1_000, signal);
  await vi.advanceTimersByTimeAsync(999);
  expect(removed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await slept;
  vi.useRealTimers();
  expect(removed.mock.calls[0]?.slice(0, 2)).toEqual(added.mock.calls[0]?.slice(0, 2));
});

it("does not fire a timer at once because it is very long", async () => {
  vi.useFakeTimers();
  const fired = vi.fn();
  const callOff = systemPlatform.after(2 ** 31, fired);
  await vi.advanceTimersByTimeAsync(1_000);
  callOff();
  vi.useRealTimers();
  expect(fired).not.toHaveBeenCalled();
});

it("asks for no timer in the past, which Node.js warns of", () => {
  vi.useFakeTimers();
  const asked = vi.spyOn(globalThis, "setTimeout");
  systemPlatform.after(-7_000, () => {})();
  vi.useRealTimers();
  expect(asked.mock.calls.map(([, ms]) => ms)).toEqual([0]);
});
