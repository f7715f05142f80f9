// POST /v1/schedules (contract §6): what each field may be, on both sides of every limit.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { DAY, HOUR, iso, MINUTE, NOON, setClock } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { PUSH } from "../harness/job.ts";
import { TARGET } from "../harness/receiver.ts";
import { HOURLY, postSchedule, type ScheduleJson, ScheduleUnderTest } from "./schedule.ts";

type Body = Record<string, unknown>;

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const UUID = "0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55";

const PLAIN: Body = { name: "a schedule", handler: "h", ...HOURLY };
const create = (body: Body) => api<ScheduleJson>("POST", "/v1/schedules", { key: account.key, body });
const without = (field: string): Body => Object.fromEntries(Object.entries(PLAIN).filter(([name]) => name !== field));

/** Which fields an answer blames; none for a success. */
async function blamed(body: Body): Promise<readonly string[]> {
  const { status, body: answer } = await create(body);
  if (status === 201) return [];
  expect([status, answer.code]).toEqual([422, "validation_error"]);
  return answer.errors.map(({ field }) => field);
}

describe("a schedule that says only what it must", () => {
  it("gets the documented defaults", async () => {
    const { status, body } = await create(PLAIN);
    expect(status).toBe(201);
    expect(body).toEqual({
      success: true,
      message: expect.any(String),
      data: {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        name: "a schedule",
        description: null,
        status: "active",
        handler: "h",
        cron: null,
        interval: { value: 1, unit: "hour" },
        timezone: "UTC",
        runs: null,
        stop_at: null,
        delivery: { type: "pull" },
        payload: null,
        timeout: 30,
        max_retries: 3,
        backoff: null,
        expires_after: null,
        tags: [],
        flow: null,
        callbacks: null,
        overlap: "allow",
        idempotency_key: null,
        next_run_at: "2030-01-01T13:00:00.000Z",
        last_run_at: null,
        run_count: 0,
        missed_runs: 0,
        skipped_runs: 0,
        created_at: "2030-01-01T12:00:00.000Z",
        updated_at: "2030-01-01T12:00:00.000Z",
        revision: 0,
      },
    });
  });

  it("is there for whoever reads it, as it was answered", async () => {
    const { body } = await create({ ...PLAIN, cron: "0 9 * * mon", interval: null, timezone: "Europe/London" });
    expect(body.data).toMatchObject({ cron: "0 9 * * MON", interval: null, timezone: "Europe/London" });
    const schedule = new ScheduleUnderTest(account, body.data.id);
    expect(await schedule.show()).toEqual(body.data);
    expect(await schedule.row()).toMatchObject({
      status: "active",
      revision: 0,
      reportDueAt: Date.UTC(2030, 0, 7, 9),
    });
    expect(await schedule.alarm()).toBe(Date.UTC(2030, 0, 7, 9));
  });

  it("keeps everything it was given", async () => {
    const given = {
      name: "n",
      description: "d",
      handler: "h",
      interval: { value: 90, unit: "second" },
      timezone: "Asia/Kathmandu",
      runs: 5,
      stop_at: "2031-01-01T00:00:00.000Z",
      delivery: { type: "push", http: { url: TARGET, method: "PUT", headers: { "X-A": "b" } } },
      payload: { deep: [{ ä: null }] },
      timeout: 600,
      max_retries: 0,
      backoff: { type: "fixed", initial: 60, max: 60, jitter: false },
      expires_after: { value: 2, unit: "hour" },
      tags: ["a", "b"],
      flow: "f",
      overlap: "skip",
      idempotency_key: "k",
    };
    expect((await create(given)).body.data).toMatchObject(given);
  });

  it("takes null for what it leaves out", async () => {
    const nothing = { description: null, timezone: null, runs: null, stop_at: null, delivery: null, payload: null };
    const none = { backoff: null, expires_after: null, tags: null, flow: null, overlap: null, idempotency_key: null };
    expect(
      (await create({ ...PLAIN, ...nothing, ...none, cron: null, timeout: null, max_retries: null })).body.data,
    ).toMatchObject({
      ...none,
      tags: [],
      overlap: "allow",
      timezone: "UTC",
      runs: null,
      stop_at: null,
      delivery: { type: "pull" },
      timeout: 30,
      max_retries: 3,
    });
  });

  it("needs no handler when it pushes", async () => {
    expect((await create({ name: "n", ...HOURLY, delivery: PUSH })).body.data).toMatchObject({ handler: null });
  });
});

const LIMITS: [string, Body[], Body[]][] = [
  [
    "name",
    [{ name: "x" }, { name: "ä".repeat(255) }],
    [{ name: "" }, { name: "x".repeat(256) }, { name: 1 }, { name: null }],
  ],
  [
    "description",
    [{ description: "" }, { description: "ä".repeat(1000) }],
    [{ description: "x".repeat(1001) }, { description: 1 }],
  ],
  ["handler", [{ handler: "x".repeat(255) }], [{ handler: "" }, { handler: "x".repeat(256) }, { handler: 1 }]],
  [
    "runs",
    [{ runs: 1 }, { runs: Number.MAX_SAFE_INTEGER }],
    [{ runs: 0 }, { runs: -1 }, { runs: 1.5 }, { runs: "1" }, { runs: 2 ** 53 }],
  ],
  [
    "stop_at",
    [{ stop_at: iso(NOON + HOUR + 1) }, { stop_at: "2030-01-01T14:00:01+01:00" }],
    [
      { stop_at: iso(NOON + HOUR) },
      { stop_at: iso(NOON) },
      { stop_at: "1970-01-01T00:00:00Z" },
      { stop_at: "2031-01-01" },
      { stop_at: "2031-01-01T00:00:00" },
      { stop_at: NOON + DAY },
    ],
  ],
  [
    "timezone",
    [{ timezone: "Europe/London" }, { timezone: "utc" }],
    [
      ...[{ timezone: "" }, { timezone: "Europe/Atlantis" }, { timezone: "+01:00" }, { timezone: 1 }],
      ...[{ timezone: "PST" }, { timezone: "ist" }, { timezone: "PST", interval: null, cron: "0 9 * * *" }],
    ],
  ],
  [
    "timeout",
    [{ timeout: 1 }, { timeout: 86_400 }, { timeout: 600, delivery: PUSH }],
    [{ timeout: 0 }, { timeout: 86_401 }, { timeout: 601, delivery: PUSH }, { timeout: 1.5 }],
  ],
  ["overlap", [{ overlap: "allow" }, { overlap: "skip" }], [{ overlap: "queue" }, { overlap: true }, { overlap: "" }]],
  [
    "idempotency_key",
    [{ idempotency_key: "x" }, { idempotency_key: "ä".repeat(255) }, { idempotency_key: `${UUID}.` }],
    [
      ...[{ idempotency_key: "" }, { idempotency_key: "x".repeat(256) }, { idempotency_key: 1 }],
      ...[{ idempotency_key: `${UUID}.1` }, { idempotency_key: `${UUID.toUpperCase()}.1893499680000` }],
    ],
  ],
  [
    "tags",
    [{ tags: [] }, { tags: ["x".repeat(64)] }, { tags: Array.from({ length: 10 }, (_, i) => `t${i}`) }],
    [{ tags: Array.from({ length: 11 }, (_, i) => `t${i}`) }, { tags: ["a", "a"] }, { tags: "a" }],
  ],
  ["flow", [{ flow: "ä".repeat(255) }], [{ flow: "" }, { flow: "x".repeat(256) }]],
  [
    "expires_after",
    [{ expires_after: { value: 1, unit: "second" } }, { expires_after: { value: 5 * 365, unit: "day" } }],
    [{ expires_after: { value: 5 * 365 + 1, unit: "day" } }, { expires_after: 60 }],
  ],
  [
    "backoff.max",
    [{ backoff: { type: "fixed", initial: 5, max: 5 } }],
    [{ backoff: { type: "fixed", initial: 5, max: 4 } }],
  ],
  ["backoff.delays", [{ backoff: { type: "list", delays: [1] } }], [{ backoff: { type: "list", delays: [] } }]],
  ["max_retries", [{ max_retries: 0 }, { max_retries: 50 }], [{ max_retries: -1 }, { max_retries: 51 }]],
  [
    "payload",
    [{ payload: { a: "x".repeat(65_536 - 8) } }],
    [{ payload: {} }, { payload: [] }, { payload: "x" }, { payload: { a: "x".repeat(65_536 - 7) } }],
  ],
  ["delivery.type", [], [{ delivery: { type: "fax" } }, { delivery: {} }]],
  ["delivery.queue", [], [{ delivery: { type: "pull", queue: "nobody" } }]],
  [
    "delivery.http.url",
    [],
    [
      { delivery: { type: "push", http: { url: "http://example.com", method: "POST" } } },
      { delivery: { type: "push", http: { url: "https://127.0.0.1", method: "POST" } } },
    ],
  ],
  ["interval.value", [], [{ interval: { value: 0, unit: "second" } }, { interval: { value: 0.5, unit: "hour" } }]],
  ["interval.unit", [], [{ interval: { value: 1, unit: "month" } }, { interval: { value: 1 } }]],
  [
    "interval",
    [{ interval: { value: 1, unit: "second" } }, { interval: { value: 5 * 365, unit: "day" } }],
    [
      { interval: { value: 5 * 365 + 1, unit: "day" } },
      { interval: { value: 2 ** 53 - 1, unit: "week" } },
      { interval: 60 },
    ],
  ],
  ["colour", [], [{ colour: "red" }]],
  ["interval.colour", [], [{ interval: { ...HOURLY.interval, colour: "red" } }]],
];

describe.each(LIMITS)("%s", (field, taken, refused) => {
  for (const body of taken)
    it(`takes ${JSON.stringify(body).slice(0, 80)}`, async () =>
      expect(await blamed({ ...PLAIN, ...body })).toEqual([]));
  for (const body of refused)
    it(`refuses ${JSON.stringify(body).slice(0, 80)}`, async () =>
      expect(await blamed({ ...PLAIN, ...body })).toEqual([field]));
});

describe("cron", () => {
  const CRON = { ...PLAIN, interval: null };

  it.each(["* * * * *", "0 9 * * MON-FRI", "*/5 0-7,20-23 1 jan,jul 0"])("takes %j", async (cron) => {
    expect(await blamed({ ...CRON, cron })).toEqual([]);
  });

  it.each([
    ["0 0 9 * * *", "five fields"],
    ["@daily", "Write `0 0 * * *`."],
    ["0 25 * * *", "The hour must be from 0 to 23, not 25."],
    ["0 0 30 2 *", "Never fires"],
    ["", "empty"],
    ["*".repeat(256), "255"],
  ])("refuses %j and says why", async (cron, words) => {
    const { status, body } = await create({ ...CRON, cron });
    expect([status, body.errors]).toEqual([422, [{ field: "cron", message: expect.stringContaining(words) }]]);
  });

  it("is refused beside an interval, and neither is, too", async () => {
    expect(await blamed({ ...PLAIN, cron: "* * * * *" })).toEqual(["interval"]);
    expect(await blamed(without("interval"))).toEqual(["cron"]);
  });
});

it.each(["name", "handler"])("%s is required", async (field) => {
  expect(await blamed(without(field))).toEqual([field]);
});

it("all that is wrong is told at once", async () => {
  expect(await blamed({ name: "", cron: "x", runs: 0, colour: 1 })).toEqual(["name", "cron", "runs", "colour"]);
});

it("an unknown query parameter is refused", async () => {
  const { status, body } = await api("POST", "/v1/schedules?dry_run=1", { key: account.key, body: PLAIN });
  expect([status, body.errors[0]?.field]).toEqual([422, "dry_run"]);
});

it("while D1 is down none is made: 503 with Retry-After", async () => {
  const outage = databaseDown();
  const { status, body, headers } = await postSchedule(account);
  outage.end();
  expect([status, body.code, headers.get("Retry-After")]).toEqual([503, "unavailable", "10"]);
  expect((await api<unknown[]>("GET", "/v1/schedules", { key: account.key })).body.data).toEqual([]);
});

it("a wake that is lost makes no difference to the answer", async () => {
  const deaf = { getByName: () => ({ wake: () => Promise.reject(new Error("lost")) }) };
  const { status } = await api("POST", "/v1/schedules", { key: account.key, body: PLAIN, env: { SCHEDULES: deaf } });
  expect(status).toBe(201);
});

it("an interval is a length of time in any zone, which its preview tells the time in", async () => {
  setClock(Date.UTC(2030, 2, 30, 12));
  const { body } = await create({ ...PLAIN, interval: { value: 1, unit: "day" }, timezone: "Europe/London" });
  expect(body.data).toMatchObject({ timezone: "Europe/London", next_run_at: "2030-03-31T12:00:00.000Z" });
  const asked = {
    key: account.key,
    body: { interval: { value: 1, unit: "day" }, timezone: "Europe/London", count: 2 },
  };
  const local = ["2030-03-31T13:00:00.000+01:00", "2030-04-01T13:00:00.000+01:00"];
  const shown = [await new ScheduleUnderTest(account, body.data.id).preview("?count=2")];
  shown.push(await api("POST", "/v1/schedules/preview", asked));
  for (const preview of shown) expect(preview.body.data.map((tick) => tick.local)).toEqual(local);
});

it("a cron counts from the moment it is made, in its zone", async () => {
  setClock(NOON + 30 * MINUTE);
  const { body } = await create({ ...PLAIN, interval: null, cron: "15 18 * * *", timezone: "Asia/Kathmandu" });
  expect(body.data.next_run_at).toBe("2030-01-02T12:30:00.000Z");
});
