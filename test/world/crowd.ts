// How fast the world is: many jobs, due over a day, in a world without faults. Each has to come once, and on time.

import { History } from "./history.ts";
import { bodyOf } from "./judge/ledger.ts";
import { bundle } from "./platform/bundle.ts";
import { Chance } from "./platform/chance.ts";
import { ADMIN_TOKEN, Platform } from "./platform/platform.ts";
import { Weather } from "./weather.ts";

const HOUR = 3_600_000;
const STARTS_AT = Date.UTC(2030, 0, 15);
const PER_BATCH = 100;
const ACCOUNTS = 20;

/** Between the moment a job is due and its arrival, where nothing goes wrong. */
const MOST_LATE_MS = 2_000;

export async function crowd(jobs: number): Promise<void> {
  const dueAt = new Map<number, number>();
  const wrong: string[] = [];
  let arrived = 0;
  let memory = 0;
  const platform: Platform = new Platform({
    seed: 1,
    startsAt: STARTS_AT,
    bundles: [await bundle("present")],
    fates: (timeline) => new Weather(timeline, new Map(), new Chance(1), STARTS_AT),
    arrives: (push) => {
      arrived += 1;
      if (arrived % 500 === 0) memory = Math.max(memory, process.memoryUsage().rss);
      const { job_id, payload } = bodyOf(push);
      history.note("push", job_id, `${payload.n}`);
      const due = dueAt.get(payload.n);
      dueAt.delete(payload.n);
      if (due === undefined) wrong.push(`job ${payload.n} comes again, or was not asked for`);
      else if (push.at < due || push.at > due + MOST_LATE_MS)
        wrong.push(`job ${payload.n} comes ${Math.round(push.at - due)} ms after it was due`);
      return { afterMs: 40, status: 200, body: "ok" };
    },
    note: (kind, about, more) => history.note(kind, about, more),
    log: () => {},
  });
  const { timeline } = platform;
  const history = new History(() => timeline.now, false);
  const keys: string[] = [];
  const pauseMs = (22 * HOUR) / (jobs / PER_BATCH);
  const create = async () => {
    for (let i = 0; i < ACCOUNTS; i++) {
      const made = await platform.call("POST", "/v1/admin/accounts", { key: ADMIN_TOKEN, body: { name: `a${i}` } });
      keys.push(made?.body.data.api_key);
    }
    for (let n = 0; n * PER_BATCH < jobs; n++) {
      const body = { jobs: Array.from({ length: PER_BATCH }, (_, i) => jobOf(n * PER_BATCH + i)) };
      const asked = timeline.now;
      for (const { payload, delay } of body.jobs) dueAt.set(payload.n, asked + 1_000 * delay.value);
      const made = await platform.call("POST", "/v1/jobs/batch", { key: keys[n % ACCOUNTS] ?? "", body });
      if (made?.status !== 201) wrong.push(`a batch is answered ${made?.status}`);
      await timeline.sleep(pauseMs);
    }
  };
  void create();
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  await timeline.run(STARTS_AT + 24 * HOUR);
  const cpu = process.cpuUsage(cpuBegan);
  const cpuSeconds = (cpu.user + cpu.system) / 1_000_000;
  const seconds = (performance.now() - began) / 1_000;
  for (const n of dueAt.keys()) wrong.push(`job ${n} has not come`);
  console.log(
    `A day with ${arrived} deliveries: ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of one core, ${Math.round(arrived / cpuSeconds)} lives a second of it, ${timeline.happened} events; at most ${Math.round(memory / 2 ** 20)} MB; hash ${history.hash()}.`,
  );
  for (const what of wrong.slice(0, 10)) console.log(`  ${what}`);
  if (wrong.length > 0) process.exitCode = 1;
}

const jobOf = (n: number) => ({
  name: "one of many",
  payload: { n },
  delay: { value: 1 + (n % 60), unit: "second" },
  delivery: { type: "push", http: { url: "https://example.com/one", method: "POST" } },
});
