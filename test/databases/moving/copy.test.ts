// Rows of an account on their way from one database to another: as they are, whatever happens to them meanwhile, and its own alone.

import { getTableName, is } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { START } from "../../../src/domain/account-move.ts";
import { type Copying, copyPage, type Stamped } from "../../../src/store/copy-account.ts";
import { arrive, dismiss } from "../../../src/store/move-stages.ts";
import { MOVED, STAY } from "../../../src/store/moved-tables.ts";
import * as schema from "../../../src/store/schema.ts";
import { NOON } from "../../workerd/harness/clock.ts";
import { insertMany, insertRows, rowOf } from "../../workerd/harness/rows.ts";
import { countIn, DATABASES, forgetMoves, rowsIn } from "./two-databases.ts";

const [source, target] = DATABASES;

afterEach(forgetMoves);

let account: { id: string; key: string; secret: string };
let copying: Copying;
beforeEach(async () => {
  account = { id: crypto.randomUUID(), key: "", secret: "" };
  copying = { source: drizzle(source), target: drizzle(target), accountId: account.id, attempt: 1 };
  await arrive(copying.target, account.id, 1);
});

/** @returns how many rows were changed, and how many pages it took */
async function copyAll(epochs: ReadonlySet<number> = new Set()) {
  let [changed, pages] = [0, 0];
  const stamped: Stamped[] = [];
  for (let place = START; ; pages++) {
    const copied = await copyPage(copying, place, epochs);
    if (!copied.ok) throw new Error("not copied");
    changed += copied.value.changed;
    stamped.push(...copied.value.stamped);
    if (!copied.value.next) return { changed, pages: pages + 1, stamped };
    place = copied.value.next;
  }
}

/** A row or two in each table. */
async function fill(): Promise<string[]> {
  const accountId = account.id;
  const ids = await insertRows(account, [
    { payload: '{"text":"\\"quoted\\" and \u{1F600}"}' as never, idempotencyKey: "one" },
    { status: "completed", tags: ["a", "b"], result: "[1,2]" as never, tally: 85 },
    { status: "failed", lastError: { code: "http_status", message: "no", at: NOON } as never },
  ]);
  const db = drizzle(source);
  const state = { a: 1 } as never;
  await db.batch([
    db.insert(schema.executions).values({
      ...{
        accountId,
        jobId: ids[1] ?? "",
        attempt: 1,
        id: "e",
        trigger: "run_at" as never,
        status: "completed" as const,
      },
      ...{ dueAt: NOON, revision: 3, tally: 85 },
    }),
    db.insert(schema.schedules).values({ accountId, id: "s", status: "active", revision: 1, state }),
    db.insert(schema.flows).values({ accountId, key: "f/\u{1F600}", revision: 1, state }),
    db.insert(schema.bulkActions).values({ accountId, id: "b", revision: 1, state }),
    db.insert(schema.handlers).values({ accountId, handler: "h", seenAt: NOON }),
    db.insert(schema.webhooks).values({ accountId, id: "w", url: "u", events: [], enabled: true, updatedAt: NOON }),
    db.insert(schema.overview).values({ accountId, minute: 0, started: 3, late10: 3 }),
    db.insert(schema.failures).values({
      ...{ accountId, slot: 0, errorCode: "expired" as const, handler: "", host: "x", count: 1, lastAt: 1, jobId: "j" },
    }),
  ]);
  return ids;
}

it("there is a decision for every table", () => {
  const all = Object.entries(schema).flatMap(([name, one]) => (is(one, SQLiteTable) ? [{ name, table: one }] : []));
  const moved = new Set(MOVED.map(({ name }) => name));
  const undecided = all.filter(({ name, table }) => !(name in STAY) && !moved.has(getTableName(table)));
  expect(undecided.map(({ name }) => name)).toEqual([]);
  expect(moved.size + Object.keys(STAY).length).toBe(all.length);
  for (const { key, table } of MOVED) expect(key.length, getTableName(table)).toBeGreaterThan(0);
});

it("rows of each table arrive as they are", async () => {
  await fill();
  expect(await copyAll()).toMatchObject({ changed: 11 });
  const there = await rowsIn(target, account.id);
  expect(there).toEqual(await rowsIn(source, account.id));
  for (const [name, rows] of Object.entries(there)) expect(rows.length, name).toBeGreaterThan(0);
});

it("stamps stay behind, and those that are looked for are reported", async () => {
  const ids = await fill();
  const { stamped } = await copyAll(new Set([42]));
  expect(stamped).toEqual([
    { jobId: ids[1], attempt: null, epoch: 42 },
    { jobId: ids[1], attempt: 1, epoch: 42 },
  ]);
  const tallies = "SELECT account_id, tally FROM jobs UNION ALL SELECT account_id, tally FROM executions";
  const { results } = await target
    .prepare(`SELECT * FROM (${tallies}) WHERE account_id = ? AND tally IS NOT NULL`)
    .bind(account.id)
    .all();
  expect(results).toEqual([]);
});

it("what is copied again changes nothing", async () => {
  await fill();
  await copyAll();
  expect(await copyAll()).toMatchObject({ changed: 0 });
});

describe("what happens in the source meanwhile is there after the next pass:", () => {
  const CHANGES: Record<string, (accountId: string, ids: readonly string[]) => [sql: string, ...values: unknown[]]> = {
    "a job changes": (_, [id]) => ["UPDATE jobs SET revision = 7, name = 'new' WHERE id = ?", id],
    "a sweep puts a job off": (_, [id]) => ["UPDATE jobs SET sweeps = 1, report_due_at = 5 WHERE id = ?", id],
    "a key is dropped": (_, [id]) => ["UPDATE jobs SET idempotency_key = NULL WHERE id = ?", id],
    "a job goes": (_, [id]) => ["DELETE FROM jobs WHERE id = ?", id],
    "an execution ends": (id) => ["UPDATE executions SET completed_at = 9 WHERE account_id = ?", id],
    "a schedule changes": (id) => ["UPDATE schedules SET revision = 2, state = '{}' WHERE account_id = ?", id],
    "a flow changes": (id) => ["UPDATE flows SET state = '{\"b\":2}' WHERE account_id = ?", id],
    "a bulk action goes on": (id) => ["UPDATE bulk_actions SET revision = 2 WHERE account_id = ?", id],
    "a handler is used": (id) => ["UPDATE handlers SET seen_at = 9 WHERE account_id = ?", id],
    "a webhook is disabled": (id) => ["UPDATE webhooks SET enabled = 0 WHERE account_id = ?", id],
    "something is counted": (id) => ["UPDATE overview SET failed = 2, late_10 = 9 WHERE account_id = ?", id],
    "a failure is counted": (id) => ["UPDATE failures SET count = 2 WHERE account_id = ?", id],
    "old counts go": (id) => ["DELETE FROM overview WHERE account_id = ?", id],
  };

  it.each(Object.entries(CHANGES))("%s", async (_, change) => {
    const ids = await fill();
    await copyAll();
    const [sql, ...values] = change(account.id, ids);
    const { meta } = await source
      .prepare(sql)
      .bind(...values)
      .run();
    expect(meta.changes).toBeGreaterThan(0);
    const before = await rowsIn(target, account.id);
    expect(await copyAll()).toMatchObject({ changed: 1 });
    expect(await rowsIn(target, account.id)).toEqual(await rowsIn(source, account.id));
    expect(await rowsIn(target, account.id)).not.toEqual(before);
  });

  it("a key goes from one job to another", async () => {
    const [first] = await fill();
    await copyAll();
    await source.batch([
      source.prepare("UPDATE jobs SET idempotency_key = NULL WHERE id = ?").bind(first),
      source
        .prepare("UPDATE jobs SET idempotency_key = 'one', revision = 5 WHERE account_id = ? AND status = 'failed'")
        .bind(account.id),
    ]);
    await copyAll();
    await copyAll();
    expect(await rowsIn(target, account.id)).toEqual(await rowsIn(source, account.id));
  });
});

it("other accounts' rows are left where they are", async () => {
  const other = { id: `${account.id}x`, key: "", secret: "" };
  await insertRows(other, [{}]);
  const db = drizzle(target);
  await db.insert(schema.jobs).values(rowOf({ id: account.id.slice(0, -1), key: "", secret: "" }));
  await fill();
  await copyAll();
  expect(await countIn(target, other.id)).toBe(0);
  expect(await countIn(target, account.id.slice(0, -1))).toBe(1);
});

it("accounts of any size are copied in pages, and what an earlier stay has left is removed", async () => {
  await insertMany(account, 4_501, { status: "completed" });
  await target
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4099)
       INSERT INTO handlers SELECT ?, printf('left %d', i), 1 FROM n`,
    )
    .bind(account.id)
    .run();
  const { pages, changed } = await copyAll();
  expect(changed).toBe(4_501 + 4_100);
  expect(pages).toBeLessThan(20);
  expect(await rowsIn(target, account.id)).toEqual(await rowsIn(source, account.id));
});

it("large rows are copied a few at a time", async () => {
  const payload = JSON.stringify('"'.repeat(200_000)) as never;
  await insertRows(
    account,
    Array.from({ length: 22 }, () => ({ payload })),
  );
  await copyAll();
  expect((await rowsIn(target, account.id)).jobs).toEqual((await rowsIn(source, account.id)).jobs);
});

describe("nothing is copied", () => {
  it("by an earlier try", async () => {
    await fill();
    await arrive(copying.target, account.id, 2);
    expect(await copyPage(copying, START, new Set())).toMatchObject({ ok: false });
    expect(await countIn(target, account.id)).toBe(0);
  });

  it("to where the account does not come any more", async () => {
    await fill();
    await dismiss(copying.target, account.id, 1);
    expect(await copyPage(copying, START, new Set())).toMatchObject({ ok: false });
    expect(await countIn(target, account.id)).toBe(0);
  });
});
