// `npm run world`: worlds, one after the other, each from its seed.
import { parseArgs } from "node:util";
import { shown } from "./history.ts";
import { bundle } from "./platform/bundle.ts";
import { live } from "./world.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    from: { type: "string" },
    count: { type: "string" },
    trace: { type: "boolean", default: false },
    job: { type: "string" },
  },
});
const present = await bundle("present");
const from = Number(values.seed ?? values.from ?? 1);
const count = values.seed ? 1 : Number(values.count ?? 20);
for (let seed = from; seed < from + count; seed++) {
  const began = performance.now();
  const cpu = process.cpuUsage().user;
  const outcome = await live({ seed, bundles: [present], isTraced: values.trace });
  const ms = performance.now() - began;
  console.log(
    seed,
    outcome.hash,
    `${outcome.lives} lives, ${outcome.events} events, ${Math.round(outcome.virtualMs / 60000)} min in ${Math.round(ms)} ms (cpu ${Math.round((process.cpuUsage().user - cpu) / 1000)}),`,
    outcome.violations.length,
    "violations",
    outcome.faults.join(" "),
  );
  for (const { rule, what } of outcome.violations.slice(0, 5)) console.log("   ", rule, "|", what.slice(0, 400));
  if (values.trace) console.log(shown(outcome.lines, outcome.startsAt, values.job));
}
