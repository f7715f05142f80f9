// What the embedded service holds in memory while jobs run through it, and how much of its database each has taken when it has
// ended. It has both from one run of short push jobs.

import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { databaseFile, objectsIn } from "../filling.ts";
import { sendAll } from "../load.ts";
import { memoryOf } from "../processes.ts";
import type { Receiver } from "../receiving.ts";
import type { Service } from "../systems/service.ts";

export interface Memory {
  readonly perSecond: number;
  readonly jobs: number;
  readonly samples: readonly MemorySample[];
}

export interface MemorySample {
  readonly second: number;
  /** Megabytes resident: the runtime's own (heaps and stacks), and of files it has mapped. */
  readonly workerd: { readonly own: number; readonly mapped: number };
  /** The Node process around it. */
  readonly node: { readonly own: number; readonly mapped: number };
  readonly objectFiles: number;
}

/** A job's part of the database's file, and what it is that is stored. */
export interface Stored {
  readonly jobs: number;
  readonly bytesPerJob: number;
  readonly payloadBytes: number;
  readonly headerBytes: number;
}

export interface Remembering {
  readonly perSecond: number;
  readonly seconds: number;
  readonly everySeconds: number;
}

/** Headers of the target's answers, as the JSON they are kept as. */
export const HEADER_BYTES = 300;

/** Sixty bytes. */
const PAYLOAD = { order: "A-4711", text: "x".repeat(60 - '{"order":"A-4711","text":""}'.length) };

/** How far ahead jobs are due: a busy machine may take so long to make them. */
const AHEAD_MS = 20_000;

/** Time for the last jobs to end and to be reported. */
const AFTERMATH_MS = 3_000;

/** @param receiver answers with headers of `HEADER_BYTES` */
export async function measureMemory(
  service: Service,
  receiver: Receiver,
  { perSecond, seconds, everySeconds }: Remembering,
): Promise<{ memory: Memory; stored: Stored }> {
  const { tenants, stateFolder } = service;
  const samples: MemorySample[] = [];
  const began = Date.now();
  let jobs = 0;
  for (let second = 0; second <= seconds; second++) {
    if (second % everySeconds === 0) samples.push(sampleOf(service, second));
    const calls = Array.from({ length: second < seconds ? perSecond : 0 }, (_, i) => {
      const due = Date.now() + AHEAD_MS + Math.round((1_000 * i) / perSecond);
      return tenants[jobs++ % tenants.length]?.createPush(due, receiver.hook, PAYLOAD) ?? [];
    }).flat();
    await Promise.all([sendAll(calls, 2), sleep(Math.max(0, began + 1_000 * (second + 1) - Date.now()))]);
  }
  await receiver.arrived(jobs, Date.now() + AHEAD_MS + AFTERMATH_MS);
  await sleep(AFTERMATH_MS);
  await service.stop();
  const stored = { ...bytesOf(stateFolder), payloadBytes: JSON.stringify(PAYLOAD).length, headerBytes: HEADER_BYTES };
  return { memory: { perSecond, jobs, samples }, stored };
}

function sampleOf({ pids, stateFolder }: Service, second: number): MemorySample {
  const held = pids.flatMap(memoryOf);
  const sum = (isWorkerd: (name: string) => boolean) => {
    const own = held.filter(({ name }) => isWorkerd(name));
    return {
      own: own.reduce((total, one) => total + one.own, 0),
      mapped: own.reduce((total, one) => total + one.mapped, 0),
    };
  };
  return {
    second,
    workerd: sum((name) => name === "workerd"),
    node: sum((name) => name !== "workerd"),
    objectFiles: objectsIn(stateFolder),
  };
}

/** Counted in the pages of the tables and indexes of jobs and executions. What is free in them belongs to it. */
function bytesOf(stateFolder: string): { jobs: number; bytesPerJob: number } {
  const db = new DatabaseSync(databaseFile(stateFolder), { readOnly: true });
  const jobs = Number(db.prepare("SELECT count(*) AS jobs FROM jobs WHERE completed_at IS NOT NULL").get()?.jobs);
  const pages = db.prepare(
    "SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE '%jobs%' OR name LIKE '%executions%'",
  );
  const bytes = Number(pages.get()?.bytes);
  db.close();
  return { jobs, bytesPerJob: bytes / jobs };
}
