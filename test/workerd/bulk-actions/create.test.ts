// POST /v1/bulk-actions (contract §2): what is asked for, what is refused, and dry runs.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { newJobId } from "../../../src/objects/new-id.ts";
import { type Account, newAccount, removeElsewhere } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { advance, iso, NOON } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { newJob } from "../harness/job.ts";
import { insertMany, insertRows } from "../harness/rows.ts";
import { LATER, newBulkAction, newJobs, postBulkAction, statusesOf } from "./bulk-action.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const rows = async (): Promise<unknown> =>
  (await env.DB.prepare("SELECT count(*) AS n FROM bulk_actions WHERE account_id = ?").bind(account.id).first())?.n;

describe("a bulk action", () => {
  it("is accepted with 202, and runs behind the answer", async () => {
    await newJob(account, LATER);
    advance(1);
    const { status, body } = await postBulkAction(account, { action: "cancel", filter: { status: "pending" } });
    expect(status).toBe(202);
    expect(body).toEqual({
      success: true,
      message: "Bulk action accepted.",
      data: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        action: "cancel",
        status: "running",
        matched: 0,
        done: 0,
        skipped: 0,
        failed: 0,
        created_at: iso(NOON + 1),
        completed_at: null,
      },
    });
  });

  it.each([
    [{ status: "pending" }, [0, 1, 2, 3]],
    [{ status: ["pending", "failed"] }, [0, 1, 2, 3]],
    [{ status: ["failed"] }, []],
    [{ handler: "a" }, [0, 1]],
    [{ handler: "a", name: "two" }, [1]],
    [{ name: "two" }, [1]],
    [{ tag: "x" }, [2]],
    [{ tag: ["x", "y"] }, []],
    [{ flow: "f" }, [3]],
    [{ idempotency_key: "k" }, [3]],
    [{ created_after: iso(NOON + 1) }, [2, 3]],
    [{ created_before: iso(NOON + 1) }, [0]],
    [{ schedule_id: "null" }, [0, 1, 2, 3]],
    [{ all: true }, [0, 1, 2, 3]],
    [{ all: true, handler: null }, [0, 1, 2, 3]],
    [{ origin: "event" }, []],
  ])("by the filter %j means the jobs that a list of it shows", async (filter, meant) => {
    const jobs = [
      ...(await newJobs(account, 1, { ...LATER, handler: "a" })),
      ...(await newJobs(account, 1, { ...LATER, handler: "a", name: "two" })),
      ...(await newJobs(account, 1, { ...LATER, tags: ["x"] })),
      ...(await newJobs(account, 1, { ...LATER, flow: "f", idempotency_key: "k" })),
    ];
    const action = await newBulkAction(account, { action: "cancel", filter });
    const over = await action.runToItsEnd();
    expect(over).toMatchObject({
      status: "completed",
      matched: meant.length,
      done: meant.length,
      skipped: 0,
      failed: 0,
    });
    const cancelled = (await statusesOf(jobs)).flatMap((status, i) => (status === "cancelled" ? [i] : []));
    expect(cancelled).toEqual(meant);
  });

  it("by ids means these, each once, however often and in whatever case they are named", async () => {
    const [one, two, three] = await newJobs(account, 3, LATER);
    const ids = [one?.id, two?.id.toUpperCase(), one?.id.toUpperCase(), two?.id];
    const action = await newBulkAction(account, { action: "cancel", job_ids: ids });
    expect(await action.runToItsEnd()).toMatchObject({ matched: 2, done: 2 });
    expect(await three?.show()).toMatchObject({ status: "pending" });
  });

  it("never touches what is created after it was asked for", async () => {
    const [before] = await newJobs(account, 1, LATER);
    const action = await newBulkAction(account, { action: "cancel", filter: { all: true } });
    const after = await newJobs(account, 2, LATER); // the first in the same millisecond
    expect(await action.runToItsEnd()).toMatchObject({ matched: 1, done: 1 });
    expect(await statusesOf([before, ...after].flatMap((job) => job ?? []))).toEqual([
      "cancelled",
      "pending",
      "pending",
    ]);
  });
});

describe("refused with 422", () => {
  const ID = newJobId(NOON);
  const ids = (count: number) => Array.from({ length: count }, () => newJobId(NOON));

  it.each<[string, object, string]>([
    ["no action", { filter: { all: true } }, "action"],
    ["an unknown action", { action: "pause", filter: { all: true } }, "action"],
    ["neither a filter nor ids", { action: "cancel" }, "filter"],
    ["null in place of both", { action: "cancel", filter: null, job_ids: null }, "filter"],
    ["an empty filter", { action: "cancel", filter: {} }, "filter"],
    ["a filter of nothing but null", { action: "cancel", filter: { handler: null, all: null } }, "filter"],
    ["a filter and ids", { action: "cancel", filter: { all: true }, job_ids: [ID] }, "job_ids"],
    ["all and a part", { action: "cancel", filter: { all: true, handler: "h" } }, "filter.all"],
    ["all that is not all", { action: "cancel", filter: { all: false } }, "filter.all"],
    ["an unknown filter", { action: "cancel", filter: { colour: "red" } }, "filter.colour"],
    ["an unknown status", { action: "cancel", filter: { status: "lost" } }, "filter.status"],
    ["a moment that is none", { action: "cancel", filter: { created_after: "soon" } }, "filter.created_after"],
    ["no ids", { action: "cancel", job_ids: [] }, "job_ids"],
    ["1,001 ids", { action: "cancel", job_ids: ids(1_001) }, "job_ids"],
    ["an id that is no UUID", { action: "cancel", job_ids: [ID, "x"] }, "job_ids.1"],
    ["a dry run that is no boolean", { action: "cancel", job_ids: [ID], dry_run: "yes" }, "dry_run"],
    ["an unknown field", { action: "cancel", job_ids: [ID], speed: 1 }, "speed"],
  ])("%s", async (_, body, field) => {
    const { status, body: refusal } = await postBulkAction(account, body);
    expect([status, refusal.code, refusal.errors.map((one) => one.field)]).toEqual([422, "validation_error", [field]]);
    expect(await rows()).toBe(0);
  });

  it("but not a thousand ids", async () => {
    expect((await postBulkAction(account, { action: "cancel", job_ids: ids(1_000) })).status).toBe(202);
  });
});

describe("a dry run", () => {
  it("counts what matches, changes nothing, and leaves no trace", async () => {
    const jobs = await newJobs(account, 3, { ...LATER, handler: "a" });
    await newJobs(account, 1, LATER);
    const { status, body } = await postBulkAction(account, {
      action: "cancel",
      filter: { handler: "a" },
      dry_run: true,
    });
    expect([status, body.message]).toEqual([200, "Nothing was changed."]);
    expect(body.data).toEqual({
      id: null,
      action: "cancel",
      status: "completed",
      matched: 3,
      done: 0,
      skipped: 0,
      failed: 0,
      created_at: iso(Date.now()),
      completed_at: iso(Date.now()),
    });
    expect([await statusesOf(jobs), await rows()]).toEqual([["pending", "pending", "pending"], 0]);
  });

  it("of ids tells how many are not there", async () => {
    const [job] = await newJobs(account, 1, LATER);
    const [foreign] = await newJobs(await newAccount(), 1, LATER);
    const job_ids = [job?.id, foreign?.id, newJobId(NOON)];
    const { body } = await postBulkAction(account, { action: "delete", job_ids, dry_run: true });
    expect(body.data).toMatchObject({ matched: 3, skipped: 2 });
  });

  it.each([
    [9_999, "Nothing was changed."],
    [10_000, "Nothing was changed."],
    [
      10_001,
      "Nothing was changed. There may be more: counting stops at 10000 matches, and after 100000 jobs looked at.",
    ],
  ])("of %i jobs says: %s", async (count, message) => {
    await insertMany(account, count, { status: "failed", createdAt: NOON - 1 });
    const { body } = await postBulkAction(account, { action: "retry", filter: { status: "failed" }, dry_run: true });
    expect([body.data.matched, body.message]).toEqual([Math.min(count, 10_000), message]);
  });

  it("looks at 100,000 rows at most, ten looks", async () => {
    await insertRows(account, [{ handler: "h", createdAt: NOON - 2 }]);
    let looks = 0;
    const batch = env.DB.batch.bind(env.DB);
    const counting: D1Database["batch"] = (statements) => {
      looks += 1;
      return batch(statements);
    };
    const DB = new Proxy(env.DB, {
      get: (target, name: keyof D1Database) => (name === "batch" ? counting : target[name].bind(target)),
    });
    await insertMany(account, 100_001, { createdAt: NOON - 1 });
    const dry = { action: "run", filter: { handler: "h" }, dry_run: true };
    const { body } = await api<{ matched: number }>("POST", "/v1/bulk-actions", {
      key: account.key,
      body: dry,
      env: { DB },
    });
    expect([body.data.matched, body.message, looks]).toEqual([1, expect.stringContaining("There may be more"), 10]);
  });
});

it("while the database is down none is accepted: 503", async () => {
  await api("GET", "/v1/jobs", { key: account.key });
  const down = databaseDown();
  const { status, headers } = await postBulkAction(account, { action: "cancel", filter: { all: true } });
  down.end();
  expect([status, headers.get("Retry-After")]).toEqual([503, "10"]);
  expect(await rows()).toBe(0);
});

it("a key that is still remembered while its account is being deleted gets 401, and no row is made", async () => {
  await api("GET", "/v1/jobs", { key: account.key });
  await removeElsewhere(account);
  const { status } = await postBulkAction(account, { action: "cancel", filter: { all: true } });
  expect([status, await rows()]).toEqual([401, 0]);
});
