// A fault as it is kept: what it is called, which rule it breaks, and the change of the source that makes it.

import type { Change } from "../platform/bundle.ts";

export interface KnownFault {
  readonly name: string;
  /** The rule of ARCHITECTURE.md that it breaks, or a promise of RELIABILITY.md in a word; 0 for what is none of those. */
  readonly rule: number | string;
  readonly changes: readonly Change[];
  /** Weather and people without which it does not come out: other worlds are not asked. */
  readonly needs?: readonly string[];
}

export const fault = (
  rule: number | string,
  name: string,
  file: string,
  from: string,
  to: string,
  ...needs: readonly string[]
): KnownFault => ({ name, rule, changes: [{ file, from, to }], needs });
