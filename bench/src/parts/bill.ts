// What one job costs: counted at the real bindings while a few jobs run through, then divided by their number. Fractions
// come from what several share: a batch of reports, an account looked up once a minute.

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
  readonly notes: Readonly<Record<string, number>>;
}

/** How long the target of the bill's pushes takes. */
export const TARGET_MS = 300;

const JOBS = 10;

/** An end is reported over a queue that waits a second for company. */
const AFTERMATH_MS = 4_000;
const RETRY_MS = 3_000;

/** A job that has ended is forgotten at once when it is older than 35 s, else when it is. */
const OLD_SECONDS = 37;

const BEFORE_MS = 2_000;

const in1s = { delay: { value: 1, unit: "second" } };
const tomorrow = { delay: { value: 1, unit: "day" } };
const whenOld = { delay: { value: OLD_SECONDS, unit: "second" } };

/** Four shapes in a quarter of a minute each; `full` adds the two that need jobs older than 35 s. */
export async function measureBill(folder: string, extent: "full" | "short"): Promise<Bill[]> {
  const young = withMeters(join(folder, "young"), async (meters) => {
    const bills = await youngJobs(meters);
    if (extent === "short") return bills;
    await sleep(OLD_SECONDS * 1_000);
    return [...bills, billOf("forgetting a job that ended in its first 35 s", await meters.take(), 4 * JOBS)];
  });
  if (extent === "short") return young;
  const old = withMeters(join(folder, "old"), async ({ take, create, push }) => {
    await create(push(whenOld));
    const made = await take();
    await sleep(OLD_SECONDS * 1_000 - BEFORE_MS);
    await take(); // the job that came before the measurement is forgotten now
    await sleep(BEFORE_MS + AFTERMATH_MS);
    return [billOf("push job, older than 35 s", together(made, await take()), JOBS)];
  });
  return (await Promise.all([old, young])).flat();
}

/** The metered service, and how it is spoken to. */
interface Meters {
  take(): Promise<Meter>;
  /** Asks ten times, one after the other. */
  create(body: object): Promise<unknown>;
  ask(path: string, body: object): Promise<unknown>;
  push(when: object): object;
  failing(when: object): object;
  /** The sweeper's look ahead, as if it were so late. */
  lookAhead(at: number): Promise<unknown>;
}

async function withMeters(folder: string, measure: (meters: Meters) => Promise<Bill[]>): Promise<Bill[]> {
  const port = await freePort();
  const origin = `http://${HOST}:${port}`;
  const receiver = await startReceiver(folder, TARGET_MS);
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
      create: (body) => sendAll(Array(JOBS).fill(call("/v1/jobs", body)), 1),
      ask: async (path, body) => (await sendAll([call(path, body)], 1))[0],
      push: (when) => ({ ...pushTo(receiver.hook), ...when }),
      lookAhead: (at) => fetch(`${origin}/bill/look-ahead?at=${at}`),
      failing: (when) => ({ ...pushTo(receiver.broken), ...when, max_retries: 1 }),
    };
    await meters.ask("/v1/jobs", meters.push(in1s)); // what happens once: the key, the account, the tables
    await sleep(AFTERMATH_MS);
    await meters.take();
    return await measure(meters);
  } finally {
    await stop(server);
    await receiver.stop();
  }
}

const JOB = { name: "bill", handler: "bill", payload: PAYLOAD };

async function youngJobs({ take, create, ask, push, failing, lookAhead }: Meters): Promise<Bill[]> {
  const bill = async (name: string, waitMs: number) => {
    await sleep(waitMs);
    return billOf(name, await take(), JOBS);
  };
  await create(push(in1s));
  const pushed = await bill("push job, due at once", AFTERMATH_MS);

  await create({ ...JOB, ...in1s });
  await sleep(2_500);
  for (let i = 0; i < JOBS; i++) {
    const claimed = await ask("/v1/worker/jobs/claim", { handlers: ["bill"], wait_time_seconds: 5 });
    const { job_id, execution_id } = (claimed as { data: { job_id: string; execution_id: string } }).data;
    await ask(`/v1/worker/jobs/${job_id}/complete`, { execution_id });
  }
  const pulled = await bill("pull job", AFTERMATH_MS);

  await create(failing(in1s));
  const retried = await bill("push job with one retry", AFTERMATH_MS + RETRY_MS);

  const made = (await create(push(tomorrow))) as { data: { id: string; scheduled_for: string } }[];
  await lookAhead(Date.parse(made[0]?.data.scheduled_for ?? "") - 30 * 60_000);
  const far = await bill("push job far ahead, until it is armed", AFTERMATH_MS / 4);

  for (const { data } of (await create(push(tomorrow))) as typeof made) await ask(`/v1/jobs/${data.id}/cancel`, {});
  const cancelled = await bill("push job far ahead, cancelled", AFTERMATH_MS);

  const interval = { value: 1, unit: "second" };
  const { delivery } = push({}) as { delivery: object };
  await ask("/v1/schedules", { name: "bill", interval, runs: JOBS, delivery });
  const ticked = await bill("schedule tick (push)", AFTERMATH_MS + JOBS * 1_000);
  return [pushed, pulled, retried, ticked, far, cancelled];
}

function together(a: Meter, b: Meter): Meter {
  const sum = Object.fromEntries(BILLED.map((what) => [what, a[what] + b[what]])) as Record<Billed, number>;
  const notes = { ...a.notes };
  for (const [note, count] of Object.entries(b.notes)) notes[note] = (notes[note] ?? 0) + count;
  return { ...sum, notes };
}

function billOf(name: string, meter: Meter, jobs: number): Bill {
  const used = Object.fromEntries(BILLED.map((what) => [what, meter[what] / jobs])) as Record<Billed, number>;
  const notes = Object.fromEntries(Object.entries(meter.notes).map(([note, count]) => [note, count / jobs]));
  return { name, used, dollarsPerMillion: perMillion(used), notes };
}
