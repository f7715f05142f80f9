// A world that fails is told with as few people and faults as possible: each is left out in turn, as long as the same rule is still
// broken.

import type { Fault } from "./weather.ts";
import { live, type Outcome, type Plan } from "./world.ts";

/** @param seconds how long this may take */
export async function shortened(
  plan: Plan,
  first: Outcome,
  seconds: number,
): Promise<{ plan: Plan; outcome: Outcome }> {
  const until = performance.now() + seconds * 1_000;
  const rule = first.violations[0]?.rule;
  let best: { plan: Plan; outcome: Outcome } = { plan: { ...plan, stopsAtViolation: true }, outcome: first };
  const tries: Partial<Plan>[] = [];
  for (const fault of first.faults) tries.push({ withoutFaults: new Set([fault]) });
  for (const person of first.people) tries.push({ withoutPeople: new Set([person]) });
  for (const { withoutFaults = new Set<Fault>(), withoutPeople = new Set<string>() } of tries) {
    if (performance.now() > until) break;
    const smaller: Plan = {
      ...best.plan,
      withoutFaults: new Set([...(best.plan.withoutFaults ?? []), ...withoutFaults]),
      withoutPeople: new Set([...(best.plan.withoutPeople ?? []), ...withoutPeople]),
    };
    const outcome = await live(smaller);
    if (outcome.violations[0]?.rule === rule) best = { plan: smaller, outcome };
  }
  return best;
}

/** How to run it again. */
export function commandOf({ seed, withoutFaults, withoutPeople }: Plan): string {
  const without = [...(withoutFaults ?? []), ...(withoutPeople ?? [])].map((name) => ` --without ${name}`).join("");
  return `npm run world -- --seed ${seed}${without} --trace`;
}
