// Miniflare as we use it: quiet, offline, and with a runtime whose process we know.
import { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { basename, join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { LOOPBACK } from "./addresses.ts";

export type MiniflareOptions = ReturnType<typeof convertV4MiniflareOptions>;
type Given = Parameters<typeof convertV4MiniflareOptions>[0];

/** @param stateFolder where D1, the objects and their alarms are kept, in the layout of `wrangler --persist-to` */
export function miniflareOptions(stateFolder: string, given: Given): MiniflareOptions {
  return convertV4MiniflareOptions({
    host: LOOPBACK,
    cf: false,
    log: new Log(LogLevel.NONE),
    logRequests: false,
    telemetry: { enabled: false },
    unsafeLocalExplorer: false,
    unsafeObservability: false,
    resourcePersistencePath: join(stateFolder, "v3"),
    ...given,
  } as Given);
}

/** A new Miniflare without what it puts on the signals: it would end the process, with 143, before anything is put away. */
export function openMiniflare(options: MiniflareOptions): Miniflare {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const miniflare = new Miniflare(options);
  signals.forEach((signal, i) => {
    const added = process.listeners(signal).filter((listener) => !before[i]?.includes(listener));
    for (const listener of added) process.off(signal, listener);
  });
  return miniflare;
}

/** Miniflare does not tell workerd's pid, nor that it crashed: Node announces every child process it makes. */
export function watchRuntime(
  onStart: (child: ChildProcess, pid: number) => void,
  onExit: (reason: string) => void,
): () => void {
  const watch = (message: unknown) => {
    if (!(message instanceof Object && "process" in message && message.process instanceof ChildProcess)) return;
    const child = message.process;
    // Announced while it is being made: name and pid are known once the current code has run.
    queueMicrotask(() => {
      if (child.pid === undefined || !basename(child.spawnfile).startsWith("workerd")) return;
      onStart(child, child.pid);
      // After Miniflare's own reaction, so that its `ready` already stands for the next workerd.
      child.once("exit", (code, signal) => setImmediate(onExit, signal ?? `code ${code}`));
    });
  };
  subscribe("child_process", watch);
  return () => unsubscribe("child_process", watch);
}
