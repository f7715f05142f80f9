// How fast the world is: many jobs, due over a day, in a world without faults. Each has to come once, on time and signed; in the end all
// of them are listed as completed and counted, their rows were written no more often than the bill says, and their objects are gone.

import { History } from "./history.ts";
import { bodyOf, Ledger, type Tenant } from "./judge/ledger.ts";
import { checkSignature } from "./judge/starts.ts";
import { newTenant } from "./people/tenants.ts";
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

/** Updates of a job's row: its end. One in a hundred may come once more, where an answer is slow. */
const MOST_WRITES = 1.01;

export async function crowd(jobs: number): Promise<void> {
  const dueAt = new Map<number, number>();
  const wrong: string[] = [];
  let arrived = 0;
  let memory = 0;
  let isChecked = false;
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
      const tenant = tenants[Math.floor(payload.n / PER_BATCH) % ACCOUNTS];
      if (tenant) checkSignature(ledger, tenant, push);
      const due = dueAt.get(payload.n);
      dueAt.delete(payload.n);
      if (due === undefined) wrong.push(`job ${payload.n} comes again, or was not asked for`);
      else if (push.at < due || push.at > due + MOST_LATE_MS)
        wrong.push(`job ${payload.n} comes ${Math.round(push.at - due)} ms after it was due`);
      return { afterMs: 40, status: 200, body: "ok" };
    },
    note: (kind, about, more) => history.note(kind, about, more),
    log: (line) => {
      if (!line.startsWith('{"level":"info"')) wrong.push(`the service says ${line}`);
    },
  });
  const { timeline } = platform;
  const history = new History(() => timeline.now, false);
  const ledger = new Ledger(() => timeline.now);
  const tenants: Tenant[] = [];
  const pauseMs = (22 * HOUR) / (jobs / PER_BATCH);
  const create = async () => {
    for (let i = 0; i < ACCOUNTS; i++) {
      const made = await platform.call("POST", "/v1/admin/accounts", { key: ADMIN_TOKEN, body: { name: `a${i}` } });
      const { id, api_key, signing_secret } = made?.body.data ?? {};
      const tenant = Object.assign(newTenant(`a${i}`), { id, key: api_key });
      tenant.secrets.push({ secret: signing_secret, validUntil: Number.POSITIVE_INFINITY });
      tenants.push(tenant);
    }
    for (let n = 0; n * PER_BATCH < jobs; n++) {
      const body = { jobs: Array.from({ length: PER_BATCH }, (_, i) => jobOf(n * PER_BATCH + i)) };
      const asked = timeline.now;
      for (const { payload, delay } of body.jobs) dueAt.set(payload.n, asked + 1_000 * delay.value);
      const made = await platform.call("POST", "/v1/jobs/batch", { key: tenants[n % ACCOUNTS]?.key ?? "", body });
      if (made?.status !== 201) wrong.push(`a batch is answered ${made?.status}`);
      await timeline.sleep(pauseMs);
    }
  };
  const check = async () => {
    let completed = 0;
    for (const { key } of tenants) {
      const answer = await platform.call("GET", "/v1/overview?window=24h", { key });
      for (const bucket of answer?.body.data.buckets ?? []) completed += bucket.completed;
    }
    if (completed !== jobs) wrong.push(`the overview counts ${completed} completed jobs`);
    const listed = platform.d1.db.prepare("SELECT count(*) AS n FROM jobs WHERE status = 'completed'").get();
    if (listed?.n !== jobs) wrong.push(`${listed?.n} jobs are listed as completed`);
    const written = platform.d1.written.get("update jobs") ?? 0;
    if (written > MOST_WRITES * jobs) wrong.push(`${written} updates of jobs`);
    for (const [name] of platform.objects.stored()) if (name.startsWith("JobObject ")) wrong.push(`${name} is there`);
    isChecked = true;
  };
  void create();
  timeline.at(STARTS_AT + 23.5 * HOUR, () => void check());
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  await timeline.run(STARTS_AT + 24 * HOUR);
  const cpu = process.cpuUsage(cpuBegan);
  const cpuSeconds = (cpu.user + cpu.system) / 1_000_000;
  const seconds = (performance.now() - began) / 1_000;
  if (!isChecked) wrong.push("the end of the day has not been looked at");
  for (const { rule, what } of ledger.violations) wrong.push(`${rule}: ${what}`);
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
