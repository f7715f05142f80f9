// How fast the world is: many jobs, due over a day, in a world without faults.

import { bundle } from "./platform/bundle.ts";
import { Chance } from "./platform/chance.ts";
import { ADMIN_TOKEN, Platform } from "./platform/platform.ts";
import { Weather } from "./weather.ts";

const HOUR = 3_600_000;
const STARTS_AT = Date.UTC(2030, 0, 15);
const PER_BATCH = 100;
const ACCOUNTS = 20;

export async function crowd(jobs: number): Promise<void> {
  let arrived = 0;
  const platform = new Platform({
    seed: 1,
    startsAt: STARTS_AT,
    bundles: [await bundle("present")],
    fates: (timeline) => new Weather(timeline, new Map(), new Chance(1), STARTS_AT),
    arrives: () => {
      arrived += 1;
      return { afterMs: 40, status: 200, body: "ok" };
    },
    note: () => {},
    log: () => {},
  });
  const { timeline } = platform;
  const keys: string[] = [];
  const pauseMs = (22 * HOUR) / (jobs / PER_BATCH);
  const create = async () => {
    for (let i = 0; i < ACCOUNTS; i++) {
      const made = await platform.call("POST", "/v1/admin/accounts", { key: ADMIN_TOKEN, body: { name: `a${i}` } });
      keys.push(made?.body.data.api_key);
    }
    for (let n = 0; n * PER_BATCH < jobs; n++) {
      const body = { jobs: Array.from({ length: PER_BATCH }, (_, i) => jobOf(n * PER_BATCH + i)) };
      await platform.call("POST", "/v1/jobs/batch", { key: keys[n % ACCOUNTS] ?? "", body });
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
  console.log(
    `A day with ${arrived} deliveries: ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of one core, ${Math.round(arrived / cpuSeconds)} lives a second of it, ${timeline.happened} events.`,
  );
}

const jobOf = (n: number) => ({
  name: "one of many",
  payload: { n },
  delay: { value: 1 + (n % 60), unit: "second" },
  delivery: { type: "push", http: { url: "https://example.com/one", method: "POST" } },
});
