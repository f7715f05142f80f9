// What the tests run against. Swap it for the real service's `fetch` to run the same guarantees on that.

import { FakeChronos } from "./fake-chronos.ts";

export function appUnderTest(clock?: { aheadMs: number }): FakeChronos {
  return new FakeChronos(clock);
}
