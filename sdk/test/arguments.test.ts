// What is surely a mistake is refused before anything is sent, and the message says what was probably meant.

import { expect, it } from "vitest";
import { Chronos, ChronosConfigError, type NewJob, verifySignature } from "../src/index.ts";
import { queueConsumer } from "../src/queue-consumer.ts";
import { setUp } from "./setup.ts";

type Call = (chronos: Chronos) => unknown;
/** As from JavaScript, where nobody checks. */
const loose = (value: unknown) => value as never;
const job = (fields: object): NewJob => loose({ name: "One", handler: "a", ...fields });
const weekly = { name: "Weekly", handler: "a", cron: "0 9 * * MON" };
const OPTIONS = { apiKey: "chrns_example", baseUrl: "https://chronos.example.com" };

const MISTAKES: [string, Call, string | RegExp][] = [
  [
    "a key in the API's spelling",
    (c) => c.jobs.create(job({ idempotency_key: "k" })),
    'did you mean "idempotencyKey"?',
  ],
  ["a time in the API's spelling", (c) => c.jobs.create(job({ scheduled_for: "x" })), 'did you mean "scheduledFor"?'],
  ["a misspelt field", (c) => c.jobs.create(job({ payLoad: {} })), 'did you mean "payload"?'],
  [
    "a field that resembles none",
    (c) => c.jobs.create(job({ priority: 1 })),
    /has no field "priority": it takes name, /,
  ],
  ["a misspelt field without a value", (c) => c.jobs.create(job({ maxRetry: undefined })), '"maxRetries"?'],
  ["no job at all", (c) => c.jobs.create(loose(undefined)), "A new job must be an object, not undefined"],
  ["null as a job", (c) => c.jobs.create(loose(null)), "must be an object, not null"],
  ["a list of jobs", (c) => c.jobs.create(loose([])), "must be an object, not an array"],
  ["null as a time", (c) => c.jobs.create(job({ scheduledFor: null })), /^scheduledFor must be .* not null/],
  ["a number as a time", (c) => c.jobs.create(job({ scheduledFor: 1e12 })), /^scheduledFor must be .* not a number/],
  ["an object as a time", (c) => c.jobs.create(job({ scheduledFor: {} })), /^scheduledFor must be .* not an object/],
  [
    "a Date that is none",
    (c) => c.jobs.create(job({ scheduledFor: new Date("x") })),
    "scheduledFor is not a valid date",
  ],
  ["a name with a space before it", (c) => c.jobs.create(job({ handler: " a" })), '" a" must not begin or end with'],
  ["a name with a line break", (c) => c.jobs.create(job({ handler: "a\n" })), '"a\\n" must not begin or end with'],
  ["a plural", (c) => c.jobs.list(loose({ statuses: ["failed"] })), 'did you mean "status"?'],
  ["a page among the filters", (c) => c.jobs.list(loose({ page: 2 })), 'has no field "page"'],
  ["null as a filter", (c) => c.jobs.list(loose({ handler: null })), "handler must not be null"],
  ["null as a status", (c) => c.jobs.list(loose({ status: null })), "status must not be null"],
  ["null as a bound", (c) => c.jobs.list(loose({ createdAfter: null })), /^createdAfter must be .* not null/],
  ["null as filters", (c) => c.jobs.list(loose(null)), "A list's filter must be an object, not null"],
  ["a misspelt page", (c) => c.jobs.list().page(loose({ pages: 2 })), 'did you mean "page"?'],
  ["null as a page", (c) => c.jobs.list().page(loose(null)), "must be an object, not null"],
  [
    "a schedule's misspelt field",
    (c) => c.schedules.create(loose({ ...weekly, timeZone: "UTC", stop: 1 })),
    '"timezone"?',
  ],
  ["null as an end", (c) => c.schedules.create(loose({ ...weekly, stopAt: null })), /^stopAt must be .* not null/],
  ["a schedule's padded name", (c) => c.schedules.create({ ...weekly, handler: "a " }), '"a " must not begin or end'],
  ["a change's misspelt field", (c) => c.schedules.update("id", loose({ max_retries: 1 })), '"maxRetries"?'],
  ["null as a change", (c) => c.schedules.update("id", loose(null)), "must be an object, not null"],
  [
    "a schedule's key in ensure()'s spec",
    (c) => c.schedules.ensure("k", loose({ ...weekly, idempotencyKey: "k" })),
    '"idempotencyKey"',
  ],
  ["no key", (c) => c.schedules.ensure("", weekly), "ensure() needs a key"],
  ["null as an end in a spec", (c) => c.schedules.ensure("k", loose({ ...weekly, stopAt: null })), /^stopAt must be/],
  ["a job's change in the API's spelling", (c) => c.jobs.update("id", loose({ max_retries: 1 })), '"maxRetries"?'],
  ["a key as a change", (c) => c.jobs.update("id", loose({ idempotencyKey: "k" })), 'no field "idempotencyKey"'],
  [
    "null as a change's time",
    (c) => c.jobs.update("id", loose({ scheduledFor: null })),
    /^scheduledFor must be .* not null/,
  ],
  ["a zone without a time", (c) => c.jobs.create(job({ timezone: "Europe/London" })), "timezone needs a scheduledFor"],
  [
    "a zone for a moment",
    (c) => c.jobs.create(job({ scheduledFor: new Date(0), timezone: "UTC" })),
    "timezone needs a sch",
  ],
  [
    "a replacement without a key",
    (c) => c.jobs.create(job({ onConflict: "replace" })),
    "onConflict needs an idempotencyKey",
  ],
  ["a quoted revision", (c) => c.jobs.update("id", {}, loose({ ifMatch: '"3"' })), "ifMatch must be the revision"],
  ["a revision of a call that knows none", (c) => c.jobs.cancel("id", loose({ ifMatch: 3 })), 'no field "ifMatch"'],
  ["one job as many", (c) => c.jobs.createMany(loose({ name: "One" })), "The jobs must be an array, not an object"],
  [
    "a misspelt field among many",
    (c) => c.jobs.createMany(loose([job({}), job({ tag: "a" })])),
    'did you mean "tags"?',
  ],
  [
    "a replacement among many",
    (c) => c.jobs.createMany([loose({ name: "One", handler: "a", idempotencyKey: "k", onConflict: "replace" })]),
    "createMany() knows no onConflict",
  ],
  ["null as a tag", (c) => c.jobs.list(loose({ tag: null })), "tag must not be null"],
  ["a bulk action on nothing", (c) => c.jobs.bulk(loose({ action: "cancel" })), "needs one of filter, jobIds and all"],
  [
    "a bulk action on two selections",
    (c) => c.jobs.bulk(loose({ action: "cancel", all: true, jobIds: [] })),
    "needs one of",
  ],
  [
    "an empty list in a bulk filter",
    (c) => c.jobs.bulk({ action: "cancel", filter: { handler: "a", tag: [] } }),
    "an empty list as tag",
  ],
  ["an empty bulk filter", (c) => c.jobs.bulk({ action: "cancel", filter: {} }), "say all: true"],
  [
    "a bulk filter of nothing but undefined",
    (c) => c.jobs.bulk({ action: "cancel", filter: { tag: undefined } }),
    "say all: true",
  ],
  [
    "null in a bulk filter",
    (c) => c.jobs.bulk(loose({ action: "cancel", filter: { tag: null } })),
    "tag must not be null",
  ],
  [
    "all: false",
    (c) => c.jobs.bulk(loose({ action: "cancel", all: false })),
    "needs one of filter, jobIds and all: true",
  ],
  [
    "a page size in a bulk filter",
    (c) => c.jobs.bulk(loose({ action: "cancel", filter: { tag: "a", size: 5 } })),
    '"size"',
  ],
  ["an empty id of a bulk action", (c) => c.bulk.get(""), "A bulk action's id is required"],
  ["a hurried wait", (c) => c.bulk.wait("id", { intervalMs: 99 }), "at least 100"],
  ["a misspelt option of a wait", (c) => c.bulk.wait("id", loose({ onprogres: 1 })), '"onProgress"?'],
  ["a preview's misspelt field", (c) => c.schedules.preview(loose({ crn: "* * * * *" })), 'did you mean "cron"?'],
  ["a preview of nothing", (c) => c.schedules.preview(loose(undefined)), "must be an object, not undefined"],
  ["a schedule list's misspelt filter", (c) => c.schedules.list(loose({ Status: "active" })), 'did you mean "status"?'],
  ["misspelt options of a call", (c) => c.jobs.get("id", loose({ timeout: 5 })), 'did you mean "timeoutMs"?'],
  [
    "misspelt options of a list",
    (c) => c.jobs.list({}, loose({ timeoutMS: 5, abort: 1 })),
    'did you mean "timeoutMs"?',
  ],
  ["no time at all", (c) => c.jobs.get("id", { timeoutMs: 0 }), "timeoutMs must be a number of milliseconds above 0"],
  ["a controller as a signal", (c) => c.jobs.get("id", loose({ signal: new AbortController() })), "an AbortSignal"],
  ["null as a signal", (c) => c.jobs.get("id", loose({ signal: null })), "signal must be an AbortSignal"],
  ["a misspelt concurrency", (c) => c.worker.handle("a", () => {}).start(loose({ concurency: 5 })), '"concurrency"?'],
  ["null to start", (c) => c.worker.handle("a", () => {}).start(loose(null)), "must be an object, not null"],
  [
    "a padded name of a handler",
    (c) => c.worker.handle(" a", () => {}),
    'handler name " a" must not begin or end with',
  ],
  ["a padded name in a queue", (chronos) => queueConsumer({ chronos, handlers: { "a ": () => {} } }), '"a " must not'],
  [
    "a queue's misspelt option",
    (chronos) => queueConsumer(loose({ chronos, handler: {} })),
    'did you mean "handlers"?',
  ],
  ["a misspelt option", () => new Chronos(loose({ ...OPTIONS, baseURL: "x" })), 'did you mean "baseUrl"?'],
  [
    "an option of the API",
    () => new Chronos(loose({ ...OPTIONS, poll_wait_time_seconds: 5 })),
    '"pollWaitTimeSeconds"?',
  ],
  ["no options", () => new Chronos(loose(undefined)), "must be an object, not undefined"],
  [
    "a misspelt tolerance",
    () => verifySignature(loose({ headers: {} }), "s", loose({ tolerance: 5 })),
    /no field "tol/,
  ],
  ["no request", () => verifySignature(loose(null), "s"), "needs a Request, or an object with headers and body"],
  [
    "no headers",
    () => verifySignature(loose({ body: "" }), "s"),
    "needs a Request, or an object with headers and body",
  ],
];

it.each(MISTAKES)("refuses %s", async (_, call, message) => {
  const { chronos, line } = setUp();
  const refused = (async () => call(chronos))();
  await expect(refused).rejects.toThrow(ChronosConfigError);
  await expect(refused).rejects.toThrow(message);
  expect(line.sent).toEqual([]);
});

it("takes names with white space inside, and 255 characters of any size", async () => {
  const { chronos, line } = setUp();
  const names = ["two words", "😀".repeat(255)];
  for (const name of names) {
    chronos.worker.handle(name, () => {});
    await chronos.jobs.create({ name: "One", handler: name });
  }
  expect(line.sent.map(({ body }) => body.handler)).toEqual(names);
});

it("takes a Date of another realm", async () => {
  const { chronos, line } = setUp();
  const { runInNewContext } = await import("node:vm");
  const scheduledFor: Date = runInNewContext("new Date(Date.UTC(2031, 0, 1))");
  expect(scheduledFor).not.toBeInstanceOf(Date);
  await chronos.jobs.create({ name: "One", handler: "a", scheduledFor });
  expect(line.sent[0]?.body.scheduled_for).toBe("2031-01-01T00:00:00.000Z");
});
