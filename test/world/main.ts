// `npm run world`: worlds, one after the other, each from its seed, until the time is over or one fails.
//
//   npm run world                          a minute of new seeds
//   npm run world -- --minutes 30          longer
//   npm run world -- --gate                the seeds of the gate: fixed ones, then those of the day
//   npm run world -- --seed 7 --trace      one world and its history; --about <id> shows the lines of one job
//   npm run world -- --faults              the known faults, put back one by one; --write writes their table
//   npm run world -- --crowd 50000         how fast it is

import { parseArgs } from "node:util";
import { buildDashboard } from "../../dashboard/build.ts";
import { share } from "./crew.ts";
import { crowd } from "./crowd.ts";
import { bundlesOf } from "./deployments.ts";
import { shown } from "./history.ts";
import { hunt, writeTable } from "./hunt.ts";
import { commandOf, shortened } from "./shorten.ts";
import { FAULTS, type Fault } from "./weather.ts";
import { live, type Outcome, type Plan } from "./world.ts";

await buildDashboard(); // the bundle carries it

const DAY_MS = 86_400_000;

/** Every gate runs the fixed seeds and as many of the day, as far as the time allows. */
const FIXED_SEEDS = 25;
const SEEDS_OF_THE_DAY = 25;
const GATE_SECONDS = 45;

/** A failing world is shortened for so long. */
const SHORTEN_SECONDS = 60;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    from: { type: "string" },
    minutes: { type: "string", default: "1" },
    gate: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    about: { type: "string", default: "" },
    without: { type: "string", multiple: true, default: [] },
    faults: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
    crowd: { type: "string" },
  },
});

const isFault = (name: string): name is Fault => FAULTS.some((fault) => fault === name);
const without = {
  withoutFaults: new Set(values.without.filter(isFault)),
  withoutPeople: new Set(values.without.filter((name) => !isFault(name))),
};

if (values.faults) {
  const found = await hunt(values.only, Number(values.from ?? 1), 60 * Number(values.minutes), (one) => {
    if (values.write) writeTable([one]);
  });
  process.exitCode = found.every(({ seeds }) => seeds !== null) ? 0 : 1;
} else if (values.crowd !== undefined) await crowd(Number(values.crowd));
else if (values.seed !== undefined) await one(Number(values.seed));
else await many();

async function one(seed: number): Promise<void> {
  const bundles = await bundlesOf("present");
  const outcome = await live({ seed, bundles, isTraced: values.trace, ...without });
  if (values.trace) console.log(shown(outcome.lines, outcome.startsAt, values.about));
  console.log(summary([outcome], 0));
  tell(outcome);
  process.exitCode = outcome.violations.length > 0 ? 1 : 0;
}

async function many(): Promise<void> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1_000;
  const limit = values.gate ? GATE_SECONDS : 60 * Number(values.minutes);
  const outcomes: Outcome[] = [];
  function* plans(): Generator<Omit<Plan, "bundles">> {
    for (const seed of seeds()) {
      if (seconds() > limit) return;
      yield { seed, ...without };
    }
  }
  await share(plans(), (outcome: Outcome) => {
    outcomes.push(outcome);
    return outcome.violations.length === 0;
  });
  const failed = outcomes.find(({ violations }) => violations.length > 0);
  if (failed) {
    tell(failed);
    const plan: Plan = { seed: failed.seed, bundles: await bundlesOf("present"), ...without };
    const smallest = await shortened(plan, failed, SHORTEN_SECONDS);
    console.log(`\nThe same with as little as possible: ${commandOf(smallest.plan)}`);
    tell(smallest.outcome);
    process.exitCode = 1;
  }
  console.log(summary(outcomes, seconds()));
  if (failed) console.log(`\nSeed ${failed.seed} fails.`);
}

function* seeds(): Generator<number> {
  const ofTheDay = 1_000_000 + 10_000 * (Math.floor(Date.now() / DAY_MS) % 10_000);
  const first = Number(values.from ?? (values.gate ? 1 : ofTheDay + Math.floor((Date.now() % DAY_MS) / 10_000)));
  const most = values.gate ? FIXED_SEEDS + SEEDS_OF_THE_DAY : Number.POSITIVE_INFINITY;
  for (let n = 0; n < most; n++) yield values.gate && n >= FIXED_SEEDS ? ofTheDay + n : first + n;
}

function tell({ seed, violations, faults, people }: Outcome): void {
  if (violations.length === 0) return;
  console.log(`Seed ${seed}: ${faults.join(", ") || "no faults"}; ${people.join(", ")}`);
  for (const { rule, what } of violations.slice(0, 10)) console.log(`  ${rule}\n      ${what.slice(0, 600)}`);
}

/** How often each thing happened: a world in which nothing happens proves nothing. */
function summary(outcomes: readonly Outcome[], seconds: number): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes)
    for (const [kind, count] of outcome.counts) counts.set(kind, (counts.get(kind) ?? 0) + count);
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((all, outcome) => all + of(outcome), 0);
  const rows = [...counts].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${String(count).padStart(9)} ${kind}`);
  const idle = outcomes.filter(({ lives }) => lives === 0).map(({ seed }) => seed);
  const [lives, hours] = [sum((one) => one.lives), sum((one) => one.virtualMs) / 3_600_000];
  const head = `${outcomes.length} worlds, ${lives} jobs, ${hours.toFixed(1)} virtual hours, ${seconds.toFixed(0)} s; hash ${outcomes.at(-1)?.hash}`;
  return [head, ...rows, ...(idle.length > 0 ? [`Nothing happened in ${idle.join(", ")}.`] : [])].join("\n");
}
