// The pause before a report is repeated: up to four fifths are left out, so that owners that failed together do not come again together.

import { expect } from "vitest";

export function expectPause(until: number | null | undefined, whole: number): void {
  const pause = (until ?? 0) - Date.now();
  expect(pause).toBeGreaterThanOrEqual(whole / 5);
  expect(pause).toBeLessThanOrEqual(whole);
}
