// `npm run test:faults`: the service is started, killed, lied to and besieged, and must keep what it promised. Prints its
// seed first and a table last. `--quick` is a cut of about a minute, `--seed <n>` repeats a run.

import { parseArgs } from "node:util";
import { searchLogs } from "./canaries.ts";
import { Service } from "./harness/service.ts";
import { table } from "./harness/table.ts";
import type { Part } from "./part.ts";
import { killUnderLoad } from "./process/process.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const plan = values.quick
  ? { rounds: 2, tenants: 3, keysEach: 2, jobsPerSecond: 8 }
  : { rounds: 20, tenants: 6, keysEach: 4, jobsPerSecond: 12 };

const startedAt = Date.now();
console.log(`seed ${seed}${values.quick ? ", quick" : ""}`);

const service = await Service.start();
const parts: Part[] = [];
const faults: string[] = [];
try {
  parts.push(await killUnderLoad(service, plan, seed, async () => {}));
  faults.push(...parts.flatMap((part) => part.faults));
  faults.push(
    ...searchLogs(
      service,
      parts.flatMap(({ secrets }) => secrets),
    ),
  );
} finally {
  await service.stop();
}

console.log(`\n${table(parts.flatMap((part) => part.rows))}\n`);
for (const fault of faults) console.error(`FAULT: ${fault}`);
const seconds = Math.round((Date.now() - startedAt) / 1_000);
console.log(
  `${seconds} s, seed ${seed}: ${faults.length === 0 ? "nothing lost, nothing early" : `${faults.length} faults`}`,
);
process.exit(faults.length === 0 ? 0 : 1);
