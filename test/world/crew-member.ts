// One process of a crew: it lives worlds, or looks for a fault.

import { bundlesOf } from "./deployments.ts";
import { KNOWN_FAULTS } from "./faults/faults.ts";
import { huntOne } from "./hunt.ts";
import { live, type Plan } from "./world.ts";

export type Task = Omit<Plan, "bundles"> | Hunted;

/** A known fault and the seeds to look for it in. */
export interface Hunted {
  readonly fault: string;
  readonly from: number;
  /** When to give up, in epoch milliseconds. */
  readonly until: number;
}

const present = await bundlesOf("present");

process.on("message", async (task: Task) => {
  process.send?.("fault" in task ? await hunted(task) : await live({ ...task, bundles: present }));
});

async function hunted({ fault: name, from, until }: Hunted) {
  const fault = KNOWN_FAULTS.find((one) => one.name === name);
  if (!fault) throw new Error(`no fault is called ${name}`);
  return huntOne(fault, present, from, until);
}
