// What objects keep is bounded, whatever goes wrong: a record does not grow with the time that the read model is away, and while it is
// well, attempts that it knows are let go. So are lines: nobody stands in one who has been served, and a projector has few in its room.

import type { StoredObject } from "../platform/stored-object.ts";
import type { World } from "../world.ts";
import type { Ledger } from "./ledger.ts";

const SECOND = 1_000;
const LOOK_EVERY_MS = 7 * SECOND;

/** The payloads here are small, so this is what an owner adds to them: its attempts, and the ends it has not told. */
const MOST_BYTES = 16_000;
/** The newest attempt, the one before until its report is heard of, and one more that is let go with the next write. */
const MOST_ATTEMPTS = 3;
/** Nothing is stored of an account while a move freezes it, for seconds. */
const MORE_WHILE_FROZEN = 2;
const MOST_UNTOLD = 3;
/** Calls that a projector answers later: there are no more owners in a world. */
const MOST_IN_THE_ROOM = 300;

/** Looks again and again until the world closes. */
export function watchBounds(world: World): void {
  world.platform.timeline.after(LOOK_EVERY_MS, () => {
    for (const [name, stored] of world.platform.objects.stored()) look(world, name, stored);
    for (const { name, pending } of world.platform.objects.live())
      if (name.startsWith("Projector ") && pending > MOST_IN_THE_ROOM)
        world.ledger.violated("a line is bounded", `${name} has ${pending} in its room`);
    world.note("measured", "");
    if (world.isOpen) watchBounds(world);
  });
}

/** All has ended: nobody waits. */
export function checkLines({ climate, ledger, platform }: World): void {
  if (climate.size > 0) return;
  for (const [name, stored] of platform.objects.stored())
    if (lengthOf(name, stored) > 0) ledger.violated("a line is bounded", `${name} is ${lengthOf(name, stored)} long`);
}

const lengthOf = (name: string, stored: StoredObject): number =>
  name.startsWith("PullQueue ") && stored.hasTables
    ? Number(stored.exec("SELECT count(*) AS n FROM waiting")[0]?.n)
    : 0;

/** How many executions its workers can have been meant to take: those they were given, and one for each job. */
const mostInLine = ({ wishes, jobs }: Ledger): number =>
  wishes.length + [...jobs.values()].reduce((all, { starts }) => all + 1 + starts.length, 0);

export function look(
  { climate, hasMoves, ledger }: Pick<World, "climate" | "hasMoves" | "ledger">,
  name: string,
  stored: StoredObject,
): void {
  const violated = (what: string) => ledger.violated("what an object keeps is bounded", `${name} keeps ${what}`);
  let bytes = 0;
  for (const value of stored.values.values()) bytes += value.length;
  if (bytes > MOST_BYTES) violated(`${bytes} bytes`);
  const length = lengthOf(name, stored);
  if (length > mostInLine(ledger)) ledger.violated("a line is bounded", `${name} is ${length} long`);
  if (!name.startsWith("JobObject ")) return;
  const { executions = [], untold = [] } = (stored.get("state") ?? {}) as {
    executions?: unknown[];
    untold?: unknown[];
  };
  const mostAttempts = MOST_ATTEMPTS + (hasMoves ? MORE_WHILE_FROZEN : 0);
  if (climate.size === 0 && executions.length > mostAttempts) violated(`${executions.length} attempts`);
  if (untold.length > MOST_UNTOLD) violated(`${untold.length} ends untold`);
}
