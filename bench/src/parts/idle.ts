// What waiting costs: requests, CPU and memory while jobs wait and none is due. All systems side by side, each measured by
// its own processes.

import { setTimeout as sleep } from "node:timers/promises";
import { usageOf } from "../processes.ts";
import { median } from "../stats.ts";
import type { System } from "../systems/system.ts";

export interface Idle {
  readonly system: string;
  readonly waiting: number;
  readonly cpuSecondsPerHour: number;
  readonly residentMegabytes: number;
  /** null where nothing counts them. */
  readonly requestsPerHour: number | null;
}

const HOUR_SECONDS = 3_600;

export interface Idling {
  readonly settleMs: number;
  readonly runs: number;
  readonly seconds: number;
}

export interface Waiting {
  readonly system: System;
  readonly waiting: number;
  readonly requests?: () => number;
}

/**
 * The mean over all windows, since the cron rings once a minute and most windows would not see it; the memory is a median.
 */
export async function measureIdle(all: readonly Waiting[], { settleMs, runs, seconds }: Idling): Promise<Idle[]> {
  await sleep(settleMs);
  const sample = ({ system, requests }: Waiting) => {
    const used = system.pids.map(usageOf);
    const sum = (of: (usage: (typeof used)[number]) => number) => used.reduce((total, one) => total + of(one), 0);
    return {
      cpu: sum((one) => one.cpuSeconds),
      megabytes: sum((one) => one.residentMegabytes),
      requests: requests?.() ?? null,
    };
  };
  const samples = [all.map(sample)];
  const began = performance.now();
  for (let run = 0; run < runs; run++) {
    await sleep(seconds * 1_000);
    samples.push(all.map(sample));
  }
  const hours = (performance.now() - began) / 1_000 / HOUR_SECONDS;
  return all.map(({ system, waiting }, i) => {
    const own = samples.flatMap((row) => row[i] ?? []);
    const [first, last] = [own.at(0), own.at(-1)];
    const grown = (of: (one: (typeof own)[number]) => number) => (first && last ? (of(last) - of(first)) / hours : 0);
    return {
      system: system.name,
      waiting,
      cpuSecondsPerHour: grown((one) => one.cpu),
      residentMegabytes: median(own.map((one) => one.megabytes)),
      requestsPerHour: first?.requests === null ? null : grown((one) => one.requests ?? 0),
    };
  });
}
