// How old lists are: from the end of a job to the moment its account's list shows it. As a client sees it, so the time of the
// request that finds it is included.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { sendAll } from "../load.ts";
import { HOST } from "../processes.ts";
import { type Spread, spreadOf } from "../stats.ts";
import type { Service } from "../systems/service.ts";
import type { Tenant } from "../systems/tenant.ts";

export interface Age extends Spread {
  readonly jobs: number;
  readonly perSecond: number;
  /** Lists that were asked for per job, the last of which showed it. */
  readonly listsPerJob: number;
}

export interface Aging {
  readonly jobs: number;
  readonly perSecond: number;
}

/** How fast jobs are made at least, and what is added to that. */
const MADE_PER_SECOND = 100;
const LEAD_MS = 2_000;

const WIDTH = 8;

/** How long a job's end may stay unseen. */
const PATIENCE_MS = 10_000;

/** Jobs take turns among the accounts, so that each of them is among the newest of its account when it ends. */
export async function measureAge(service: Service, { jobs, perSecond }: Aging): Promise<Age> {
  const { makers } = service;
  let lists = 0;
  const ages: Promise<number>[] = [];
  const target = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end(() => {
      const maker = makers[Number(new URL(request.url ?? "", "http://target").searchParams.get("of"))];
      const id = request.headers["x-chronos-job-id"];
      if (!maker || typeof id !== "string") return;
      const age = ageOf(maker, id);
      age.catch(() => {}); // heard of when all are in
      ages.push(age);
    });
  }).listen(0, HOST);
  await once(target, "listening");
  const { port } = target.address() as AddressInfo;

  async function ageOf(maker: Tenant, id: string): Promise<number> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      const answer = await maker.get("/v1/jobs?status=completed&size=3");
      const { data } = (await answer.json()) as { data: { id: string; completed_at: string }[] };
      lists++;
      const own = data.find((job) => job.id === id);
      if (own) return Date.now() - Date.parse(own.completed_at);
    }
    throw new Error(`a job's end was not listed within ${PATIENCE_MS / 1_000} s`);
  }

  try {
    const first = Date.now() + LEAD_MS + (1_000 * jobs) / MADE_PER_SECOND;
    const calls = Array.from({ length: jobs }, (_, i) => {
      const nth = i % makers.length;
      const maker = makers[nth] as Tenant;
      return maker.createPush(Math.round(first + (i * 1_000) / perSecond), `http://${HOST}:${port}/?of=${nth}`);
    });
    await sendAll(calls, WIDTH);
    const until = first + (jobs * 1_000) / perSecond + PATIENCE_MS;
    while (ages.length < jobs && Date.now() < until) await sleep(50);
    if (ages.length < jobs) throw new Error(`only ${ages.length} of ${jobs} jobs were delivered`);
    const measured = await Promise.all(ages);
    return { jobs, perSecond, listsPerJob: lists / jobs, ...spreadOf(measured) };
  } finally {
    target.close();
  }
}
