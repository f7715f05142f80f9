// What one job costs: counted at the real bindings while a few jobs run through, then divided by their number. Fractions
// come from what several share: a batch, an account looked up once a minute.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Meter } from "../../bill/meters.ts";
import { type Call, sendAll } from "../load.ts";
import { BILLED, type Billed, perMillion } from "../prices.ts";
import { BENCH, freePort, HOST, startModule, stop } from "../processes.ts";
import { startReceiver } from "../receiving.ts";
import { PAYLOAD } from "../systems/system.ts";

export interface Bill {
  readonly name: string;
  readonly used: Readonly<Record<Billed, number>>;
  readonly dollarsPerMillion: number;
  /** What deleting it after its retention adds; null where nothing is deleted. */
  readonly retention: { readonly used: Readonly<Record<Billed, number>>; readonly dollarsPerMillion: number } | null;
  readonly notes: Readonly<Record<string, number>>;
}

/** How long the target of the bill's pushes takes. */
export const TARGET_MS = 300;

const JOBS = 10;

/** Jobs of one claim, and of one report. */
const BATCH = 25;

/** Between pull jobs a worker waits for. */
const APART_MS = 100;

/** After the last job is due. */
const AFTERMATH_MS = 2_000;
const RETRY_MS = 3_000;

const DAY = 86_400_000;
const OVER_MS = 31 * DAY;

const in1s = { delay: { value: 1, unit: "second" } };
const tomorrow = { delay: { value: 1, unit: "day" } };

/** The metered service, and how it is spoken to. */
interface Meters {
  take(): Promise<Meter>;
  /** Adds what has been counted to the overview, as happens in a lull. */
  flush(): Promise<unknown>;
  /** Asks one after the other. */
  create(body: object, jobs?: number): Promise<unknown>;
  ask(path: string, body: object): Promise<unknown>;
  push(when: object): object;
  failing(when: object): object;
  /** The cron's, as if it were so late. */
  cron(task: "look-ahead" | "retention" | "minute", at: number): Promise<unknown>;
}

export async function measureBill(folder: string): Promise<Bill[]> {
  const port = await freePort();
  const origin = `http://${HOST}:${port}`;
  const receiver = await startReceiver(folder, { delayMs: TARGET_MS });
  const entry = join(BENCH, "bill/worker.ts");
  const server = await startModule("src/embedded.ts", [join(folder, "state"), String(port), entry], folder);
  try {
    const operator = { authorization: "Bearer adm_bench_that_is_as_long_as_an_operator_makes_it" };
    const [made] = await sendAll(
      [{ url: `${origin}/v1/admin/accounts`, headers: operator, body: '{"name":"bill"}' }],
      1,
    );
    const { api_key } = (made as { data: { api_key: string } }).data;
    const headers = { authorization: `Bearer ${api_key}` };
    const call = (path: string, body: object): Call => ({ url: origin + path, headers, body: JSON.stringify(body) });
    const pushTo = (url: string) => ({ ...JOB, delivery: { type: "push", http: { url, method: "POST" } } });
    const meters: Meters = {
      take: async () => (await (await fetch(`${origin}/bill/take`)).json()) as Meter,
      flush: () => fetch(`${origin}/bill/flush`),
      create: (body, jobs = JOBS) => sendAll(Array(jobs).fill(call("/v1/jobs", body)), 1),
      ask: async (path, body) => (await sendAll([call(path, body)], 1))[0],
      push: (when) => ({ ...pushTo(receiver.hook), ...when }),
      failing: (when) => ({ ...pushTo(receiver.broken), ...when, max_retries: 1 }),
      cron: (task, at) => fetch(`${origin}/bill/${task}?at=${at}`),
    };
    await meters.ask("/v1/jobs", meters.push(in1s)); // what happens once: the key, the account, the tables
    await sleep(AFTERMATH_MS);
    await meters.cron("retention", Date.now() + OVER_MS);
    await meters.take();
    return await allKinds(meters);
  } finally {
    await stop(server);
    await receiver.stop();
  }
}

const JOB = { name: "bill", handler: "bill", payload: PAYLOAD };

type Job = { readonly data: { readonly id: string; readonly scheduled_for: string } };

async function allKinds({ take, flush, create, ask, push, failing, cron }: Meters): Promise<Bill[]> {
  let walks = 1;
  /** Deletes what has ended so far: another walk, as much later. */
  const forgotten = async (jobs: number) => {
    await cron("retention", Date.now() + ++walks * OVER_MS);
    return usedFor(withoutPlaces(withoutCounts(await take())), jobs);
  };
  const bill = async (name: string, waitMs: number, jobs = JOBS): Promise<Bill> => {
    await sleep(waitMs);
    await flush();
    const own = billOf(name, withoutCounts(await take()), jobs);
    return { ...own, retention: await forgotten(jobs) };
  };
  await create(push(in1s));
  const pushed = await bill("push job", AFTERMATH_MS);

  await create(push({}));
  const atOnce = await bill("push job, due at once", AFTERMATH_MS);

  const work = async () => {
    for (let i = 0; i < JOBS; i++) {
      const claimed = await ask("/v1/worker/jobs/claim", { handlers: ["bill"], wait_time_seconds: 5 });
      const { job_id, execution_id } = (claimed as { data: Claimed }).data;
      await ask(`/v1/worker/jobs/${job_id}/complete`, { execution_id });
    }
  };
  const first = Date.now() + APART_MS * (JOBS + 5);
  for (let i = 0; i < JOBS; i++)
    await create({ ...JOB, scheduled_for: new Date(first + i * APART_MS).toISOString() }, 1);
  await sleep(first - APART_MS / 2 - Date.now());
  await work();
  const awaited = await bill("pull job, a worker waits", AFTERMATH_MS);

  await create({ ...JOB, ...in1s });
  await sleep(AFTERMATH_MS);
  await work();
  const pulled = await bill("pull job that waits for a worker", AFTERMATH_MS);

  await create({ ...JOB, ...in1s }, BATCH);
  await sleep(AFTERMATH_MS);
  const claim = { handlers: ["bill"], wait_time_seconds: 5, max_jobs: BATCH };
  const { data: batch } = (await ask("/v1/worker/jobs/claim", claim)) as { data: Claimed[] };
  if (batch.length < BATCH) throw new Error(`only ${batch.length} of ${BATCH} jobs were claimed`);
  const reports = batch.map(({ job_id, execution_id }) => ({ job_id, execution_id, status: "completed" }));
  await ask("/v1/worker/jobs/report", { reports });
  const pulledTogether = await bill(`the same in batches of ${BATCH}`, AFTERMATH_MS, BATCH);

  await create(failing(in1s));
  const retried = await bill("push job with one retry", AFTERMATH_MS + RETRY_MS);

  for (const { data } of (await create(push(tomorrow))) as Job[]) await ask(`/v1/jobs/${data.id}/cancel`, {});
  const cancelled = await bill("push job far ahead, cancelled", AFTERMATH_MS / 2);

  const interval = { value: 1, unit: "second" };
  const { delivery } = push({}) as { delivery: object };
  await ask("/v1/schedules", { name: "bill", interval, runs: JOBS, delivery });
  const ticked = await bill("schedule tick (push)", AFTERMATH_MS + JOBS * 1_000);

  const made = (await create(push(tomorrow))) as Job[];
  await cron("look-ahead", Date.parse(made[0]?.data.scheduled_for ?? "") - 30 * 60_000);
  await sleep(AFTERMATH_MS / 2);
  const far = billOf("push job far ahead, until it is armed", await take(), JOBS);

  await create(push({}));
  await sleep(AFTERMATH_MS);
  await flush();
  await cron("retention", Date.now() + ++walks * OVER_MS);
  const counted = billOf("a minute of an account in the overview, and its deletion", countsIn(await take()), 1);

  await cron("minute", Date.now());
  const minute = billOf("a minute of the cron with nothing to do", await take(), 1);

  const url = (delivery as { http: { url: string } }).http.url;
  await ask("/v1/webhooks", { url, events: ["job.completed"] });
  await take();
  await create(push(in1s));
  const told = await bill("push job with a webhook that is told of its end", AFTERMATH_MS);
  return [pushed, atOnce, awaited, pulled, pulledTogether, retried, ticked, told, far, cancelled, counted, minute];
}

interface Claimed {
  readonly job_id: string;
  readonly execution_id: string;
}

function billOf(name: string, meter: Meter, jobs: number): Bill {
  const notes = Object.fromEntries(Object.entries(meter.notes).map(([note, count]) => [note, count / jobs]));
  return { name, ...usedFor(meter, jobs), retention: null, notes };
}

function usedFor(meter: Meter, jobs: number) {
  const used = Object.fromEntries(BILLED.map((what) => [what, meter[what] / jobs])) as Record<Billed, number>;
  return { used, dollarsPerMillion: perMillion(used) };
}

/** What an account's jobs of a minute share: its rows of the overview, and the epoch they are counted in. */
const OF_COUNTS = / (overview|failures|tally_epochs)$/;

/** When the projector looks whether to flush: every eight seconds while it has work. */
const RING = "object_rows_written: alarm set, about 8 s ahead";

const isOfCounts = (note: string) => note === RING || OF_COUNTS.test(note);

/** They are for all jobs of a minute, and are billed by themselves below. */
const withoutCounts = (meter: Meter): Meter => notedIn(meter, (note) => !isOfCounts(note));

const countsIn = (meter: Meter): Meter => {
  const kept = notedIn(meter, isOfCounts);
  return { ...kept, worker_requests: 0, object_requests: 0, queue_operations: 0, object_ms: 0 };
};

/** The rows that some of the notes stand for, and nothing of the others. */
function notedIn(meter: Meter, isKept: (note: string) => boolean): Meter {
  const kept = { ...meter, notes: {} as Record<string, number> };
  for (const [note, count] of Object.entries(meter.notes)) {
    if (isKept(note)) kept.notes[note] = count;
    else kept[note.slice(0, note.indexOf(":")) as Billed] -= count;
  }
  return kept;
}

/** The place of retention's walk is a row for thousands of jobs, not for ten. */
function withoutPlaces(meter: Meter): Meter {
  const written = meter.notes["d1_rows_written: insert into retention_walk"] ?? 0;
  return { ...meter, d1_rows_written: meter.d1_rows_written - written };
}
