// `npm run test:faults`: the service is started, killed, lied to and besieged, and must keep what it promised. Prints its
// seed first and a table last. `--quick` is a cut of it, as the gate runs it; `--seed <n>` repeats a run; `--only combined` runs one third of it.

import { parseArgs } from "node:util";
import { quietPort } from "../harness/quiet-port.ts";
import { OwnService } from "../harness/service.ts";
import { searchLog } from "./canaries.ts";
import { type CombinedPlan, combine } from "./combined/combined.ts";
import { countUnderKills } from "./counted/counted.ts";
import { table } from "./harness/table.ts";
import { intrude } from "./intruders/intruders.ts";
import { walkBesideReference } from "./model/model.ts";
import type { Part } from "./part.ts";
import { announceUnderKills } from "./process/events.ts";
import { limitUnderKills } from "./process/flows.ts";
import { killUnderLoad } from "./process/process.ts";
import { besetByTargets } from "./targets/targets.ts";
import { runTests } from "./tests.ts";

const FULL = {
  process: { rounds: 20, tenants: 6, keysEach: 4, jobsPerSecond: 12 },
  events: { jobs: 500, kills: 5 },
  flows: { jobs: 1_000, kills: 20 },
  counted: { jobs: 2_000, kills: 3 },
  combined: { accounts: 40, jobs: 20_000, seconds: 300, kills: 10, frozenSeconds: 60, moves: 3 } satisfies CombinedPlan,
  copies: 5,
  walk: { steps: 400, kills: 6 },
  requests: 20_000,
};
const QUICK = {
  process: { rounds: 2, tenants: 3, keysEach: 2, jobsPerSecond: 8 },
  events: { jobs: 60, kills: 1 },
  flows: { jobs: 150, kills: 1 },
  counted: { jobs: 200, kills: 1 },
  combined: { accounts: 8, jobs: 320, seconds: 20, kills: 2, frozenSeconds: 8, moves: 1 } satisfies CombinedPlan,
  copies: 1,
  walk: { steps: 80, kills: 1 },
  requests: 1_500,
};

/** It is given the time to say its last words. */
const STOP_MS = 60_000;

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, seed: { type: "string" }, only: { type: "string" } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const plan = values.quick ? QUICK : FULL;
const startedAt = Date.now();
const seconds = () => Math.round((Date.now() - startedAt) / 1_000);
const parts: Part[] = [];
const leaks: string[] = [];

function done(part: Part): void {
  parts.push(part);
  console.log(`${seconds()} s: ${part.rows.map(({ fault }) => fault).join(", ")}: ${part.faults.length} faults`);
}

async function onOneService(): Promise<void> {
  const service = new OwnService({ port: await quietPort() });
  try {
    await service.ready();
    done(await intrude(service));
    // While the last jobs recover from the kills there is time for the targets.
    const targets = async () => done(await besetByTargets(service, plan.copies));
    done(await killUnderLoad(service, plan.process, seed, targets));
    done(await announceUnderKills(service, plan.events, seed));
    done(await limitUnderKills(service, plan.flows, seed));
    done(await countUnderKills(service, plan.counted, seed));
    done(await walkBesideReference(service, plan.walk, seed));
  } finally {
    await service.terminate(STOP_MS);
    const secrets = parts.flatMap((part) => part.secrets);
    leaks.push(...searchLog(service.log, secrets));
    await service.stop();
  }
}

const THIRDS = {
  service: onOneService,
  combined: async () => done(await combine(plan.combined, seed)),
  tests: async () => done(await runTests(plan.requests, seed)),
};
const names = Object.keys(THIRDS) as (keyof typeof THIRDS)[];
const chosen = names.filter((name) => name === (values.only ?? name));
if (chosen.length === 0) throw new Error(`--only: ${names.join(", ")}`);

console.log(`seed ${seed}${values.quick ? ", quick" : ""}`);
// The full load takes the machine for itself. The cut mostly waits, and its thirds run beside each other.
const ends: PromiseSettledResult<void>[] = [];
if (values.quick) ends.push(...(await Promise.allSettled(chosen.map((name) => THIRDS[name]()))));
else for (const name of chosen) ends.push(...(await Promise.allSettled([THIRDS[name]()])));
const broken = ends.flatMap((end) => (end.status === "rejected" ? [`it broke off: ${end.reason?.stack}`] : []));

const faults = [...parts.flatMap((part) => part.faults), ...leaks, ...broken];
console.log(`\n${table(parts.flatMap((part) => part.rows))}\n`);
for (const fault of faults) console.error(`FAULT: ${fault}`);
const verdict = faults.length === 0 ? "nothing lost, nothing early, nothing leaked" : `${faults.length} faults`;
console.log(`${seconds()} s, seed ${seed}: ${verdict}`);
process.exit(faults.length === 0 ? 0 : 1);
