// What a burst does to everybody else: how long the list of another account takes while a crowd is delivered.

import { setTimeout as sleep } from "node:timers/promises";
import { type Spread, spreadOf } from "../stats.ts";
import type { Tenant } from "../systems/tenant.ts";
import { type Candidate, measurePunctuality, type Shape } from "./punctuality.ts";

export interface Crowd extends Spread {
  /** Jobs due in one instant. */
  readonly jobs: number;
  /** Lists that were asked for from that instant until the last job was delivered. */
  readonly lists: number;
}

/** A list is asked for this often, whether or not the one before has been answered. */
const EVERY_MS = 30;

/** The key and the account are looked up before it counts. */
const BEFORE_MS = 300;

export async function measureCrowd(candidate: Candidate, other: Tenant, shape: Shape, runs: number): Promise<Crowd> {
  const times: number[] = [];
  const run: Candidate["run"] = async (dues) => {
    const due = dues[0] ?? 0;
    const controller = new AbortController();
    const lists = listFrom(other, due - BEFORE_MS, controller.signal);
    const arrivals = await candidate.run(dues).finally(() => controller.abort());
    const last = Math.max(...arrivals.map(({ at }) => at));
    for (const { at, ms } of await lists) if (at >= due && at <= last) times.push(ms);
    return arrivals;
  };
  await measurePunctuality([{ ...candidate, run }], shape, { runs, order: "turns" });
  return { jobs: shape.jobs, lists: times.length, ...spreadOf(times) };
}

async function listFrom(tenant: Tenant, from: number, stopped: AbortSignal): Promise<{ at: number; ms: number }[]> {
  await sleep(Math.max(0, from - Date.now()));
  const lists: Promise<{ at: number; ms: number }>[] = [];
  while (!stopped.aborted) {
    lists.push(timed(tenant));
    await sleep(EVERY_MS);
  }
  return Promise.all(lists);
}

async function timed(tenant: Tenant): Promise<{ at: number; ms: number }> {
  const at = Date.now();
  const began = performance.now();
  const answer = await tenant.get("/v1/jobs?size=20");
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`a list answered ${answer.status}`);
  return { at, ms: performance.now() - began };
}
