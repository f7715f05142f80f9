// The flows that the people of an account share.

import type { Chance } from "../platform/chance.ts";

/** Few, so that many meet in each. */
export const FLOW_KEYS = ["flow a", "flow b", "flow c"] as const;

export const someFlow = (chance: Chance): string => chance.pick(FLOW_KEYS);
