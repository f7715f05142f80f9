// The parts of a verdict: sentences with a tone, in which names are marked as code. Pure.

import { formatNumber } from "../../ui/number-format.ts";
import type { Handler } from "./overview-answer.ts";

/** A piece of a sentence: plain words, or the name of something. */
export type Part = string | { readonly name: string };

export interface Finding {
  /** `bad`: act now. `warn`: look at it. `good`, `quiet`: nothing to do. */
  readonly tone: "bad" | "warn" | "good" | "quiet";
  readonly parts: readonly Part[];
  /** Where to look: a screen and its query. */
  readonly leadsTo?: { readonly path: string; readonly query?: Readonly<Record<string, string>> };
}

/** Handlers that one sentence names. */
const MAX_NAMED = 2;

export function named(handlers: readonly Handler[]): Part[] {
  const shown = handlers.slice(0, MAX_NAMED);
  const more = handlers.length - shown.length;
  return [
    ...shown.flatMap(({ handler }, i): Part[] => [
      ...(i === 0 ? [] : [more === 0 ? " and " : ", "]),
      { name: handler },
    ]),
    ...(more > 0 ? [` and ${more} more`] : []),
  ];
}

/** `1 job`, `1,200 jobs` */
export const count = (n: number, noun: string): string => `${formatNumber(n)} ${noun}${n === 1 ? "" : "s"}`;
