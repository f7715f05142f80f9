// What may befall objects, and what they need of the world around them.

import type { Chance } from "./chance.ts";
import type { Isolate } from "./isolate.ts";
import type { Timeline } from "./timeline.ts";

/** What befalls one call. */
export interface CallFate {
  /** Milliseconds there and back. */
  readonly there: number;
  readonly back: number;
  readonly lost: "call" | "answer" | null;
  /** The platform refuses it. */
  readonly overloaded: boolean;
}

/** What an object is before something is delivered to it: never used, stored, or in memory. */
export type Readiness = "new" | "cold" | "warm";

/** What goes wrong with objects; everything is asked for at the moment it would happen. */
export interface ObjectFates {
  call(from: string, to: string, method: string): CallFate;
  /** How much later than it is set for an alarm rings; null: it is lost. */
  alarm(name: string): number | null;
  /** How long a commit takes to be on disk. */
  commitMs(name: string): number;
  /** Whether the instance dies at this moment: as something is delivered to it, or when that has been done. */
  dies(name: string, moment: "before" | "after", what: string): boolean;
  /** How long a call or an alarm waits for the object's thread, its own time included; null: it is refused. */
  waits?(name: string, what: string, readiness: Readiness): number | null;
  /** The object has begun to write. */
  writes?(name: string): void;
}

export interface ObjectsAround {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly fates: ObjectFates;
  /** Where the next instance is made. */
  home(name: string): Isolate;
  /** For the history. */
  note(kind: "died" | "evicted" | "alarm-lost" | "alarm-dropped" | "alarm-threw", name: string): void;
}
