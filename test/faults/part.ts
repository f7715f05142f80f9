// What a part of the suite comes to.

import type { Row } from "./harness/table.ts";

export interface Part {
  readonly rows: readonly Row[];
  /** What must not have been, in words; none when all is well. */
  readonly faults: readonly string[];
  /** What must not be found in any log. */
  readonly secrets: readonly string[];
}
