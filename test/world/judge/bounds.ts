// What objects keep is bounded, whatever goes wrong: a record does not grow with the time that the read model is away, and while it is
// well, attempts that it knows are let go.

import type { StoredObject } from "../platform/stored-object.ts";
import type { World } from "../world.ts";

const SECOND = 1_000;
const LOOK_EVERY_MS = 7 * SECOND;

/** The payloads here are small, so this is what an owner adds to them: its attempts, and the ends it has not told. */
const MOST_BYTES = 16_000;
/** The newest attempt, the one before until its report is heard of, and one that was reported just when the newest began. */
const MOST_ATTEMPTS = 3;
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
  const { executions = [], untold = [] } = (stored.get("state") ?? {}) as {
    executions?: unknown[];
    untold?: unknown[];
  };
  if (climate.size === 0 && executions.length > MOST_ATTEMPTS) violated(`${executions.length} attempts`);
  if (untold.length > MOST_UNTOLD) violated(`${untold.length} ends untold`);
}
