// schedules.ensure(): one schedule a key, brought up to date by whoever starts, however many start at once.

import { describe, expect, it } from "vitest";
import {
  Chronos,
  ChronosConnectionError,
  PreconditionFailedError,
  rawJson,
  type Schedule,
  ScheduleEndedError,
  ScheduleKeyConflictError,
  type ScheduleSpec,
} from "../src/index.ts";
import { systemPlatform } from "../src/platform.ts";
import { refuse } from "./answers.ts";
import type { FakeSchedule } from "./fake-schedules.ts";
import { NOON, outcomeOf, pass, setUp } from "./setup.ts";

const NIGHTLY: ScheduleSpec = { name: "Nightly", handler: "report", cron: "0 2 * * *" };
const CREATE = /\/v1\/schedules$/;
const ONE = /\/v1\/schedules\/[^/]+$/;

async function withSchedule(spec: ScheduleSpec = NIGHTLY) {
  const kit = setUp();
  const { schedules } = kit.chronos;
  const made = await schedules.ensure("nightly", spec);
  const [held] = kit.app.schedules.all as [FakeSchedule];
  kit.line.sent.length = 0;
  const methods = () => kit.line.sent.map(({ method }) => method);
  const patches = () => kit.line.sent.filter(({ method }) => method === "PATCH").map(({ body }) => body);
  return { ...kit, schedules, made, held, methods, patches };
}

it("creates the schedule under the key", async () => {
  const { chronos, line, app } = setUp();
  const schedule = await chronos.schedules.ensure("nightly", NIGHTLY);
  expect(schedule).toMatchObject({ status: "active", cron: "0 2 * * *", idempotencyKey: "nightly", revision: 0 });
  expect(line.sent.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
    { method: "POST", path: "/v1/schedules", body: { ...NIGHTLY, idempotency_key: "nightly" } },
  ]);
  expect(app.schedules.all).toHaveLength(1);
});

it("leaves a schedule alone that says what is wanted", async () => {
  const { schedules, made, held, methods } = await withSchedule();
  expect(await schedules.ensure("nightly", NIGHTLY)).toEqual(made);
  expect(methods()).toEqual(["POST"]);
  expect(held.revision).toBe(0);
});

const FULL: ScheduleSpec = {
  ...NIGHTLY,
  description: "Sums up the day",
  timezone: "Europe/London",
  runs: 100,
  stopAt: new Date(NOON + 1e10),
  overlap: "skip",
  delivery: { type: "push", http: { url: "https://a.example", method: "POST", headers: { "X-A": "1", "X-B": "2" } } },
  payload: { b: 1, a: [2] },
  timeout: 60,
  maxRetries: 5,
  tags: ["a", "b"],
  flow: "mail",
  callbacks: { failed: { url: "https://a.example/failed" } },
  backoff: { type: "exponential", initial: 60 },
  expiresAfter: { value: 1, unit: "hour" },
};

const IN_OTHER_WORDS: [string, ScheduleSpec, ScheduleSpec][] = [
  ["everything", FULL, { ...FULL }],
  ["lengths of time", FULL, { ...FULL, expiresAfter: { value: 60, unit: "minute" } }],
  ["a callback's headers", FULL, { ...FULL, callbacks: { failed: { url: "https://a.example/failed", headers: {} } } }],
  ["a moment", FULL, { ...FULL, stopAt: new Date(NOON + 1e10).toISOString().replace("Z", "+00:00") }],
  ["the order of tags", FULL, { ...FULL, tags: ["b", "a"] }],
  ["a cron's spaces and letters", { ...NIGHTLY, cron: "0 9 * * MON" }, { ...NIGHTLY, cron: " 0  9 * * mon " }],
  ["defaults", NIGHTLY, { ...NIGHTLY, timeout: 30, maxRetries: 3, timezone: "UTC", overlap: "allow", tags: [] }],
  ["the default delivery", NIGHTLY, { ...NIGHTLY, delivery: { type: "pull" } }],
  [
    "the default backoff",
    NIGHTLY,
    { ...NIGHTLY, backoff: { type: "exponential", initial: 1, max: 3600, jitter: true } },
  ],
  [
    "the longest pause of a backoff whose first one is longer than an hour",
    { ...NIGHTLY, backoff: { type: "fixed", initial: 7_200 } },
    { ...NIGHTLY, backoff: { type: "fixed", initial: 7_200 } },
  ],
  ["a backoff's default parts", FULL, { ...FULL, backoff: { type: "exponential", initial: 60, jitter: true } }],
  [
    "the order of headers",
    FULL,
    {
      ...FULL,
      delivery: {
        type: "push",
        http: { method: "POST", headers: { "X-B": "2", "X-A": "1" }, url: "https://a.example" },
      },
    },
  ],
  [
    "no headers",
    { ...NIGHTLY, delivery: { type: "push", http: { url: "https://a.example", method: "GET", headers: {} } } },
    {
      ...NIGHTLY,
      delivery: { type: "push", http: { url: "https://a.example", method: "GET" } },
    },
  ],
];
it.each(IN_OTHER_WORDS)("changes nothing for the same in other words: %s", async (_, before, after) => {
  const { schedules, methods } = await withSchedule(before);
  await schedules.ensure("nightly", after);
  expect(methods()).toEqual(["POST"]);
});

const { flow: _f, timeout: _t, payload: _p, ...withoutSome } = FULL;
const CHANGES: [string, ScheduleSpec, ScheduleSpec, object][] = [
  ["another cron", NIGHTLY, { ...NIGHTLY, cron: "0 3 * * *" }, { cron: "0 3 * * *" }],
  [
    "an interval in place of a cron",
    NIGHTLY,
    { name: "Nightly", handler: "report", interval: { value: 1, unit: "day" } },
    { interval: { value: 1, unit: "day" } },
  ],
  ["several fields", NIGHTLY, { ...NIGHTLY, timeout: 60, tags: ["a"] }, { timeout: 60, tags: ["a"] }],
  ["what is left out", FULL, withoutSome as ScheduleSpec, { flow: null, timeout: 30 }],
  [
    "everything that is left out and has a default",
    FULL,
    NIGHTLY,
    {
      timezone: "UTC",
      overlap: null,
      delivery: { type: "pull" },
      timeout: 30,
      max_retries: 3,
      tags: null,
      flow: null,
      callbacks: null,
      backoff: null,
      expires_after: null,
    },
  ],
  ["a payload", FULL, { ...FULL, payload: { b: 1, a: [3] } }, { payload: { b: 1, a: [3] } }],
  [
    "a jitter",
    FULL,
    { ...FULL, backoff: { type: "exponential", initial: 60, jitter: false } },
    { backoff: { type: "exponential", initial: 60, jitter: false } },
  ],
];
it.each(CHANGES)("changes what differs, and nothing else: %s", async (_, before, after, body) => {
  const { schedules, line, patches, held, made } = await withSchedule(before);
  const schedule = await schedules.ensure("nightly", after);
  expect(patches()).toEqual([body]);
  expect(line.sent.map(({ method, ifMatch }) => [method, ifMatch])).toEqual([
    ["POST", undefined],
    ["PATCH", '"0"'],
  ]);
  expect(schedule).toMatchObject({ id: made.id, revision: 1 });
  expect(held).toMatchObject({ revision: 1 });
  line.sent.length = 0;
  expect(await schedules.ensure("nightly", after)).toEqual(schedule);
  expect(patches()).toEqual([]);
});

const LEFT_OUT: [keyof ScheduleSpec, object | null][] = [
  ["timezone", { timezone: "UTC" }],
  ["delivery", { delivery: { type: "pull" } }],
  ["timeout", { timeout: 30 }],
  ["maxRetries", { max_retries: 3 }],
  ["tags", { tags: null }],
  ["flow", { flow: null }],
  ["callbacks", { callbacks: null }],
  ["backoff", { backoff: null }],
  ["expiresAfter", { expires_after: null }],
  ["overlap", { overlap: null }],
  ["description", null],
  ["handler", null],
  ["runs", null],
  ["stopAt", null],
  ["payload", null],
];
it.each(LEFT_OUT)("sends nothing at the second start for a spec that leaves out %s", async (field, body) => {
  const { schedules, patches } = await withSchedule(FULL);
  const { [field]: _, ...rest } = FULL;
  const first = await schedules.ensure("nightly", rest as ScheduleSpec);
  expect(patches()).toEqual(body === null ? [] : [body]);
  expect(await schedules.ensure("nightly", rest as ScheduleSpec)).toEqual(first);
  expect(patches()).toHaveLength(body === null ? 0 : 1);
});

it("keeps what no change can take away, and changes the rest", async () => {
  const { schedules, patches } = await withSchedule(FULL);
  const wanted = { ...NIGHTLY, payload: null, delivery: FULL.delivery, timezone: "Europe/London" } as ScheduleSpec;
  const { description, runs, stopAt, payload } = await schedules.ensure("nightly", wanted);
  expect({ description, runs, stopAt, payload }).toEqual({
    description: FULL.description,
    runs: FULL.runs,
    stopAt: FULL.stopAt,
    payload: FULL.payload,
  });
  expect(patches()).toHaveLength(1);
  await schedules.ensure("nightly", { ...wanted, description: "", payload: { b: 2 } });
  expect(patches().at(-1)).toEqual({ description: "", payload: { b: 2 } });
});

it("is refused with an end that has passed, whatever the schedule of the key", async () => {
  const { schedules, methods } = await withSchedule(FULL);
  const error = await outcomeOf(schedules.ensure("nightly", { ...FULL, stopAt: new Date(NOON - 1) }));
  expect(error).toMatchObject({ status: 422, errors: [{ field: "stop_at" }] });
  expect(methods()).toEqual(["POST"]);
});

it("notices the last digit of an integer beyond 2^53", async () => {
  const { chronos, line } = setUp();
  const { id } = await chronos.schedules.ensure("nightly", { ...NIGHTLY, payload: { account: 1 } });
  const held = (digits: string) => () =>
    new Response(
      JSON.stringify({
        success: false,
        code: "idempotency_key_conflict",
        message: "In use",
        errors: [],
        data: { ...NIGHTLY, id, status: "active", revision: 0, payload: "here", created_at: 0, updated_at: 0 },
      }).replace('"here"', `{"account":${digits}}`),
      { status: 409 },
    );
  for (const digits of ["12345678901234567890", "12345678901234567891"]) {
    line.breaks(CREATE, held(digits));
    await chronos.schedules.ensure("nightly", { ...NIGHTLY, payload: rawJson('{ "account": 12345678901234567890 }') });
  }
  expect(line.sent.map(({ method }) => method)).toEqual(["POST", "POST", "POST", "PATCH"]);
});

it("does not resume a schedule that somebody has paused, and brings it up to date all the same", async () => {
  const { schedules, made } = await withSchedule();
  await schedules.pause(made.id);
  expect(await schedules.ensure("nightly", NIGHTLY)).toMatchObject({ status: "paused" });
  expect(await schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 })).toMatchObject({
    status: "paused",
    timeout: 60,
  });
});

describe.each(["archived", "completed"])("when the schedule of the key is %s", (status) => {
  it("throws an error that says what to do", async () => {
    const { schedules, held, made } = await withSchedule();
    held.status = status;
    const error = await outcomeOf(schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 }));
    expect(error).toBeInstanceOf(ScheduleEndedError);
    expect(error).toMatchObject({ schedule: { id: made.id, status } });
    expect(error).toMatchObject({ message: expect.stringMatching(/"nightly", is \w+ .* another key/) });
  });

  it("throws the same if it ends between the look and the change", async () => {
    const { schedules, held, line, methods } = await withSchedule();
    line.breaks(ONE, () => {
      held.status = status;
      return refuse(409, `schedule_${status}`, "It is over");
    });
    const error = await outcomeOf(schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 }));
    expect(error).toBeInstanceOf(ScheduleEndedError);
    expect(methods()).toEqual(["POST", "PATCH", "GET"]);
  });
});

describe("when others are faster", () => {
  it("looks at what they made, and is content if it is what is wanted", async () => {
    const { schedules, held, line, app, methods } = await withSchedule();
    line.breaks(ONE, () => {
      app.schedules.change(held, { timeout: 60 });
      return refuse(412, "precondition_failed", "It has changed", [], held);
    });
    expect(await schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 })).toMatchObject({ timeout: 60, revision: 1 });
    expect(methods()).toEqual(["POST", "PATCH"]);
  });

  it("changes what they made if it is not, by its new revision", async () => {
    const { schedules, held, line, app } = await withSchedule();
    line.breaks(ONE, () => {
      app.schedules.change(held, { timeout: 90, flow: "mail" });
      return refuse(412, "precondition_failed", "It has changed", [], held);
    });
    expect(await schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 })).toMatchObject({ timeout: 60, flow: null });
    expect(line.sent.map(({ ifMatch, body }) => [ifMatch, body])).toEqual([
      [undefined, { ...NIGHTLY, timeout: 60, idempotency_key: "nightly" }],
      ['"0"', { timeout: 60 }],
      ['"1"', { timeout: 60, flow: null }],
    ]);
  });

  it("looks again when the service says that its status changed meanwhile", async () => {
    const { schedules, held, line, app, methods } = await withSchedule();
    line.breaks(ONE, () => {
      app.schedules.change(held, {}, { status: "paused" });
      return refuse(409, "schedule_status_changed", "It was paused");
    });
    expect(await schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 })).toMatchObject({
      timeout: 60,
      status: "paused",
    });
    expect(methods()).toEqual(["POST", "PATCH", "GET", "PATCH"]);
  });

  it("gives up after twenty changes that others won, with the last refusal", async () => {
    const { schedules, held, line, app } = await withSchedule();
    const overtaken = () => {
      app.schedules.change(held, {});
      return refuse(412, "precondition_failed", "It has changed", [], held);
    };
    line.breaks(ONE, overtaken, 99);
    const call = schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 }).catch((error: unknown) => error);
    await pass(3_600_000);
    expect(await call).toBeInstanceOf(PreconditionFailedError);
    expect(line.sentTo(ONE)).toHaveLength(20);
  });

  it("looks again at once, and later less and less often", async () => {
    const { schedules, held, line, app } = await withSchedule();
    line.breaks(ONE, () => refuse(412, "precondition_failed", "Changed", [], app.schedules.change(held, {})), 4);
    await outcomeOf(schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 }));
    expect(line.sentTo(ONE).map(({ at }) => at - NOON)).toEqual([0, 0, 500, 1_500, 3_500]);
  });

  it("does not pause when no time remains", async () => {
    const { schedules, held, line, app } = await withSchedule();
    line.breaks(ONE, () => refuse(412, "precondition_failed", "Changed", [], app.schedules.change(held, {})), 9);
    const wanted = { ...NIGHTLY, timeout: 60 };
    const error = await outcomeOf(schedules.ensure("nightly", wanted, { timeoutMs: 1_000 }));
    expect(error).toBeInstanceOf(PreconditionFailedError);
    expect(line.sentTo(ONE).map(({ at }) => at - NOON)).toEqual([0, 0, 500]);
  });
});

/** Processes that start at once, each with its own chance. */
async function fifty(spec: (i: number) => ScheduleSpec, latencyMs = 20) {
  const kit = setUp();
  kit.line.latencyMs = latencyMs;
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const processes = Array.from({ length: 50 }, () => {
    const { apiKey, baseUrl } = kit.app;
    return new Chronos({ apiKey, baseUrl, fetch: kit.line.fetch }, { ...systemPlatform, random });
  });
  const ensured = Promise.all(processes.map(({ schedules }, i) => schedules.ensure("nightly", spec(i))));
  return { ...kit, ensured };
}

describe("fifty processes at once", () => {
  it("make one schedule", async () => {
    const { ensured, app, line } = await fifty(() => NIGHTLY);
    const all = (await outcomeOf(ensured)) as Schedule[];
    expect(app.schedules.all).toHaveLength(1);
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(line.sent).toHaveLength(50);
  });

  it("bring an older one up to date once", async () => {
    const { ensured, app, line } = await fifty(() => ({ ...NIGHTLY, timeout: 60 }));
    app.schedules.answer(
      new Request("https://a.example", { method: "POST" }),
      undefined,
      undefined,
      { ...NIGHTLY, idempotency_key: "nightly" },
      new URL("https://a.example"),
    );
    const all = (await outcomeOf(ensured)) as Schedule[];
    expect(all.map(({ timeout, revision }) => [timeout, revision])).toEqual(Array(50).fill([60, 1]));
    expect(app.schedules.all).toMatchObject([{ timeout: 60, revision: 1 }]);
    expect(line.sent).toHaveLength(100);
  });

  it("of two versions all end well, and what remains is what one of them wants", async () => {
    const { ensured, app } = await fifty((i) => (i % 2 ? { ...NIGHTLY, timeout: 60 } : { ...NIGHTLY, tags: ["new"] }));
    const all = (await outcomeOf(ensured)) as Schedule[];
    const says = ({ timeout, tags }: Pick<Schedule, "timeout" | "tags">) => `${timeout} ${tags}`;
    expect(all.map(says)).toEqual(all.map((_, i) => (i % 2 ? "60 " : "30 new")));
    expect(["60 ", "30 new"]).toContain(says(app.schedules.all[0] as never));
  });
});

describe("after a fault", () => {
  it.each(["lost", "unanswered", "unsure"] as const)("creates one schedule: %s", async (fault) => {
    const { chronos, line, app } = setUp();
    line.breaks(CREATE, fault);
    expect(await outcomeOf(chronos.schedules.ensure("nightly", NIGHTLY))).toMatchObject({ revision: 0 });
    expect(app.schedules.all).toHaveLength(1);
  });

  it.each(["lost", "unanswered", "unsure"] as const)("changes it once: %s", async (fault) => {
    const { schedules, held, line } = await withSchedule();
    line.breaks(ONE, fault);
    expect(await outcomeOf(schedules.ensure("nightly", { ...NIGHTLY, timeout: 60 }))).toMatchObject({ timeout: 60 });
    expect(held).toMatchObject({ timeout: 60, revision: 1 });
  });

  it("gives up after four tries", async () => {
    const { chronos, line } = setUp();
    line.breaks(CREATE, "lost", 9);
    expect(await outcomeOf(chronos.schedules.ensure("nightly", NIGHTLY))).toBeInstanceOf(ChronosConnectionError);
    expect(line.sent).toHaveLength(4);
  });
});

it("sends what the spec said when it was called, whatever becomes of it meanwhile", async () => {
  const { schedules, line, patches } = await withSchedule({ ...NIGHTLY, payload: { n: 0 } });
  line.latencyMs = 50;
  const spec = { ...NIGHTLY, payload: { n: 1 } };
  const call = schedules.ensure("nightly", spec);
  await pass(10);
  spec.payload.n = 2;
  await outcomeOf(call);
  expect(patches()).toEqual([{ payload: { n: 1 } }]);
});

describe("create() with a key", () => {
  const keyed = { ...NIGHTLY, idempotencyKey: "nightly" };

  it("shows the schedule that holds the key", async () => {
    const { schedules, made } = await withSchedule();
    const error = await outcomeOf(schedules.create(keyed));
    expect(error).toBeInstanceOf(ScheduleKeyConflictError);
    expect(error).toMatchObject({ code: "idempotency_key_conflict", status: 409, data: made });
  });

  it.each(["lost", "unanswered", "unsure"] as const)("is repeated, and gives its own schedule: %s", async (fault) => {
    const { chronos, line, app } = setUp();
    line.breaks(CREATE, fault);
    expect(await outcomeOf(chronos.schedules.create(keyed))).toMatchObject({ idempotencyKey: "nightly" });
    expect(app.schedules.all).toHaveLength(1);
  });

  it("still throws the conflict after a lost try if the schedule is another one, or older", async () => {
    const { schedules, held, line } = await withSchedule();
    line.breaks(CREATE, "lost");
    expect(await outcomeOf(schedules.create({ ...keyed, timeout: 60 }))).toBeInstanceOf(ScheduleKeyConflictError);
    held.updated_at = new Date(NOON + 60_000).toISOString();
    line.breaks(CREATE, "lost");
    expect(await outcomeOf(schedules.create(keyed))).toBeInstanceOf(ScheduleKeyConflictError);
  });
});
