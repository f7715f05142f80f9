// The cron's second half (design, rule 11): what has been over for RETENTION_DAYS is deleted, and what belonged to
// accounts that are gone.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../src/index.ts";
import { FlowUnderTest, isCalled, jobsIn } from "./flows/flow.ts";
import { type Account, newAccount, remove } from "./harness/account.ts";
import { DAY, HOUR, MINUTE, NOON, setClock } from "./harness/clock.ts";
import { JobUnderTest, newJob, postJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { executionAt, reportAt } from "./harness/reports.ts";
import { insertMany, insertRows, type RowValues } from "./harness/rows.ts";

let account: Account;
beforeEach(async () => {
  await env.DB.batch(
    ["accounts", "api_keys", "jobs", "executions", "retention_walk"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  );
  account = await newAccount();
});

/** The cron, with owners that are not woken. */
const cron = (vars: object = {}) =>
  worker.scheduled(createScheduledController(), {
    ...env,
    JOBS: { getByName: () => ({ wake: async () => true }) } as never,
    ...vars,
  });

const cronAt = (at: number, vars: object = {}) => {
  setClock(at);
  return cron(vars);
};

const count = async (table: string, of: Account = account): Promise<unknown> =>
  (await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE account_id = ?`).bind(of.id).first())?.n;

const exists = async (id: string | undefined): Promise<boolean> =>
  (await env.DB.prepare("SELECT 1 FROM jobs WHERE id = ?")
    .bind(id ?? "")
    .first()) !== null;

const OVER: RowValues = { status: "completed", createdAt: NOON - DAY, completedAt: NOON };

describe("a job that has ended", () => {
  it.each(["completed", "failed", "cancelled"] as const)(
    "%s, is kept for 30 days to the millisecond",
    async (status) => {
      const [id] = await insertRows(account, [{ ...OVER, status }]);
      await cronAt(NOON + 30 * DAY);
      expect(await exists(id)).toBe(true);
      await cronAt(NOON + 30 * DAY + HOUR);
      expect(await exists(id)).toBe(false);
      expect(logs.of("retention")).toEqual([{ level: "info", event: "retention", deleted: 1 }]);
    },
  );

  it("is deleted a millisecond after its 30 days", async () => {
    const [id] = await insertRows(account, [OVER]);
    await cronAt(NOON + 30 * DAY + 1);
    expect(await exists(id)).toBe(false);
  });

  it.each(["7", 7])("is kept for RETENTION_DAYS: %j", async (days) => {
    const [id] = await insertRows(account, [OVER]);
    await cronAt(NOON + 7 * DAY, { RETENTION_DAYS: days });
    expect(await exists(id)).toBe(true);
    await cronAt(NOON + 7 * DAY + HOUR, { RETENTION_DAYS: days });
    expect(await exists(id)).toBe(false);
  });

  it("is kept for 30 days when RETENTION_DAYS is not set", async () => {
    const [id] = await insertRows(account, [OVER]);
    await cronAt(NOON + 30 * DAY, { RETENTION_DAYS: undefined });
    expect(await exists(id)).toBe(true);
    await cronAt(NOON + 30 * DAY + HOUR, { RETENTION_DAYS: undefined });
    expect(await exists(id)).toBe(false);
  });

  it.each(["0", "-1", "abc", "", "1.5", " 7", "7d", "1e9", "36501", 0, -1, 0.5])(
    "is kept for as long as RETENTION_DAYS makes no sense, and the log names it: %j",
    async (days) => {
      const gone = await newAccount();
      const [id] = await insertRows(account, [OVER]);
      const [left] = await insertRows(gone, [OVER]);
      await remove(gone);
      await cronAt(NOON + 1_000_000 * DAY, { RETENTION_DAYS: days });
      expect([await exists(id), await exists(left)]).toEqual([true, true]);
      expect(logs.of("setting_invalid")).toEqual([
        {
          level: "error",
          event: "setting_invalid",
          setting: "RETENTION_DAYS",
          rule: "RETENTION_DAYS must be a whole number of days from 1 to 36500.",
        },
      ]);
      await cronAt(NOON + 1_000_000 * DAY, { RETENTION_DAYS: "30" });
      expect([await exists(id), await exists(left)]).toEqual([false, false]);
    },
  );

  it("takes its executions with it, and nobody else's", async () => {
    const [old = "", young = ""] = await insertRows(account, [OVER, { ...OVER, completedAt: NOON + DAY }]);
    const jobs = [old, young].map((id) => new JobUnderTest(account, id));
    await post.deliver(jobs.map((job) => reportAt(job, 0, { apart: [executionAt(1, 1), executionAt(2, 1)] })));
    await cronAt(NOON + 30 * DAY + 1);
    expect(await jobs[0]?.executionRows()).toEqual([]);
    expect(await jobs[1]?.executionRows()).toHaveLength(2);
  });

  it("frees its idempotency key", async () => {
    await insertRows(account, [{ ...OVER, idempotencyKey: "order-1" }]);
    setClock(NOON + 30 * DAY + 1);
    expect((await postJob(account, { idempotency_key: "order-1" })).status).toBe(409);
    await cron();
    expect((await postJob(account, { idempotency_key: "order-1" })).status).toBe(201);
  });

  it("is counted from its end, not from its creation", async () => {
    const [id] = await insertRows(account, [{ ...OVER, createdAt: NOON - 1_000 * DAY }]);
    await cronAt(NOON + 30 * DAY);
    expect(await exists(id)).toBe(true);
  });

  it("and was taken back to life by hand is kept", async () => {
    const job = await newJob(account);
    await job.cancel();
    setClock(NOON + 40 * DAY);
    await job.retry();
    await cron();
    expect(await job.row()).toMatchObject({ status: "pending" });
  });
});

it.each(["pending", "queued", "running", "retrying"] as const)(
  "a job that is %s is kept, however old",
  async (status) => {
    const [id] = await insertRows(account, [{ status, createdAt: NOON - 2_000 * DAY }]);
    await cronAt(NOON);
    expect(await exists(id)).toBe(true);
  },
);

describe("the walk", () => {
  it("goes through all accounts, a bounded number of rows each minute, and comes to an end", async () => {
    const accounts = [account, await newAccount(), await newAccount()];
    for (const one of accounts) {
      await insertMany(one, 2_100, OVER);
      await insertRows(one, [
        { status: "pending", createdAt: NOON - DAY },
        { ...OVER, completedAt: NOON + 20 * DAY },
      ]);
    }
    const left = async () => {
      const all = await Promise.all(accounts.map((one) => count("jobs", one)));
      return all.reduce<number>((sum, n) => sum + Number(n), 0);
    };
    const rest = [];
    for (let minute = 1; minute <= 3; minute++) {
      await cronAt(NOON + 30 * DAY + minute * MINUTE);
      rest.push(await left());
    }
    expect(rest[0]).toBeGreaterThan(6);
    expect(rest[0]).toBeLessThan(6_306);
    expect(rest.at(-1)).toBe(6);
  });

  it("that has ended begins anew an hour after its beginning", async () => {
    await cronAt(NOON);
    const [id] = await insertRows(account, [{ ...OVER, completedAt: NOON - 31 * DAY, createdAt: NOON - 31 * DAY }]);
    await cronAt(NOON + HOUR - 1);
    expect(await exists(id)).toBe(true);
    await cronAt(NOON + HOUR);
    expect(await exists(id)).toBe(false);
  });
});

describe("a deleted account", () => {
  it("takes its flows with it: what they keep, those who wait in their lines, and a row whose flow is gone", async () => {
    const gone = await newAccount();
    const flows = ["a", "b", "c"].map((key) => new FlowUnderTest(gone, key));
    for (const flow of flows) await flow.put({ paused: true });
    const [busy, , lost] = flows as [FlowUnderTest, FlowUnderTest, FlowUnderTest];
    const [waits] = (await jobsIn(busy, 1)) as [JobUnderTest];
    await lost.wipe();
    await remove(gone);
    await cronAt(NOON + MINUTE);
    expect(await count("flows", gone)).toBe(0);
    expect(await env.DB.prepare("SELECT 1 FROM accounts WHERE id = ?").bind(gone.id).first()).toBeNull();
    await isCalled(waits);
    await waits.ring();
    expect(await waits.isEmpty()).toBe(true);
    for (let ring = 0; ring < 5; ring++) {
      setClock(NOON + HOUR + ring * MINUTE);
      for (const flow of flows) await flow.ring();
    }
    for (const flow of flows) expect(await flow.isGone()).toBe(true);
  });

  it("whose flow does not answer is left to the next walk, and holds nobody up", async () => {
    const [gone, next] = [account, await newAccount()].sort((a, b) => (a.id < b.id ? -1 : 1)) as [Account, Account];
    const flow = new FlowUnderTest(gone);
    await flow.put({});
    await remove(gone);
    const away = { getByName: () => ({ remove: () => Promise.reject(new Error("away")) }) };
    const [id] = await insertRows(next, [OVER]);
    await cronAt(NOON + 31 * DAY, { FLOWS: away });
    expect([await exists(id), await count("flows", gone)]).toEqual([false, 1]);
    await cronAt(NOON + 31 * DAY + 2 * HOUR);
    expect(await count("flows", gone)).toBe(0);
  });

  it("vanishes wholly: jobs in every state, executions, keys, itself", async () => {
    const gone = await newAccount();
    await insertRows(gone, [
      OVER,
      { status: "pending" },
      { status: "running" },
      { status: "failed", completedAt: NOON },
    ]);
    const [id = ""] = await insertRows(gone, [{}]);
    const job = new JobUnderTest(gone, id);
    await post.deliver([reportAt(job, 2, { apart: [executionAt(1, 2)] })]);
    await insertRows(account, [{}]);
    await remove(gone);
    await cronAt(NOON + MINUTE);
    for (const table of ["jobs", "executions", "api_keys"])
      expect([table, await count(table, gone)]).toEqual([table, 0]);
    expect(await env.DB.prepare("SELECT 1 FROM accounts WHERE id = ?").bind(gone.id).first()).toBeNull();
    expect(await count("jobs")).toBe(1);
    expect(await env.DB.prepare("SELECT status FROM accounts WHERE id = ?").bind(account.id).first()).toEqual({
      status: "active",
    });
  });

  it("of many jobs vanishes page by page", async () => {
    await insertMany(account, 6_000, { status: "pending" });
    await remove(account);
    await cronAt(NOON + MINUTE);
    expect(await count("jobs")).toBeGreaterThan(0);
    await cronAt(NOON + 2 * MINUTE);
    expect(await count("jobs")).toBe(0);
    expect(await env.DB.prepare("SELECT 1 FROM accounts WHERE id = ?").bind(account.id).first()).toBeNull();
  });
});

it("a suspended account's rows are kept like everybody's", async () => {
  const [old, live] = await insertRows(account, [OVER, { status: "pending", createdAt: NOON - DAY }]);
  await env.DB.prepare("UPDATE accounts SET status = 'suspended'").run();
  await cronAt(NOON + 30 * DAY + 1);
  expect([await exists(old), await exists(live)]).toEqual([false, true]);
});
