// What the simulated Cloudflare takes and allows, each figure with its source. Ceilings are as good as these: the ones that are
// assumed are said to be, and the ceilings are given for a cheap and a dear write as well.

export type Source =
  /** A sentence of a page. */
  | { readonly kind: "documented"; readonly page: keyof typeof PAGES; readonly says: string }
  /** By us, as it says. */
  | { readonly kind: "measured"; readonly how: string }
  | { readonly kind: "assumed"; readonly why: string };

/** Cloudflare's pages, read in November 2026. */
export const PAGES = {
  "D1: limits": "https://developers.cloudflare.com/d1/platform/limits/",
  "Durable Objects: FAQ": "https://developers.cloudflare.com/durable-objects/reference/faq/",
  "Durable Objects: rules":
    "https://developers.cloudflare.com/durable-objects/best-practices/rules-of-durable-objects/",
  "Durable Objects: namespace": "https://developers.cloudflare.com/durable-objects/api/namespace/",
  "Durable Objects: troubleshooting":
    "https://developers.cloudflare.com/durable-objects/observability/troubleshooting/",
  "Workers: limits": "https://developers.cloudflare.com/workers/platform/limits/",
  "Queues: limits": "https://developers.cloudflare.com/queues/platform/limits/",
  "How Queues is built": "https://blog.cloudflare.com/how-we-built-cloudflare-queues/",
  "Browser Run on containers": "https://blog.cloudflare.com/browser-run-containers/",
} as const;

interface Parameter {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly source: Source;
}

const documented = (page: keyof typeof PAGES, says: string): Source => ({ kind: "documented", page, says });
const measured = (how: string): Source => ({ kind: "measured", how });
const assumed = (why: string): Source => ({ kind: "assumed", why });

const SAME_REGION = assumed("Worker, database and objects in one region; moves latencies, and no ceiling");

export const CLOUDFLARE = {
  // D1. It does one call at a time, whatever waits.
  d1WayMs: { value: 4, unit: "ms", what: "one way between code and D1", source: SAME_REGION },
  d1ReadMs: {
    value: 0.5,
    unit: "ms",
    what: "D1 is busy with a call that only reads",
    source: documented("D1: limits", "a read with an appropriate index takes less than a millisecond"),
  },
  d1WriteMs: {
    value: 3,
    unit: "ms",
    what: "D1 is busy with a call that writes",
    source: documented("D1: limits", "writes “can take several milliseconds”; 3 is our reading of several"),
  },
  d1StatementMs: {
    value: 0.015,
    unit: "ms",
    what: "more for each further statement of a batch",
    source: measured("SQLite in memory, the service's own batches of a report"),
  },
  d1RowMs: {
    value: 0.045,
    unit: "ms",
    what: "more for each further row written in a call",
    source: measured("SQLite in memory, the service's own inserts of 100 jobs"),
  },
  d1MayWait: {
    value: 1_000,
    unit: "calls",
    what: "wait at D1 before it says overloaded",
    source: assumed("“will first attempt to queue them”, then “overloaded” (D1: limits); the length is not documented"),
  },
  // Objects. Each has one thread.
  callWayMs: { value: 2, unit: "ms", what: "one way between code and an object", source: SAME_REGION },
  objectCallMs: {
    value: 1.6,
    unit: "ms",
    what: "an object is busy with a call or an alarm",
    source: documented("Durable Objects: rules", "JSON parsing and validation: 500 to 750 requests a second; 625"),
  },
  objectWriteMs: {
    value: 1.25,
    unit: "ms",
    what: "more when it writes to its storage",
    source: documented("Durable Objects: rules", "storage writes: 200 to 500 requests a second; 350 with the call"),
  },
  objectMayWait: {
    value: 1_000,
    unit: "calls",
    what: "wait at an object before it is overloaded",
    source: assumed("“Too many requests queued” (Durable Objects: troubleshooting); the number is not documented"),
  },
  makingMs: {
    value: 100,
    unit: "ms",
    what: "more for the first call to a name",
    source: documented(
      "Durable Objects: namespace",
      "the check that no other location has it takes “up to a few hundred milliseconds”",
    ),
  },
  wakingMs: {
    value: 10,
    unit: "ms",
    what: "more for an object that is not in memory",
    source: assumed("its constructor and one read of its storage; moves latencies, and no ceiling"),
  },
  commitMs: {
    value: 8,
    unit: "ms",
    what: "until a write of an object is confirmed, and what leaves it may leave",
    source: assumed("copies in several data centers near by, as with D1; moves latencies, and no ceiling"),
  },
  alarmLateMs: {
    value: 5,
    unit: "ms",
    what: "an alarm rings after its moment",
    source: assumed("a few milliseconds; alarms that are late by up to a minute, which happens, are left out"),
  },
  // Workers. There is no limit to how many run.
  clientWayMs: {
    value: 20,
    unit: "ms",
    what: "one way between a client and the Worker",
    source: assumed("a client of the same continent; moves no ceiling"),
  },
  isolates: {
    value: 16,
    unit: "isolates",
    what: "the Worker and its objects run in",
    source: assumed("Workers scale by themselves; each isolate spreads a crowd by what it has armed itself"),
  },
  connections: {
    value: 6,
    unit: "calls",
    what: "may be open at a time for one request",
    source: documented(
      "Workers: limits",
      "six simultaneous open connections of one invocation, D1's among them; that calls to objects count as well is assumed",
    ),
  },
  // Queues: the detour of executions whose PullQueue is busy.
  queueSendMs: {
    value: 60,
    unit: "ms",
    what: "to send a message",
    source: documented("How Queues is built", "median latency for sending messages about 60 ms"),
  },
  queuePerSecond: {
    value: 5_000,
    unit: "messages/s",
    what: "one queue takes",
    source: documented("Queues: limits", "5,000 messages a second, then “Too Many Requests”"),
  },
  // The way out.
  targetMs: {
    value: 50,
    unit: "ms",
    what: "a target takes to answer a push",
    source: assumed("a quick receiver; an object waits for it, and nobody else"),
  },
} as const satisfies Record<string, Parameter>;

export type Name = keyof typeof CLOUDFLARE;

/** One machine instead of one thread for each object. */
export interface Figures extends Readonly<Record<Name, number>> {
  /** All objects and the Worker share one thread, which a request to the Worker keeps busy for so long; null: each has its own. */
  readonly sharedThreadMs: number | null;
}

export const FIGURES: Figures = {
  ...(Object.fromEntries(Object.entries(CLOUDFLARE).map(([name, { value }]) => [name, value])) as Record<Name, number>),
  sharedThreadMs: null,
};

/** Ceilings are found for these as well: as Cloudflare reckons in one of its posts (Browser Run on containers), and longer than we do. */
export const OTHER_WRITES_MS = [1, 5];

/** No rate is documented for making objects, only that there is one: the model has none. */
export const UNKNOWN =
  "“There is a limit on how quickly you can create new stubs for new or existing Durable Objects” (Durable Objects: troubleshooting), without a number: the model has no such limit.";

export function sourceOf({ kind, ...source }: Source): string {
  if ("page" in source) return `[${source.page}](${PAGES[source.page]}): ${source.says}`;
  return "how" in source ? `measured by us: ${source.how}` : `assumed: ${source.why}`;
}
