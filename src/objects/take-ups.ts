// Jobs that come near: an hour before its time a row gets its owner. The sweeper walks ahead of the clock and names the
// rows; a few are asked straight, a crowd over the queue, ten in a message.

import { log } from "../log.ts";
import { approaching, horizonOf, horizonPlace, keepHorizonPlace, type Place } from "../projection/horizon.ts";
import type { JobRef } from "../projection/jobs-store.ts";
import { databaseOf } from "../projection/store.ts";
import { ask, jobAt } from "./addresses.ts";

export const TAKE_UP_VERSION = 1;

/** Rows of one look, and looks of one run: 50,000 jobs a minute, more than one database takes in. */
const PAGE_SIZE = 1_000;
const PAGES = 50;

/** So many are asked straight; a run shares its thousand subrequests with the sweeper. */
const MAX_STRAIGHT = 100;

/** A queue takes a hundred messages at once, and a consumer gets as many: a thousand calls to owners. */
const JOBS_PER_MESSAGE = 10;

const AGAIN_AFTER_S = 60;

/** Jobs whose owners are to take up their rows, as they stand in the queue. */
export interface TakeUpMessage {
  readonly kind: "take_up";
  readonly v: typeof TAKE_UP_VERSION;
  readonly jobs: readonly JobRef[];
}

/** One run of the walk. Where it cannot go on, it goes on in a minute; a row it never reaches is the sweeper's when due. */
export async function takeUpAhead(env: Cloudflare.Env, now: number): Promise<void> {
  const db = databaseOf(env.DB);
  const began = await horizonPlace(db, now);
  if (!began.ok) return log("warn", "horizon_failed", { asked: 0 });
  let place = began.value;
  let asked = 0;
  for (let page = 0; page < PAGES; page++) {
    const found = await approaching(db, place, now, PAGE_SIZE);
    const handed = found.ok && (await handOver(env, found.value));
    if (!handed) {
      log("warn", "horizon_failed", { asked });
      break;
    }
    asked += found.value.length;
    place = found.value.length === PAGE_SIZE ? (found.value.at(-1) ?? place) : horizonOf(now);
    if (found.value.length < PAGE_SIZE) break;
  }
  const kept = await keepHorizonPlace(db, place);
  if (!kept.ok) log("warn", "horizon_failed", { asked });
}

/** The consumer: an owner that does not answer is asked again with its message, and takes nothing up twice. */
export async function consumeTakeUps(env: Cloudflare.Env, messages: readonly Message<TakeUpMessage>[]): Promise<void> {
  await Promise.all(
    messages.map(async (message) => {
      const { v, jobs } = message.body;
      const silent = v <= TAKE_UP_VERSION ? await takeUpAll(env, jobs) : jobs;
      if (silent.length === 0) message.ack();
      else message.retry({ delaySeconds: AGAIN_AFTER_S });
    }),
  );
}

/** @returns whether every owner has been asked, or will be */
async function handOver(env: Cloudflare.Env, rows: readonly Place[]): Promise<boolean> {
  const jobs = rows.map(({ accountId, jobId }) => ({ accountId, jobId }));
  const left = jobs.length <= MAX_STRAIGHT ? await takeUpAll(env, jobs) : jobs;
  if (left.length === 0) return true;
  const sent = await ask(() => env.SNAPSHOTS.sendBatch(chunks(left, JOBS_PER_MESSAGE).map(messageOf)));
  return sent.ok;
}

/** @returns the jobs whose owners did not answer */
async function takeUpAll(env: Cloudflare.Env, jobs: readonly JobRef[]): Promise<JobRef[]> {
  const answers = await Promise.all(jobs.map((job) => ask(() => jobAt(env, job).takeUp(job))));
  return jobs.filter((_, i) => !(answers[i]?.ok && answers[i].value));
}

const messageOf = (jobs: readonly JobRef[]): MessageSendRequest<TakeUpMessage> => ({
  body: { kind: "take_up", v: TAKE_UP_VERSION, jobs },
  contentType: "json",
});

const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
