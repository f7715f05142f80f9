// The known faults, put back one by one: in how many seeds is each found? Writes the table of RELIABILITY.md. Seeds whose world cannot
// bring a fault out are counted and not run.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { share } from "./crew.ts";
import type { Hunted } from "./crew-member.ts";
import { bundlesOf } from "./deployments.ts";
import type { KnownFault } from "./faults/fault.ts";
import { KNOWN_FAULTS } from "./faults/faults.ts";
import { hasAll, natureOf } from "./nature.ts";
import type { Bundle } from "./platform/bundle.ts";
import { live } from "./world.ts";

const MOST_SEEDS = 300;

const RELIABILITY = join(import.meta.dirname, "../../RELIABILITY.md");
const [BEGIN, END] = ["<!-- known faults: begin -->", "<!-- known faults: end -->"];

export interface Found {
  readonly fault: KnownFault;
  /** How many seeds it took; null: it was not found. */
  readonly seeds: number | null;
  readonly rule: string;
}

/**
 * @param only a part of a fault's name, or all; `new`: those that the table does not have
 * @param heard is told of each at once
 * @param from the first seed
 */
export async function hunt(
  only: string,
  from: number,
  seconds: number,
  heard: (found: Found) => void,
): Promise<Found[]> {
  const until = Date.now() + seconds * 1_000;
  const found: Found[] = [];
  const wanted = KNOWN_FAULTS.filter(({ name }) =>
    only === "new" ? !readFileSync(RELIABILITY, "utf8").includes(`| ${name} |`) : name.includes(only),
  );
  const tasks = wanted.map(({ name }): Hunted => ({ fault: name, from, until }));
  await share(
    tasks,
    (one: Found) => {
      if (one.seeds === null && Date.now() > until) return false; // the time is over: nothing is known of it
      found.push(one);
      console.log(`${one.seeds ?? "not found"} | ${one.fault.name} | ${one.rule}`);
      heard(one);
      return true;
    },
    false,
  );
  return found;
}

export async function huntOne(
  fault: KnownFault,
  present: readonly Bundle[],
  from: number,
  until: number,
): Promise<Found> {
  const bundles = await bundlesOf(fault.name, fault.changes);
  let tried = from - 1;
  for (let seed = from; seed <= MOST_SEEDS && Date.now() < until; seed++) {
    tried = seed;
    if (!hasAll(natureOf(seed), fault.needs ?? [])) continue;
    const { violations } = await live({ seed, bundles, stopsAtViolation: true });
    const [violation] = violations;
    if (!violation) continue;
    // A seed that fails without the fault proves nothing.
    const { violations: own } = await live({ seed, bundles: present, stopsAtViolation: true });
    if (own.length === 0) return { fault, seeds: seed, rule: violation.rule };
    console.log(`seed ${seed} fails by itself: ${own[0]?.rule}`);
  }
  return { fault, seeds: null, rule: `not in ${tried} seeds` };
}

/** Rows of faults that were not looked for this time stay as they are. */
export function writeTable(found: readonly Found[]): void {
  const text = readFileSync(RELIABILITY, "utf8");
  const [before = "", rest = ""] = text.split(BEGIN);
  const [old = "", after = ""] = rest.split(END);
  const known = new Map(
    old.split("\n").flatMap((row) => (row.startsWith("| ") ? [[row.split(" | ")[1] ?? "", row]] : [])),
  );
  const rowOf = ({ fault, seeds, rule }: Found) =>
    `| ${fault.rule || "–"} | ${fault.name} | ${seeds ?? "not found"} | ${rule} |`;
  for (const one of found) known.set(one.fault.name, rowOf(one));
  const rows = KNOWN_FAULTS.flatMap(({ name }) => known.get(name) ?? []);
  const table = ["| rule | the fault | seed | the judge says it breaks |", "|---|---|---|---|", ...rows].join("\n");
  writeFileSync(RELIABILITY, `${before}${BEGIN}\n${table}\n${END}${after}`);
}
