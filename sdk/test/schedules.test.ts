import { describe, expect, it } from "vitest";
import {
  ChronosApiError,
  ChronosConfigError,
  ChronosConnectionError,
  type NewSchedule,
  PreconditionFailedError,
  type Schedule,
} from "../src/index.ts";
import { answering as answeringWith, said } from "./answering.ts";
import { refuse } from "./answers.ts";
import { NOON, outcomeOf, setUp } from "./setup.ts";

const ID = "0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11";
const HOURLY = { name: "Hourly", handler: "a", interval: { value: 1, unit: "hour" } } as const;

/** A schedule as the service writes it. */
const written = {
  id: ID,
  name: "Weekly",
  description: null,
  status: "active",
  handler: "report",
  cron: "0 9 * * MON",
  interval: null,
  timezone: "Europe/London",
  runs: 5,
  stop_at: "2031-01-01T00:00:00.000Z",
  delivery: { type: "pull" },
  payload: { first_name: "Ada" },
  timeout: 60,
  max_retries: 2,
  idempotency_key: "weekly",
  overlap: "skip",
  tags: ["reports"],
  flow: "mail",
  callbacks: { completed: { url: "https://a.example", headers: {} } },
  backoff: { type: "fixed", initial: 60, max: 3600, jitter: false },
  expires_after: { value: 2, unit: "hour" },
  next_run_at: "2030-01-07T09:00:00.000Z",
  last_run_at: null,
  run_count: 1,
  missed_runs: 4,
  skipped_runs: 3,
  revision: 9,
  created_at: "2030-01-01T12:00:00.000Z",
  updated_at: "2030-01-01T13:00:00.000Z",
  from_a_later_version: true,
};

/** A service that gives these answers, the last of them again and again. */
function answering(...answers: (() => Response)[]) {
  const { chronos, line } = answeringWith(written, answers);
  return { schedules: chronos.schedules, line };
}

it("reads every field, times as Dates, and nothing it does not know", async () => {
  const { schedules } = answering();
  expect(await schedules.get(ID)).toEqual({
    id: ID,
    name: "Weekly",
    description: null,
    status: "active",
    handler: "report",
    cron: "0 9 * * MON",
    interval: null,
    timezone: "Europe/London",
    runs: 5,
    stopAt: new Date("2031-01-01T00:00:00Z"),
    delivery: { type: "pull" },
    payload: { first_name: "Ada" },
    payloadText: '{"first_name":"Ada"}',
    timeout: 60,
    maxRetries: 2,
    idempotencyKey: "weekly",
    overlap: "skip",
    tags: ["reports"],
    flow: "mail",
    callbacks: { completed: { url: "https://a.example", headers: {} } },
    backoff: { type: "fixed", initial: 60, max: 3600, jitter: false },
    expiresAfter: { value: 2, unit: "hour" },
    nextRunAt: new Date("2030-01-07T09:00:00Z"),
    lastRunAt: null,
    runCount: 1,
    missedRuns: 4,
    skippedRuns: 3,
    revision: 9,
    createdAt: new Date("2030-01-01T12:00:00Z"),
    updatedAt: new Date("2030-01-01T13:00:00Z"),
  } satisfies Schedule);
});

it("writes every field as the API reads it, and leaves out what was left out", async () => {
  const { schedules, line } = answering();
  await schedules.create({
    name: "Weekly",
    description: "d",
    handler: "report",
    cron: "0 9 * * MON",
    timezone: "Europe/London",
    runs: 5,
    stopAt: new Date(NOON),
    delivery: { type: "pull", queue: "q" },
    payload: { firstName: "Ada" },
    timeout: 60,
    maxRetries: 2,
    idempotencyKey: "weekly",
    overlap: "skip",
    tags: ["reports"],
    flow: "mail",
    callbacks: { completed: { url: "https://a.example", headers: {} } },
    backoff: { type: "list", delays: [5, 60] },
    expiresAfter: { value: 2, unit: "hour" },
  });
  await schedules.create(HOURLY);
  expect(line.sent.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
    {
      method: "POST",
      path: "/v1/schedules",
      body: {
        name: "Weekly",
        description: "d",
        handler: "report",
        cron: "0 9 * * MON",
        timezone: "Europe/London",
        runs: 5,
        stop_at: "2030-01-01T12:00:00.000Z",
        delivery: { type: "pull", queue: "q" },
        payload: { firstName: "Ada" },
        timeout: 60,
        max_retries: 2,
        idempotency_key: "weekly",
        overlap: "skip",
        tags: ["reports"],
        flow: "mail",
        callbacks: { completed: { url: "https://a.example", headers: {} } },
        backoff: { type: "list", delays: [5, 60] },
        expires_after: { value: 2, unit: "hour" },
      },
    },
    { method: "POST", path: "/v1/schedules", body: HOURLY },
  ]);
});

it("takes a time as text as it is, and refuses a date that is none", async () => {
  const { schedules, line } = answering();
  await schedules.create({ ...HOURLY, stopAt: "2031-01-01T00:00:00+01:00" });
  expect(line.sent[0]?.body.stop_at).toBe("2031-01-01T00:00:00+01:00");
  await expect(schedules.create({ ...HOURLY, stopAt: new Date("x") })).rejects.toBeInstanceOf(ChronosConfigError);
});

it("refuses a payload that is no JSON before anything is sent", async () => {
  const { schedules, line } = answering();
  const endless: { self?: object } = {};
  endless.self = endless;
  await expect(schedules.create({ ...HOURLY, payload: endless })).rejects.toBeInstanceOf(ChronosConfigError);
  expect(line.sent).toEqual([]);
});

it("changes what is given, with PATCH", async () => {
  const { schedules, line } = answering();
  expect(await schedules.update(ID, { runs: 5, maxRetries: 0, stopAt: undefined })).toMatchObject({ id: ID });
  expect(line.sent).toMatchObject([{ method: "PATCH", path: `/v1/schedules/${ID}` }]);
  expect(line.sent[0]?.body).toEqual({ runs: 5, max_retries: 0 });
});

it("resets with null, and swaps one timing for the other", async () => {
  const { schedules, line } = answering();
  await schedules.update(ID, {
    overlap: null,
    tags: null,
    flow: null,
    callbacks: null,
    backoff: null,
    expiresAfter: null,
  });
  await schedules.update(ID, { interval: { value: 1, unit: "day" } });
  expect(line.sent.map(({ body }) => body)).toEqual([
    { overlap: null, tags: null, flow: null, callbacks: null, backoff: null, expires_after: null },
    { interval: { value: 1, unit: "day" } },
  ]);
});

it.each([
  "name",
  "description",
  "handler",
  "cron",
  "interval",
  "timezone",
  "runs",
  "stopAt",
  "delivery",
  "payload",
  "timeout",
  "maxRetries",
])("refuses a null that the service would ignore, before anything is sent: %s", async (field) => {
  const { schedules, line } = answering();
  const error = await outcomeOf(schedules.update(ID, { [field]: null } as never));
  expect(error).toBeInstanceOf(ChronosConfigError);
  expect(error).toMatchObject({
    message: expect.stringMatching(new RegExp(`^${field} must not be null: give it a new`)),
  });
  expect(line.sent).toEqual([]);
});

it("changes the revision that was named, or nothing, and shows what is now", async () => {
  const changed = { ...written, revision: 10, timeout: 90 };
  const { schedules, line } = answering(
    () => said(written),
    () => refuse(412, "precondition_failed", "It has changed", [], changed),
  );
  await schedules.update(ID, { timeout: 60 }, { ifMatch: 9 });
  const error = await outcomeOf(schedules.update(ID, { timeout: 60 }, { ifMatch: 9 }));
  expect(error).toBeInstanceOf(PreconditionFailedError);
  expect(error).toMatchObject({ data: { id: ID, revision: 10, timeout: 90, skippedRuns: 3 } });
  expect(line.sent.map(({ method, ifMatch }) => [method, ifMatch])).toEqual(Array(2).fill(["PATCH", '"9"']));
});

it("pauses, resumes, and makes a job beside the ticks", async () => {
  const { chronos, line, app } = setUp();
  const { id } = await chronos.schedules.create(HOURLY);
  line.sent.length = 0;
  expect(await chronos.schedules.pause(id)).toMatchObject({ id, status: "paused" });
  expect(await chronos.schedules.resume(id)).toMatchObject({ id, status: "active" });
  const job = await chronos.schedules.trigger(id);
  expect(job).toMatchObject({ name: "Hourly", status: "pending", runAt: new Date(NOON) });
  expect(app.jobs).toMatchObject([{ id: job.id }]);
  expect(line.sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `POST /v1/schedules/${id}/pause`,
    `POST /v1/schedules/${id}/resume`,
    `POST /v1/schedules/${id}/trigger`,
  ]);
});

it("lists by filters, in pages and as an iterator", async () => {
  const paging = (page: number, next: string | null) => ({
    paging: { page, pages: 2, size: 1, total: 2, next_cursor: next },
  });
  const { schedules, line } = answering(
    () => said([written], paging(1, "c")),
    () => said([{ ...written, id: "second" }], paging(2, null)),
  );
  const ids: string[] = [];
  for await (const { id } of schedules.list({ status: ["active", "completed"], handler: "a b" })) ids.push(id);
  expect(ids).toEqual([ID, "second"]);
  expect(line.sent.map(({ query }) => query.toString())).toEqual([
    "status=active&status=completed&handler=a+b&size=100",
    "status=active&status=completed&handler=a+b&cursor=c&size=100",
  ]);
  const page = await schedules.list({ size: 7 }).page({ page: 2 });
  expect(page.paging).toEqual({ page: 2, pages: 2, size: 1, total: 2, nextCursor: null });
  expect(line.sent.at(-1)?.query.toString()).toBe("page=2&size=7");
});

it("previews a schedule, and one that is not yet made", async () => {
  const times = [{ utc: "2030-03-31T01:00:00.000Z", local: "2030-03-31T02:00:00.000+01:00" }];
  const { schedules, line } = answering(() => said(times));
  const expected = [{ at: new Date("2030-03-31T01:00:00Z"), local: "2030-03-31T02:00:00.000+01:00" }];
  expect(await schedules.preview(ID)).toEqual(expected);
  expect(await schedules.preview(ID, 3)).toEqual(expected);
  expect(await schedules.preview({ cron: "30 1 * * *", timezone: "Europe/London", stopAt: new Date(NOON) }, 3)).toEqual(
    expected,
  );
  expect(line.sent.map(({ method, path, query }) => `${method} ${path}?${query}`)).toEqual([
    `GET /v1/schedules/${ID}/preview?`,
    `GET /v1/schedules/${ID}/preview?count=3`,
    "POST /v1/schedules/preview?",
  ]);
  expect(line.sent[2]?.body).toEqual({
    cron: "30 1 * * *",
    timezone: "Europe/London",
    stop_at: "2030-01-01T12:00:00.000Z",
    count: 3,
  });
});

it("refuses an empty id: it would address the list", async () => {
  const { schedules, line } = answering();
  await expect(schedules.get("")).rejects.toBeInstanceOf(ChronosConfigError);
  await expect(schedules.archive("")).rejects.toBeInstanceOf(ChronosConfigError);
  await expect(schedules.update("", {})).rejects.toBeInstanceOf(ChronosConfigError);
  await expect(schedules.preview("")).rejects.toBeInstanceOf(ChronosConfigError);
  expect(line.sent).toEqual([]);
});

it("writes an id so that it stays one part of the path", async () => {
  const { schedules, line } = answering();
  await schedules.get("../jobs");
  expect(line.sent[0]?.path).toBe("/v1/schedules/..%2Fjobs");
});

it.each(["schedule_not_found", "schedule_archived", "schedule_completed", "schedule_status_changed"])(
  "throws the service's refusal, and tries once: %s",
  async (code) => {
    const { schedules, line } = answering(() => refuse(409, code, "No"));
    const error = await outcomeOf(schedules.update(ID, { name: "x" }));
    expect(error).toBeInstanceOf(ChronosApiError);
    expect(error).toMatchObject({ code, status: 409 });
    expect(line.sent).toHaveLength(1);
  },
);

describe("after a fault", () => {
  const tooMany = () => refuse(429, "rate_limit_exceeded", "Later");

  it("create() is repeated after 429, which creates nothing", async () => {
    const { schedules, line } = answering();
    line.breaks(/./, tooMany, 2);
    expect(await outcomeOf(schedules.create(HOURLY))).toMatchObject({ id: ID });
    expect(line.sent).toHaveLength(3);
  });

  it.each(["lost", "unanswered", "unsure"] as const)(
    "create() is not repeated when it may exist: %s",
    async (fault) => {
      const { schedules, line } = answering();
      line.breaks(/./, fault);
      expect(await outcomeOf(schedules.create(HOURLY))).toBeInstanceOf(Error);
      expect(line.sent).toHaveLength(1);
    },
  );

  it("what reads, and what says the same when said twice, is repeated", async () => {
    const { schedules, line } = answering();
    const calls = [
      () => schedules.get(ID),
      () => schedules.update(ID, { runs: 1 }),
      () => schedules.archive(ID),
      () => schedules.pause(ID),
      () => schedules.resume(ID),
    ];
    for (const call of calls) {
      line.sent.length = 0;
      line.breaks(/./, "unanswered");
      line.breaks(/./, "unsure");
      expect(await outcomeOf(call())).toMatchObject({ id: ID });
      expect(new Set(line.sent.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      expect(line.sent).toHaveLength(3);
    }
  });

  it("trigger() is repeated only after 429: a second job would run as well", async () => {
    const { chronos, line, app } = setUp();
    const { id } = await chronos.schedules.create(HOURLY);
    line.breaks(/trigger$/, tooMany);
    expect(await outcomeOf(chronos.schedules.trigger(id))).toMatchObject({ name: "Hourly" });
    line.breaks(/trigger$/, "unanswered");
    expect(await outcomeOf(chronos.schedules.trigger(id))).toBeInstanceOf(ChronosConnectionError);
    expect(app.jobs).toHaveLength(2);
  });

  it.each([
    ["returns the schedule that its lost try changed", { runs: 7 }, 7],
    ["throws the refusal if somebody else changed it", { runs: 8 }, undefined],
  ])("update() with a revision %s", async (_, changes, runs) => {
    const changed = { ...written, revision: 10, runs: 7 };
    const { schedules, line } = answering(
      () => refuse(412, "precondition_failed", "It has changed", [], changed),
      () => said(changed),
    );
    line.breaks(/./, "lost");
    const outcome = await outcomeOf(schedules.update(ID, changes, { ifMatch: 9 }));
    expect(outcome).toMatchObject(runs === undefined ? { code: "precondition_failed" } : { runs, revision: 10 });
  });

  it("gives up after four tries", async () => {
    const { schedules, line } = answering();
    line.breaks(/./, "lost", 9);
    expect(await outcomeOf(schedules.preview(ID))).toBeInstanceOf(ChronosConnectionError);
    expect(line.sent).toHaveLength(4);
  });

  it("archive() returns the archived schedule when the answer to an earlier try was lost", async () => {
    const { schedules, line } = answering(
      () => said(written),
      () => refuse(409, "schedule_archived", "It is archived"),
      () => said({ ...written, status: "archived", next_run_at: null }),
    );
    line.breaks(/archive$/, "unanswered");
    expect(await outcomeOf(schedules.archive(ID))).toMatchObject({ status: "archived", nextRunAt: null });
    expect(line.sent.map(({ method }) => method)).toEqual(["POST", "POST", "GET"]);
  });

  it.each(["schedule_archived", "schedule_completed"])(
    "archive() of one that was over before throws: %s",
    async (code) => {
      const { schedules, line } = answering(
        () => refuse(409, code, "It is over"),
        () => said(written),
      );
      if (code === "schedule_completed") line.breaks(/archive$/, "lost");
      else line.breaks(/archive$/, tooMany);
      expect(await outcomeOf(schedules.archive(ID))).toMatchObject({ code });
    },
  );
});

it("types what it takes and gives by the client's map", () => {
  interface Handlers {
    email: { payload: { to: string } };
    ping: { result: string };
  }
  const { chronos } = setUp<Handlers>();
  const email = { name: "n", cron: "* * * * *", handler: "email" } as const;
  const daily = { value: 1, unit: "day" } as const;
  const _calls = () => [
    chronos.schedules.create({ ...email, payload: { to: "a" } }).then(({ payload }) => payload?.to),
    chronos.schedules.create({ name: "n", interval: { value: 1, unit: "day" }, handler: "ping" }),
    chronos.schedules.create({
      name: "n",
      cron: "* * * * *",
      delivery: { type: "push", http: { url: "https://example.com", method: "POST" } },
    }),
    // @ts-expect-error: the payload of email is missing
    chronos.schedules.create(email),
    // @ts-expect-error: no such name in the map
    chronos.schedules.create({ name: "n", cron: "* * * * *", handler: "other" }),
    // @ts-expect-error: neither cron nor interval
    chronos.schedules.create({ name: "n", handler: "ping" }),
    // @ts-expect-error: both
    chronos.schedules.create({ name: "n", handler: "ping", cron: "* * * * *", interval: { value: 1, unit: "day" } }),
    // @ts-expect-error: pull needs a handler
    chronos.schedules.create({ name: "n", cron: "* * * * *" }),
    // @ts-expect-error: no such status
    chronos.schedules.list({ status: "ended" }),
    // @ts-expect-error: a schedule's spec has no key of its own
    chronos.schedules.ensure("k", { ...email, payload: { to: "a" }, idempotencyKey: "k" }),
    chronos.schedules
      .ensure("k", { ...email, payload: { to: "a" }, overlap: "skip" })
      .then(({ payload }) => payload?.to),
    chronos.schedules.ensure("k", {
      name: "n",
      interval: { value: 1, unit: "day" },
      delivery: { type: "push", http: { url: "https://example.com", method: "POST" } },
    }),
    // @ts-expect-error: the payload of email is missing
    chronos.schedules.ensure("k", email),
    // @ts-expect-error: both timings
    chronos.schedules.ensure("k", { name: "n", handler: "ping", cron: "* * * * *", interval: daily }),
    // @ts-expect-error: pull needs a handler
    chronos.schedules.ensure("k", { name: "n", cron: "* * * * *" }),
    // @ts-expect-error: no such overlap
    chronos.schedules.create({ name: "n", cron: "* * * * *", handler: "ping", overlap: "queue" }),
    chronos.schedules.update<"email">(ID, { payload: { to: "a" }, overlap: null, tags: ["a"] }, { ifMatch: 1 }),
    // @ts-expect-error: both timings
    chronos.schedules.update(ID, { cron: "* * * * *", interval: { value: 1, unit: "day" } }),
    // @ts-expect-error: a name has no default to go back to
    chronos.schedules.update(ID, { name: null }),
    // @ts-expect-error: to is a text
    chronos.schedules.update<"email">(ID, { payload: { to: 1 } }),
    chronos.schedules.trigger<"email">(ID).then(({ payload }) => payload?.to),
    // @ts-expect-error: a preview needs a timing
    chronos.schedules.preview({ timezone: "UTC" }),
  ];
  const schedule: NewSchedule = { name: "n", handler: "h", cron: "* * * * *" };
  expect([schedule.cron, typeof _calls]).toEqual(["* * * * *", "function"]);
});
