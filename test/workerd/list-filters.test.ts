// The filters of GET /v1/jobs (contract §2), and what each of them reads at most: 10,000 rows, and where it stopped.

import { env } from "cloudflare:workers";
import * as v from "valibot";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { JobFilter } from "../../src/domain/bulk-action.ts";
import { FilterBody, filterOf } from "../../src/routes/job-filter.ts";
import { directoryOf } from "../../src/store/databases.ts";
import { idsMatching, MAX_COUNTED } from "../../src/store/list-jobs.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { api, type JobJson } from "./harness/api.ts";
import { iso, NOON } from "./harness/clock.ts";
import { insertMany, insertRows } from "./harness/rows.ts";

const SCHEDULE = "0a0a0a0a-0000-4000-8000-000000000001";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const list = (query = "") => api<JobJson[]>("GET", `/v1/jobs${query}`, { key: account.key });
const found = async (query: string): Promise<string[]> => (await list(query)).body.data.map(({ id }) => id).sort();

describe("tag", () => {
  it("is one of the job's tags, exactly as it is written", async () => {
    const tags = (...tags: string[]) => ({ tags });
    const [a, b] = await insertRows(account, [tags("x"), tags("y", "x"), tags("X"), tags("xx"), tags("x y"), {}]);
    expect(await found("?tag=x")).toEqual([a, b].sort());
  });

  it("given more often, takes jobs that have all of them", async () => {
    const [both] = await insertRows(account, [{ tags: ["x", "y"] }, { tags: ["x"] }, { tags: ["y"] }]);
    expect(await found("?tag=x&tag=y")).toEqual([both]);
    expect(await found("?tag=x&tag=x&tag=y")).toEqual([both]);
  });

  it.each(['"', "\\", 'a","b', "a\u0000b", "😀", "%", "e\u0301", "null", "1", "['x']"])("may be %j", async (tag) => {
    const [mine] = await insertRows(account, [{ tags: [tag] }, { tags: ["b", "a", "é"] }, { tags: [`${tag}.`] }]);
    expect(await found(`?tag=${encodeURIComponent(tag)}`)).toEqual([mine]);
  });
});

it("flow, exactly as it is written", async () => {
  const [mine] = await insertRows(account, [{ flow: "a b" }, { flow: "A B" }, { flow: null }]);
  expect(await found("?flow=a%20b")).toEqual([mine]);
});

it("name, exactly as it is written", async () => {
  const [mine] = await insertRows(account, [{ name: "n" }, { name: "N" }, { name: "nn" }]);
  expect(await found("?name=n")).toEqual([mine]);
});

it("scheduled_after and scheduled_before, to the millisecond and without the moment itself", async () => {
  const [, b, c] = await insertRows(
    account,
    [0, 1, 2, 3].map((ms) => ({ scheduledFor: NOON + ms })),
  );
  expect(await found(`?scheduled_after=${iso(NOON + 1)}&scheduled_before=${iso(NOON + 3)}`)).toEqual([c]);
  expect(await found(`?scheduled_after=${iso(NOON)}&scheduled_before=${iso(NOON + 3)}`)).toEqual([b, c].sort());
});

it("error_code, of the last error, whatever the status", async () => {
  const error = (code: "timeout" | "network") => ({ lastError: { code, message: "timeout" } });
  const [failed, completed] = await insertRows(account, [
    { status: "failed", ...error("timeout") },
    { status: "completed", ...error("timeout") },
    { status: "failed", ...error("network") },
    { status: "failed" },
  ]);
  expect(await found("?error_code=timeout")).toEqual([failed, completed].sort());
  expect(await found("?error_code=timeout&status=failed")).toEqual([failed]);
});

describe("host", () => {
  const to = (url: string) => ({ delivery: { type: "push", url, method: "POST", headers: {} } as const });

  it.each([
    "https://a.example/jobs",
    "https://a.example",
    "https://a.example?x",
    "https://a.example#x",
    "https://a.example:443/",
    "HTTPS://A.Example/",
    "http://a.example:80/x",
  ])("%s is of a.example", async (url) => {
    const [mine] = await insertRows(account, [to(url)]);
    expect(await found("?host=a.example")).toEqual([mine]);
    expect(await found("?host=A.EXAMPLE")).toEqual([mine]);
  });

  it.each([
    "https://b.a.example/",
    "https://a.example.com/",
    "https://a.example:8443/",
    "https://a.example:80/",
    "https://b.example/https://a.example/",
    "https://b.example/?a.example/",
    "https://axexample/",
  ])("%s is not", async (url) => {
    await insertRows(account, [to(url), { delivery: { type: "pull", queue: null } }]);
    expect(await found("?host=a.example")).toEqual([]);
  });

  it("has its port", async () => {
    const [mine] = await insertRows(account, [to("https://a.example:8443/x"), to("https://a.example/")]);
    expect(await found("?host=a.example:8443")).toEqual([mine]);
  });
});

describe("origin", () => {
  it("takes all but events unless it is given, and what it is given otherwise", async () => {
    const [ours, ticks, events] = await insertRows(account, [
      { origin: "api" },
      { origin: "schedule" },
      { origin: "event" },
    ]);
    expect(await found("")).toEqual([ours, ticks].sort());
    expect(await found("?origin=event")).toEqual([events]);
    expect(await found("?origin=api&origin=event")).toEqual([ours, events].sort());
    expect(await found("?origin=api&origin=schedule&origin=event")).toHaveLength(3);
    expect((await list()).body.meta.paging.total).toBe(2);
  });
});

describe("a query parameter", () => {
  const many = (count: number, name: string) => Array.from({ length: count }, (_, n) => `${name}=${n}`).join("&");
  it.each([
    ["tag=", "tag"],
    [`tag=${"x".repeat(65)}`, "tag"],
    [`tag=a&tag=${"x".repeat(65)}`, "tag"],
    ["tag=a&tag=", "tag"],
    [many(11, "tag"), "tag"],
    ["flow=", "flow"],
    [`flow=${"x".repeat(256)}`, "flow"],
    ["flow=a&flow=b", "flow"],
    ["name=", "name"],
    [`name=${"x".repeat(256)}`, "name"],
    ["scheduled_after=2030-01-01", "scheduled_after"],
    ["scheduled_before=soon", "scheduled_before"],
    ["origin=", "origin"],
    ["origin=cron", "origin"],
    ["origin=api&origin=cron", "origin"],
    ["error_code=other", "error_code"],
    ["error_code=timeout&error_code=network", "error_code"],
    ["host=", "host"],
    [`host=${"x".repeat(256)}`, "host"],
  ])("%s is refused, on its own name", async (query, field) => {
    const { status, body } = await list(`?${query}`);
    expect([status, body.errors.map((error) => error.field.split(".")[0])]).toEqual([422, [field]]);
  });

  it.each([many(10, "tag"), `tag=${"😀".repeat(64)}`, `flow=${"x".repeat(255)}`, `name=${"x".repeat(255)}`])(
    "%s is taken",
    async (query) => expect((await list(`?${query}`)).status).toBe(200),
  );
});

describe("the same filter as an object", () => {
  const read = (body: object): JobFilter => filterOf(v.parse(FilterBody, body));

  it("takes a text or a list, and null for what is left out", () => {
    const body = { status: "failed", tag: ["a", "b"], origin: null, flow: null, schedule_id: "null", name: "n" };
    expect(read(body)).toEqual({ status: ["failed"], tags: ["a", "b"], scheduleId: null, name: "n" });
    expect(read({ status: ["failed", "cancelled"], tag: "a" })).toEqual({
      status: ["failed", "cancelled"],
      tags: ["a"],
    });
  });

  it("is nothing at all when it says nothing", () => {
    expect(read({})).toEqual({});
    expect(read({ schedule_id: null, status: null })).toEqual({});
  });

  it.each([{ status: [] }, { tag: [] }, { origin: [] }, { colour: "red" }, { tag: 1 }])("refuses %j", (body) => {
    expect(v.is(FilterBody, body)).toBe(false);
  });
});

const EVERY: readonly (readonly [query: string, index: string])[] = [
  ["", "PRIMARY KEY"],
  ["handler=h", "PRIMARY KEY"],
  ["tag=a&tag=b", "PRIMARY KEY"],
  ["flow=f", "PRIMARY KEY"],
  ["name=n", "PRIMARY KEY"],
  [`scheduled_after=${iso(NOON)}&scheduled_before=${iso(NOON)}`, "PRIMARY KEY"],
  ["origin=event", "PRIMARY KEY"],
  ["error_code=timeout&host=a.example", "PRIMARY KEY"],
  ["origin=api&origin=event", "PRIMARY KEY"],
  ["status=pending", "PRIMARY KEY"],
  ["status=completed", "PRIMARY KEY"],
  ["status=failed&status=cancelled", "PRIMARY KEY"],
  ["schedule_id=null", "PRIMARY KEY"],
  [`created_after=${iso(NOON)}&created_before=${iso(NOON)}`, "PRIMARY KEY"],
  ["status=failed", "INDEX jobs_status"],
  ["status=failed&error_code=timeout&host=a.example", "INDEX jobs_status"],
  ["status=queued&schedule_id=null&handler=h", "INDEX jobs_status"],
  [`schedule_id=${SCHEDULE}`, "INDEX jobs_schedule"],
  [`schedule_id=${SCHEDULE}&status=failed&tag=a&created_before=${iso(NOON)}`, "INDEX jobs_schedule"],
  ["idempotency_key=k", "INDEX jobs_idempotency"],
  [`idempotency_key=k&schedule_id=${SCHEDULE}&status=failed`, "INDEX jobs_idempotency"],
];

describe.each(["first page", "cursor"])("what is read for the %s", (start) => {
  it.each(EVERY)("with %s is a range of one index, in its order", async (query, index) => {
    const cursor = start === "cursor" ? `&cursor=${btoa(`2.${SCHEDULE}`).replaceAll("=", "")}` : "";
    const asked = vi.spyOn(env.DB, "prepare");
    expect((await list(`?${query}${cursor}`)).status).toBe(200);
    const texts = asked.mock.calls.map(([text]) => text).filter((text) => /from "jobs"/i.test(text));
    asked.mockRestore();
    expect(texts).toHaveLength(3); // the page, the total, where it would stop
    for (const text of texts) {
      const details = await planOf(text);
      const reads = details.filter((detail) => /\bjobs\b/.test(detail));
      const walk = reads.filter((detail) => !detail.includes("(account_id=? AND id=?)"));
      expect(walk).toEqual([
        expect.stringMatching(new RegExp(`^SEARCH jobs USING (COVERING )?${index} \\(account_id=\\?`)),
      ]);
      expect(text.match(/ORDER BY id DESC LIMIT/g)).toHaveLength(1);
      expect(details.filter((detail) => detail.includes("TEMP B-TREE"))).toHaveLength(0);
    }
  });
});

it("no filter reads more than 10,000 rows and a page, in any of its statements", async () => {
  await insertMany(account, 2 * MAX_COUNTED + 500, { status: "failed", scheduleId: SCHEDULE });
  const cursor = btoa("2.00000000-0000-4000-9000-000000000000").replaceAll("=", "");
  const early = iso(0);
  for (const query of [...EVERY.map(([query]) => query), "name=none", `name=none&created_before=${early}`])
    for (const start of ["", `&cursor=${cursor}`]) {
      const batches = vi.spyOn(env.DB, "batch");
      expect((await list(`?size=100&${query}${start}`)).status).toBe(200);
      const answers = await Promise.all(batches.mock.results.map(({ value }) => value as Promise<D1Result[]>));
      batches.mockRestore();
      const read = answers.flat().map(({ meta }) => meta.rows_read);
      expect(read).toHaveLength(3);
      expect(Math.max(...read), `${query}${start}: ${read}`).toBeLessThan(MAX_COUNTED + 400);
    }
});

async function planOf(text: string): Promise<string[]> {
  const values = Array(text.match(/\?/g)?.length ?? 0).fill(1);
  const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
    .bind(...values)
    .all<{ detail: string }>();
  return plan.results.map(({ detail }) => detail);
}

describe("a filter that nothing matches", () => {
  it.each(["?name=none", "?status=failed&tag=none", `?schedule_id=${SCHEDULE}&flow=none`])(
    "(%s) stops after 10,000 rows, tells where, and walks on to the end by cursor",
    async (query) => {
      await insertMany(account, 2 * MAX_COUNTED + 500, { status: "failed", scheduleId: SCHEDULE });
      const pages = await walk(`${query}&size=100`);
      expect(pages.map(({ data }) => data)).toEqual([[], [], []]);
      expect(pages.map(({ meta }) => meta.paging.total)).toEqual([0, 0, 0]);
      expect(pages.map(({ meta }) => meta.paging.searched_to !== undefined)).toEqual([true, true, false]);
    },
  );
});

/** All pages from the first on. */
async function walk(query: string) {
  const pages = [];
  for (let cursor: string | null | undefined = ""; cursor !== null && pages.length < 100; ) {
    const { body } = await list(`${query}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    pages.push(body);
    cursor = body.meta.paging.next_cursor;
  }
  return pages;
}

describe("at the bound", () => {
  /** So many rows that do not match in front of one that does, which is as old as the epoch. */
  const behind = async (others: number): Promise<string | undefined> => {
    const [mine] = await insertRows(account, [
      { createdAt: 0, name: "mine", id: "00000000-0000-4000-7000-000000000000" },
    ]);
    await insertMany(account, others);
    return mine;
  };

  it("what lies within is found, and the list is searched to its end", async () => {
    const mine = await behind(MAX_COUNTED + 19);
    const { body } = await list("?name=mine&size=20");
    expect(body.data.map(({ id }) => id)).toEqual([mine]);
    expect(body.meta.paging).toEqual({ page: 1, pages: 0, size: 20, total: 0, next_cursor: null });
  });

  it("what lies one row behind is found by the cursor", async () => {
    const mine = await behind(MAX_COUNTED + 20);
    const first = await list("?name=mine&size=20");
    expect(first.body.data).toEqual([]);
    expect(first.body.meta.paging).toMatchObject({ searched_to: iso(0), next_cursor: expect.any(String) });
    const next = await list(`?name=mine&size=20&cursor=${first.body.meta.paging.next_cursor}`);
    expect(next.body.data.map(({ id }) => id)).toEqual([mine]);
    expect(next.body.meta.paging).toMatchObject({ page: 2, next_cursor: null });
    expect(next.body.meta.paging).not.toHaveProperty("searched_to");
  });

  it("the total counts what is found among 10,000", async () => {
    await behind(MAX_COUNTED - 1);
    expect((await list("?name=mine")).body.meta.paging.total).toBe(1);
    await insertRows(account, [{}]);
    expect((await list("?name=mine")).body.meta.paging.total).toBe(0);
  });

  it("a full page says nothing of it", async () => {
    await insertMany(account, MAX_COUNTED + 100);
    expect((await list("?name=a%20row")).body.meta.paging).not.toHaveProperty("searched_to");
  });

  it("a bulk action walks the same way", async () => {
    const mine = await behind(MAX_COUNTED);
    const look = (after: string | null, limit = 10) =>
      idsMatching(directoryOf(env), account.id, { name: "mine" }, { after, limit });
    const first = await look(null);
    if (!first.ok) throw new Error("no answer");
    expect(first.value).toEqual({ ids: [], next: expect.any(String) });
    expect(await look(first.value.next)).toEqual({ ok: true, value: { ids: [mine], next: null } });
  });
});

it("ids for a bulk action come newest first, and go on behind the last", async () => {
  const ids = await insertRows(
    account,
    [5, 4, 3, 2, 1].map((ms) => ({ createdAt: NOON + ms, flow: ms === 4 ? null : "f" })),
  );
  const [five, , three, two, one] = ids;
  const look = (after: string | null) => idsMatching(directoryOf(env), account.id, { flow: "f" }, { after, limit: 2 });
  expect(await look(null)).toEqual({ ok: true, value: { ids: [five, three], next: three } });
  expect(await look(three ?? "")).toEqual({ ok: true, value: { ids: [two, one], next: null } });
});
