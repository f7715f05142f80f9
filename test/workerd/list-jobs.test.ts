// GET /v1/jobs (contract §1 and §2): order, filters, pages, cursors.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { newJobId } from "../../src/objects/new-id.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { api, type JobJson } from "./harness/api.ts";
import { iso, NOON } from "./harness/clock.ts";
import { newJob } from "./harness/job.ts";
import { insertMany, insertRows } from "./harness/rows.ts";

const SCHEDULE = "0a0a0a0a-0000-4000-8000-000000000001";
const STATUSES = ["pending", "queued", "running", "retrying", "completed", "failed", "cancelled"] as const;

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const list = (query = "") => api<JobJson[]>("GET", `/v1/jobs${query}`, { key: account.key });
const idsIn = async (query = ""): Promise<string[]> => (await list(query)).body.data.map(({ id }) => id);

/** The ids of a list, whatever the order. */
const found = async (query: string): Promise<string[]> => (await idsIn(query)).sort();

it("is newest first, by creation and then by id", async () => {
  const [a = "", b = ""] = [newJobId(NOON), newJobId(NOON)].sort();
  const [young, old] = await insertRows(account, [
    { createdAt: NOON + 1 },
    { createdAt: NOON - 1 },
    { id: a },
    { id: b },
  ]);
  expect(await idsIn()).toEqual([young, b, a, old]);
});

it("shows a job as the read model knows it, with the fields of a single job", async () => {
  const job = await newJob(account, { payload: { n: 1 }, idempotency_key: "k" });
  expect((await list()).body.data).toEqual([await job.show()]);
});

it("of an account without jobs is empty: no page, no cursor", async () => {
  const { body } = await list();
  expect([body.data, body.meta.paging]).toEqual([[], { page: 1, pages: 0, size: 20, total: 0, next_cursor: null }]);
});

describe("filters", () => {
  it.each(STATUSES)("status=%s", async (status) => {
    const ids = await insertRows(
      account,
      STATUSES.map((one) => ({ status: one })),
    );
    expect(await idsIn(`?status=${status}`)).toEqual([ids[STATUSES.indexOf(status)]]);
  });

  it.each(["queued", "running", "retrying", "failed", "cancelled"])(
    "status=%s reads its own index, however many jobs have gone well",
    async (status) => {
      const asked = vi.spyOn(env.DB, "prepare");
      await list(`?status=${status}`);
      const texts = asked.mock.calls.map(([text]) => text).filter((text) => /from "jobs"/i.test(text));
      asked.mockRestore();
      expect(texts).toHaveLength(3); // the page, the total, where it would stop
      for (const text of texts) {
        const values = Array(text.match(/\?/g)?.length ?? 0).fill(1);
        const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
          .bind(...values)
          .all<{ detail: string }>();
        const details = plan.results.map(({ detail }) => detail).join("; ");
        expect(details).toMatch(/SEARCH jobs USING (?:COVERING )?INDEX jobs_status \(account_id=\? AND status=\?\)/);
      }
    },
  );

  it("status, given twice, takes both", async () => {
    const ids = await insertRows(
      account,
      STATUSES.map((status) => ({ status })),
    );
    expect(await found("?status=failed&status=running")).toEqual([ids[2], ids[5]].sort());
  });

  it("handler, exactly as it is written", async () => {
    const [mine] = await insertRows(account, [{ handler: "a&b=é" }, { handler: "A&B=é" }, { handler: null }]);
    expect(await idsIn(`?handler=${encodeURIComponent("a&b=é")}`)).toEqual([mine]);
  });

  it("schedule_id, a UUID in any letters", async () => {
    const [mine] = await insertRows(account, [{ scheduleId: SCHEDULE }, { scheduleId: crypto.randomUUID() }, {}]);
    expect(await idsIn(`?schedule_id=${SCHEDULE.toUpperCase()}`)).toEqual([mine]);
  });

  it("schedule_id=null, the one-off jobs", async () => {
    const [, oneOff] = await insertRows(account, [{ scheduleId: SCHEDULE }, {}]);
    expect(await idsIn("?schedule_id=null")).toEqual([oneOff]);
  });

  it("idempotency_key, even of the form that belongs to schedules", async () => {
    const key = `${SCHEDULE}.1893499200000`;
    const [mine] = await insertRows(account, [{ idempotencyKey: key }, { idempotencyKey: "other" }, {}]);
    expect(await idsIn(`?idempotency_key=${key}`)).toEqual([mine]);
  });

  it("created_after and created_before, to the millisecond and without the moment itself", async () => {
    const [, , third] = await insertRows(
      account,
      [0, 1, 2, 3].map((ms) => ({ createdAt: NOON + ms })),
    );
    expect(await idsIn(`?created_after=${iso(NOON + 1)}&created_before=${iso(NOON + 3)}`)).toEqual([third]);
    expect(await idsIn(`?created_after=${encodeURIComponent("2030-01-01T14:00:00.001+02:00")}`)).toHaveLength(2);
  });

  it("all together: what fulfils every one of them", async () => {
    const wanted = { status: "failed", handler: "h", scheduleId: SCHEDULE, createdAt: NOON } as const;
    const [mine] = await insertRows(account, [
      { ...wanted, idempotencyKey: "k" },
      { ...wanted, status: "completed" },
      { ...wanted, handler: "other" },
      { ...wanted, scheduleId: null },
      { ...wanted, createdAt: NOON - 10 },
      { ...wanted, createdAt: NOON + 10 },
      { ...wanted },
    ]);
    const query =
      `?status=failed&status=cancelled&handler=h&schedule_id=${SCHEDULE}&idempotency_key=k` +
      `&created_after=${iso(NOON - 1)}&created_before=${iso(NOON + 1)}&page=1&size=1`;
    const { body } = await list(query);
    expect(body.data.map(({ id }) => id)).toEqual([mine]);
    expect(body.meta.paging).toMatchObject({ total: 1, pages: 1 });
  });
});

describe("a query parameter", () => {
  it.each([
    ["status=unknown", "status"],
    ["status=", "status"],
    ["status=failed&status=unknown", "status"],
    ["handler=", "handler"],
    ["handler=a&handler=b", "handler"],
    [`handler=${"x".repeat(256)}`, "handler"],
    ["schedule_id=none", "schedule_id"],
    ["schedule_id=", "schedule_id"],
    ["idempotency_key=", "idempotency_key"],
    ["created_after=2030-01-01", "created_after"],
    ["created_before=yesterday", "created_before"],
    ["page=0", "page"],
    ["page=-1", "page"],
    ["page=1.5", "page"],
    ["page=x", "page"],
    ["page=", "page"],
    ["page=1&page=2", "page"],
    ["page=99999999999999999999", "page"],
    ["size=0", "size"],
    ["size=101", "size"],
    ["size=ten", "size"],
    ["cursor=nonsense", "cursor"],
    ["cursor=", "cursor"],
    ["colour=red", "colour"],
    ["toString=1", "toString"],
    ["__proto__=1", "__proto__"],
    ["constructor=1", "constructor"],
    ["Status=failed", "Status"],
  ])("%s is refused, on its own name", async (query, field) => {
    const { status, body } = await list(`?${query}`);
    expect([status, body.code]).toEqual([422, "validation_error"]);
    expect(body.errors.map((error) => error.field.split(".")[0])).toEqual([field]);
  });

  it("size may be 1, and 100", async () => {
    await insertMany(account, 101);
    expect((await list("?size=1")).body.data).toHaveLength(1);
    expect((await list("?size=100")).body.data).toHaveLength(100);
    expect((await list()).body.data).toHaveLength(20);
  });
});

describe("pages", () => {
  it("follow one another without a gap, and end in an empty one", async () => {
    await insertMany(account, 7);
    const pages = await Promise.all([1, 2, 3, 4].map((page) => list(`?size=3&page=${page}`)));
    const ids = pages.flatMap(({ body }) => body.data.map(({ id }) => id));
    expect(pages.map(({ body }) => body.data.length)).toEqual([3, 3, 1, 0]);
    expect(new Set(ids).size).toBe(7);
    expect(pages.map(({ body }) => body.meta.paging.page)).toEqual([1, 2, 3, 4]);
    expect(pages[0]?.body.meta.paging).toMatchObject({ pages: 3, size: 3, total: 7, next_cursor: expect.any(String) });
    expect(pages[2]?.body.meta.paging.next_cursor).toBeNull();
  });

  it("are counted exactly up to 10,000 entries", async () => {
    await insertMany(account, 10_000);
    const { body } = await list("?size=100&page=100");
    expect(body.data).toHaveLength(100);
    expect(body.meta.paging).toMatchObject({ total: 10_000, pages: 100, next_cursor: null });
  });

  it("stop there: the total says 10,000, and a page beyond is 422 on `page`", async () => {
    await insertMany(account, 10_050);
    const last = await list("?size=30&page=334");
    expect(last.body.data).toHaveLength(30);
    expect(last.body.meta.paging).toMatchObject({ total: 10_000, pages: 334 });
    for (const query of ["?size=30&page=335", "?size=100&page=101", "?page=501", "?size=1&page=10001"]) {
      const { status, body } = await list(query);
      expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["page"]]);
    }
    expect((await list("?size=1&page=10000")).status).toBe(200);
  });
});

describe("a cursor", () => {
  it("walks a list of any length, each job once", async () => {
    await insertMany(account, 10_050);
    const seen = new Set<string>();
    let calls = 0;
    for (let cursor: string | null | undefined = ""; cursor !== null; calls++) {
      const { body } = await list(`?size=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      for (const { id } of body.data) seen.add(id);
      expect(body.meta.paging.page).toBe(calls + 1);
      cursor = body.meta.paging.next_cursor;
    }
    expect([seen.size, calls]).toEqual([10_050, 101]);
  });

  it("is not disturbed by what is created meanwhile", async () => {
    const ids = await insertRows(
      account,
      [5, 4, 3, 2, 1].map((ms) => ({ createdAt: NOON + ms })),
    );
    const first = await list("?size=2");
    await insertRows(account, [{ createdAt: NOON + 6 }]);
    const next = await idsIn(`?size=10&cursor=${first.body.meta.paging.next_cursor}`);
    expect([...first.body.data.map(({ id }) => id), ...next]).toEqual(ids);
  });

  it("goes on from the last page by number", async () => {
    await insertMany(account, 5);
    const { body } = await list("?size=2&page=2");
    expect(await idsIn(`?size=2&cursor=${body.meta.paging.next_cursor}`)).toEqual(await idsIn("?size=2&page=3"));
  });

  it("keeps the filters it is sent with", async () => {
    await insertRows(
      account,
      [1, 2, 3, 4].map((ms) => ({ createdAt: NOON + ms, status: ms % 2 === 0 ? "failed" : "completed" })),
    );
    const { body } = await list("?size=1&status=failed");
    const next = await list(`?size=5&status=failed&cursor=${body.meta.paging.next_cursor}`);
    expect(next.body.data.map(({ created_at }) => created_at)).toEqual([iso(NOON + 2)]);
  });

  it("is refused beside a page", async () => {
    await insertMany(account, 3);
    const { body } = await list("?size=1");
    const { status, body: refused } = await list(`?page=1&cursor=${body.meta.paging.next_cursor}`);
    expect([status, refused.errors.map(({ field }) => field)]).toEqual([422, ["cursor"]]);
  });

  it("made by hand finds nothing of another account", async () => {
    await insertMany(await newAccount(), 3);
    const cursor = btoa(`2.${newJobId(NOON + 1)}`).replaceAll("=", "");
    expect(await idsIn(`?cursor=${cursor}`)).toEqual([]);
  });
});
