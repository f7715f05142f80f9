// What a walk asks for: contents, times and expiries, picked by chance, and as the reference has them.

import type { Chance } from "../harness/chance.ts";
import type { Asked } from "./reference.ts";

/** Longer than a walk: no lease ends on its own. */
const LEASE_SECONDS = [3_600, 7_200] as const;

/** Some are over within the walk, and one is far enough ahead to have no owner. */
const DELAYS = [1, 2, 3_600, 2 * 86_400] as const;
const EXPIRIES = [3, 3_600] as const;

/** As a body says it, and what it comes to. */
export interface Expiry {
  readonly body: { readonly expires_after?: { readonly value: number; readonly unit: "second" } | null };
  readonly ms: number | null;
}

type Field = keyof Asked;

/** One value of each field; null is said for what the default is. */
const VALUES: { readonly [F in Field]: (chance: Chance) => Asked[F] } = {
  name: (chance) => `name ${chance.between(1, 1_000)}`,
  handler: (chance) => chance.pick(["model", "another model"]),
  payload: (chance) => chance.pick([null, { n: chance.between(1, 1_000) }, { large: "x".repeat(2_000) }]),
  tags: (chance) => chance.pick([[], ["a"], [`t${chance.between(1, 9)}`, "b"]]),
  flow: (chance) => chance.pick([null, `flow ${chance.between(1, 3)}`]),
  timeout: (chance) => chance.pick(LEASE_SECONDS),
  max_retries: (chance) => chance.between(0, 3),
  backoff: (chance) => chance.pick([null, null, { type: "list", delays: [1] }, { type: "list", delays: [2, 1] }]),
};

export function aContent(chance: Chance): { asked: Asked; expiry: Expiry } {
  const asked = Object.fromEntries(Object.entries(VALUES).map(([field, value]) => [field, value(chance)])) as never;
  return { asked, expiry: chance.happens(25) ? someExpiry(chance) : { body: {}, ms: null } };
}

/** Some fields of a job, at least one. */
export function someFields(chance: Chance): Partial<Asked> {
  const fields = Object.keys(VALUES) as Field[];
  const named = new Set(Array.from({ length: chance.between(1, 4) }, () => chance.pick(fields)));
  return Object.fromEntries([...named].map((field) => [field, VALUES[field](chance)]));
}

export const someTime = (chance: Chance) => ({
  body: { delay: { value: chance.pick(DELAYS), unit: "second" } },
});

export function someExpiry(chance: Chance): Expiry {
  const seconds = chance.pick([null, ...EXPIRIES]);
  const value = seconds === null ? null : { value: seconds, unit: "second" as const };
  return { body: { expires_after: value }, ms: seconds === null ? null : seconds * 1_000 };
}
