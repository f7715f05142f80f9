// GET /v1/schedules, its filters and pages; previews; and that another account's schedule does not exist.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { newJobId } from "../../../src/objects/new-id.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { api, type Envelope } from "../harness/api.ts";
import { advance, HOUR, iso, NOON, setClock } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { HOURLY, newSchedule, type ScheduleJson, type ScheduleUnderTest, type TickJson } from "./schedule.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const list = async (query = "", by = account): Promise<Envelope<ScheduleJson[]>> =>
  (await api<ScheduleJson[]>("GET", `/v1/schedules${query}`, { key: by.key })).body;
const names = async (query = "") => (await list(query)).data.map(({ name }) => name);

async function named(name: string, more: Record<string, unknown> = {}): Promise<ScheduleUnderTest> {
  const made = await newSchedule(account, { ...HOURLY, name, ...more });
  advance(1);
  return made;
}

describe("a list", () => {
  it("is newest first, and shows what GET shows", async () => {
    const schedule = await named("one");
    await named("two");
    const { data, meta } = await list();
    expect(data.map(({ name }) => name)).toEqual(["two", "one"]);
    expect(data[1]).toEqual(await schedule.show());
    expect(meta.paging).toEqual({ page: 1, pages: 1, size: 20, total: 2, next_cursor: null });
  });

  it("is empty before there is anything", async () => {
    expect((await list()).meta.paging).toEqual({ page: 1, pages: 0, size: 20, total: 0, next_cursor: null });
  });

  it("is narrowed by status, one or several, and by handler", async () => {
    const done = await named("done", { runs: 1, handler: "a" });
    const gone = await named("gone", { handler: "b" });
    const still = await named("still", { handler: "b" });
    await named("live", { handler: "a" });
    await gone.archive();
    await still.pause();
    await done.ringAt(NOON + HOUR);
    expect(await names("?status=active")).toEqual(["live"]);
    expect(await names("?status=completed")).toEqual(["done"]);
    expect(await names("?status=archived")).toEqual(["gone"]);
    expect(await names("?status=paused")).toEqual(["still"]);
    expect(await names("?status=completed&status=archived")).toEqual(["gone", "done"]);
    expect(await names("?handler=a")).toEqual(["live", "done"]);
    expect(await names("?handler=a&status=active")).toEqual(["live"]);
    expect(await names("?handler=nobody")).toEqual([]);
    expect((await list("?status=completed&status=archived&size=1")).meta.paging).toMatchObject({ total: 2, pages: 2 });
  });

  it("is read in pages, by number and by cursor", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) await named(name);
    expect(await names("?size=2")).toEqual(["e", "d"]);
    expect(await names("?size=2&page=2")).toEqual(["c", "b"]);
    expect(await names("?size=2&page=3")).toEqual(["a"]);
    expect(await names("?size=2&page=4")).toEqual([]);
    const walked: string[] = [];
    const pages: number[] = [];
    let cursor: string | null | undefined = "";
    while (cursor !== null && cursor !== undefined) {
      const { data, meta } = await list(`?size=2${cursor && `&cursor=${cursor}`}`);
      walked.push(...data.map(({ name }) => name));
      pages.push(meta.paging.page);
      cursor = meta.paging.next_cursor;
    }
    expect([walked, pages]).toEqual([
      ["e", "d", "c", "b", "a"],
      [1, 2, 3],
    ]);
  });

  it("tells schedules of one millisecond apart", async () => {
    await Promise.all(["a", "b", "c"].map((name) => newSchedule(account, { ...HOURLY, name })));
    const first = await list("?size=2");
    const rest = await list(`?size=2&cursor=${first.meta.paging.next_cursor}`);
    expect([...first.data, ...rest.data].map(({ name }) => name).sort()).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["?size=0", "size"],
    ["?size=101", "size"],
    ["?page=0", "page"],
    ["?page=501", "page"],
    ["?cursor=x", "cursor"],
    [`?cursor=${btoa(`2.${NOON}.ffffffff-ffff-4fff-bfff-ffffffffffff`).replaceAll("=", "")}&page=2`, "cursor"],
    ["?status=resumed", "status"],
    ["?status=", "status"],
    ["?handler=", "handler"],
    ["?name=x", "name"],
  ])("refuses %s", async (query, field) => {
    const { code, errors } = await list(query);
    expect([code, errors.map((error) => error.field)]).toEqual(["validation_error", [field]]);
  });

  it("while D1 is down answers 503", async () => {
    await list(); // the key is known from now on
    const outage = databaseDown();
    const { code } = await list();
    outage.end();
    expect(code).toBe("unavailable");
  });
});

describe("a preview", () => {
  const ask = (body: unknown) => api<TickJson[]>("POST", "/v1/schedules/preview", { key: account.key, body });

  it("shows the next ten runs, in UTC and as the clock in the zone shows them", async () => {
    setClock(Date.UTC(2030, 2, 29, 12));
    const schedule = await newSchedule(account, { cron: "30 1 * * *", timezone: "Europe/London" });
    const { body } = await schedule.preview();
    expect(body.data).toHaveLength(10);
    expect(body.data.slice(0, 3)).toEqual([
      { utc: "2030-03-30T01:30:00.000Z", local: "2030-03-30T01:30:00.000+00:00" },
      { utc: "2030-03-31T01:00:00.000Z", local: "2030-03-31T02:00:00.000+01:00" },
      { utc: "2030-04-01T00:30:00.000Z", local: "2030-04-01T01:30:00.000+01:00" },
    ]);
  });

  it("is the same for one that is not yet made, and makes none", async () => {
    const made = await newSchedule(account, HOURLY);
    expect((await ask(HOURLY)).body.data).toEqual((await made.preview()).body.data);
    expect((await list()).data).toHaveLength(1);
  });

  it.each([
    [1, 1],
    [100, 100],
  ])("shows %s if asked", async (count, length) => {
    const schedule = await newSchedule(account, { cron: "* * * * *" });
    expect((await schedule.preview(`?count=${count}`)).body.data).toHaveLength(length);
    expect((await ask({ cron: "* * * * *", count })).body.data).toHaveLength(length);
  });

  it.each(["0", "101", "1.5", "-1", "x", ""])("refuses a count of %j", async (count) => {
    const schedule = await newSchedule(account);
    const { status, body } = await schedule.preview(`?count=${count}`);
    expect([status, body.errors[0]?.field]).toEqual([422, "count"]);
  });

  it.each([0, 101, 1.5, -1, "10"])("refuses a count of %j in a body", async (count) => {
    const { status, body } = await ask({ ...HOURLY, count });
    expect([status, body.errors[0]?.field]).toEqual([422, "count"]);
  });

  it("goes as far as runs and stop_at let it", async () => {
    expect((await ask({ ...HOURLY, runs: 2 })).body.data).toHaveLength(2);
    expect((await ask({ ...HOURLY, stop_at: iso(NOON + 3 * HOUR) })).body.data).toHaveLength(2);
    expect((await ask({ ...HOURLY, stop_at: iso(NOON + 3 * HOUR + 1) })).body.data).toHaveLength(3);
    expect((await ask({ ...HOURLY, stop_at: iso(NOON + HOUR) })).body.data).toEqual([]);
    const schedule = await newSchedule(account, { ...HOURLY, runs: 3 });
    await schedule.ringAt(NOON + HOUR);
    expect((await schedule.preview()).body.data.map(({ utc }) => utc)).toEqual([
      iso(NOON + 2 * HOUR),
      iso(NOON + 3 * HOUR),
    ]);
  });

  it("of one that is over is empty", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, runs: 1 });
    await schedule.ringAt(NOON + HOUR);
    expect((await schedule.preview()).body.data).toEqual([]);
  });

  it.each<[string, Record<string, unknown>]>([
    ["cron", {}],
    ["cron", { cron: "@daily" }],
    ["interval", { ...HOURLY, cron: "* * * * *" }],
    ["timezone", { ...HOURLY, timezone: "Nowhere" }],
    ["timezone", { ...HOURLY, timezone: "CST" }],
    ["timezone", { cron: "0 9 * * *", timezone: "CST" }],
    ["stop_at", { ...HOURLY, stop_at: iso(NOON) }],
    ["runs", { ...HOURLY, runs: 0 }],
    ["name", { ...HOURLY, name: "x" }],
  ])("is refused on %s: %o", async (field, body) => {
    const answer = await ask(body);
    expect([answer.status, answer.body.errors.map((error) => error.field)]).toEqual([422, [field]]);
  });
});

describe("a schedule that is not there", () => {
  const ROUTES: [string, "GET" | "PATCH" | "POST", string, unknown][] = [
    ["reading it", "GET", "", undefined],
    ["changing it", "PATCH", "", { name: "x" }],
    ["archiving it", "POST", "/archive", undefined],
    ["its preview", "GET", "/preview", undefined],
  ];

  it.each(ROUTES)("is 404 schedule_not_found: %s", async (_, method, action, body) => {
    const id = newJobId(NOON);
    const answer = await api(method, `/v1/schedules/${id}${action}`, { key: account.key, body });
    expect([answer.status, answer.body.code]).toEqual([404, "schedule_not_found"]);
    expect(await stored(account, id)).toEqual({ keys: [], alarm: null });
  });

  it.each(ROUTES)("is the same for an id that cannot be a schedule's, and no object is asked: %s", async (...route) => {
    const [, method, action, body] = route;
    const asked: string[] = [];
    const getByName = (name: string) => {
      asked.push(name);
      return env.SCHEDULES.getByName(name);
    };
    const path = `/v1/schedules/ffffffff-ffff-4fff-8fff-ffffffffffff${action}`;
    const answer = await api(method, path, { key: account.key, body, env: { SCHEDULES: { getByName } } });
    expect([answer.status, answer.body.code, asked]).toEqual([404, "schedule_not_found", []]);
  });

  it.each(ROUTES)("nor is another account's, and nothing is changed or stored: %s", async (_, method, action, body) => {
    const schedule = await newSchedule(account);
    const before = [await schedule.row(), await schedule.stored(), await schedule.alarm()];
    const stranger = await newAccount("a stranger");
    const answer = await api(method, `/v1/schedules/${schedule.id}${action}`, { key: stranger.key, body });
    const nobodys = await api(method, `/v1/schedules/${newJobId(NOON)}${action}`, { key: stranger.key, body });
    expect([answer.status, answer.body]).toEqual([404, nobodys.body]);
    expect([await schedule.row(), await schedule.stored(), await schedule.alarm()]).toEqual(before);
    expect(await stored(stranger, schedule.id)).toEqual({ keys: [], alarm: null });
  });

  it.each(ROUTES)("an id that is no UUID is 422 on id: %s", async (_, method, action, body) => {
    const { status, body: answer } = await api(method, `/v1/schedules/nobody${action}`, { key: account.key, body });
    expect([status, answer.errors.map(({ field }) => field)]).toEqual([422, ["id"]]);
  });

  it("an id in upper case is the same", async () => {
    const schedule = await newSchedule(account);
    const { status } = await api("GET", `/v1/schedules/${schedule.id.toUpperCase()}`, { key: account.key });
    expect(status).toBe(200);
  });

  it("is in no list of another account", async () => {
    await newSchedule(account);
    const stranger = await newAccount("a stranger");
    for (const query of ["", "?status=active", "?handler=h"]) {
      const { data, meta } = await list(query, stranger);
      expect([data, meta.paging.total]).toEqual([[], 0]);
    }
  });

  const stored = ({ id }: Account, scheduleId: string) =>
    runInDurableObject(env.SCHEDULES.getByName(`${id}/${scheduleId}`), async (_, { storage }) => ({
      keys: [...storage.kv.list()],
      alarm: await storage.getAlarm(),
    }));
});

it.each([
  ["/v1/schedules", "GET, HEAD, POST"],
  ["/v1/schedules/00000000-0000-4000-8000-000000000000", "GET, HEAD, PATCH"],
  ["/v1/schedules/00000000-0000-4000-8000-000000000000/archive", "POST"],
  ["/v1/schedules/00000000-0000-4000-8000-000000000000/preview", "GET, HEAD"],
])("another method is 405, and Allow says which there are: %s", async (path, allowed) => {
  const { status, headers } = await api("DELETE", path, { key: account.key });
  expect([status, headers.get("Allow")]).toEqual([405, allowed]);
});

it("without a key every path is 401", async () => {
  for (const path of ["/v1/schedules", `/v1/schedules/${newJobId(NOON)}`])
    expect((await api("GET", path)).status).toBe(401);
});
