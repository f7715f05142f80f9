// An account lives in one of four databases. Whatever it does leaves rows there, and none elsewhere but its place in the directory.

import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { newAccount, remove } from "../workerd/harness/account.ts";
import { ADMIN, api, type JobJson, must } from "../workerd/harness/api.ts";
import { advance, DAY, HOUR, MINUTE } from "../workerd/harness/clock.ts";
import { JobUnderTest, newJob, PUSH, unarmedJob } from "../workerd/harness/job.ts";
import { receiver } from "../workerd/harness/receiver.ts";
import { claim, queuedJob } from "../workerd/pull/worker.ts";
import { newSchedule } from "../workerd/schedules/schedule.ts";
import { ALL, cron, NAMES, traces } from "./databases.ts";

const DIRECTORY = ["accounts", "api_keys"];

beforeEach(async () => {
  for (const name of NAMES) await ALL[name].prepare("DELETE FROM retention_walk").run();
});

it.each([0, 1, 2, 3])("all that an account does leaves its rows in its own database: %i", async (database) => {
  const account = await newAccount("busy", database);
  const { key } = account;
  const home = NAMES[database];
  const ask = (method: string, path: string, body?: unknown) => must(api(method, path, { key, body }));

  receiver.answers(500, 200);
  const pushed = await newJob(account, { idempotency_key: "once" });
  await pushed.ringUntilEmpty();
  const again = await api<JobJson>("POST", "/v1/jobs", {
    key,
    body: { name: "x", delivery: PUSH, idempotency_key: "once" },
  });
  expect([again.status, again.body.code]).toEqual([409, "idempotency_key_conflict"]);
  const pulled = await queuedJob(account);
  const { body } = await claim(account, { max_jobs: 5 });
  expect(body.data.map(({ job_id }) => job_id)).toEqual([pulled.id]);
  await ask("POST", "/v1/jobs/batch", {
    jobs: [
      { name: "one", delivery: PUSH },
      { name: "two", delivery: PUSH },
    ],
  });
  const schedule = await newSchedule(account);
  await schedule.ringAt((await schedule.alarm()) ?? 0);
  await ask("POST", "/v1/webhooks", { url: "https://hooks.example.com/events", events: ["job.failed"] });
  await ask("PUT", "/v1/flows/slow", { concurrency: 1 });
  await ask("POST", "/v1/api-keys", { name: "another" });
  const far = await newJob(account, { delay: { value: 3, unit: "day" } });
  await must(far.edit({ name: "renamed" }));
  await must(far.cancel());
  const bulk = await must(
    api<{ id: string }>("POST", "/v1/bulk-actions", { key, body: { action: "retry", filter: { status: "failed" } } }),
  );
  expect(bulk.id).toEqual(expect.any(String));
  await ask("GET", "/v1/overview");

  expect((await pushed.show()).status).toBe("completed");
  expect(await pushed.executions()).toHaveLength(2);
  const listed = await must(api<JobJson[]>("GET", "/v1/jobs?size=50", { key }));
  expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining([pushed.id, pulled.id, far.id]));

  const own = ["bulk_actions", "executions", "flows", "handlers", "jobs", "overview", "schedules", "webhooks"];
  const found = await traces(account.id);
  if (home === undefined) throw new Error("there is no such database");
  if (database === 0) expect(found).toEqual({ DB: expect.arrayContaining([...own, ...DIRECTORY]) });
  else expect(found).toEqual({ DB: DIRECTORY, [home]: expect.arrayContaining([...own, "accounts"]) });
});

it("one account's id is nobody's in another database, and nobody's under another key", async () => {
  const [one, two] = [await newAccount("one", 1), await newAccount("two", 2)];
  const job = await newJob(one, { delay: { value: 3, unit: "day" } });
  expect((await new JobUnderTest(two, job.id).call("GET")).status).toBe(404);
  expect((await job.call("GET")).status).toBe(200);
});

it("a new account is given to the database whose accounts have run the fewest attempts lately, then to that with the fewest accounts", async () => {
  for (const name of NAMES) await ALL[name].prepare("DELETE FROM accounts").run();
  const homeOf = async () => {
    const made = await must(
      api<{ database: number }>("POST", "/v1/admin/accounts", { key: ADMIN, body: { name: "new" } }),
    );
    return made.database;
  };
  expect([await homeOf(), await homeOf(), await homeOf(), await homeOf(), await homeOf()]).toEqual([0, 1, 2, 3, 0]);
  const busy = await newAccount("busy", 1);
  const minute = Date.now() - (Date.now() % MINUTE);
  await env.DB_1.prepare("INSERT INTO overview (account_id, minute, started) VALUES (?, ?, 7)")
    .bind(busy.id, minute)
    .run();
  expect([await homeOf(), await homeOf(), await homeOf(), await homeOf()]).toEqual([2, 3, 0, 2]);
  advance(2 * DAY);
  expect(await homeOf()).toBe(1);
});

it.each([[4], [99]])("a database that is not bound is refused by name: %i", async (database) => {
  const { status, body } = await api("POST", "/v1/admin/accounts", { key: ADMIN, body: { name: "new", database } });
  expect([status, body.errors]).toEqual([
    422,
    [{ field: "database", message: `There is no database ${database}. There are: 0, 1, 2, 3.` }],
  ]);
});

it("the operator sees where an account lives, and the account does not", async () => {
  const account = await newAccount("here", 3);
  const accounts = await must(
    api<{ id: string; database: number }[]>("GET", "/v1/admin/accounts?size=100", { key: ADMIN }),
  );
  expect(accounts.find(({ id }) => id === account.id)?.database).toBe(3);
  const own = await Promise.all(
    ["/v1/signing-secret", "/v1/api-keys", "/v1/overview"].map((path) => api("GET", path, { key: account.key })),
  );
  for (const { text } of own) expect(text).not.toMatch(/"database"|DB_3/);
});

it("the cron looks after each database: what was never armed is found, what comes near is woken, and both run", async () => {
  const accounts = await Promise.all([0, 1, 2, 3].map((database) => newAccount("swept", database)));
  const lost = await Promise.all(accounts.map((account) => unarmedJob(account)));
  const far = await Promise.all(accounts.map((account) => newJob(account, { delay: { value: 5, unit: "hour" } })));
  advance(2 * MINUTE);
  await cron();
  for (const job of lost) await job.ringUntilEmpty();
  advance(4.5 * HOUR);
  await cron();
  for (const job of far) expect(await job.alarm()).toBeGreaterThan(Date.now());
  for (const job of lost) expect((await job.show()).status).toBe("completed");
});

it("a deleted account goes from its home first, and from the directory last", async () => {
  const account = await newAccount("leaving", 2);
  await (await newJob(account)).ringUntilEmpty();
  await must(api("PUT", "/v1/flows/slow", { key: account.key, body: { concurrency: 1 } }));
  expect((await remove(account)).status).toBe(200);
  expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(401);
  expect(await traces(account.id)).toMatchObject({
    DB: ["accounts"],
    DB_2: expect.arrayContaining(["jobs", "accounts"]),
  });
  for (let minute = 0; minute < 5; minute++) {
    advance(HOUR + MINUTE);
    await cron();
  }
  expect(await traces(account.id)).toEqual({});
});

it("a key that another isolate still remembers makes nothing in the home of a deleted account", async () => {
  const account = await newAccount("leaving", 1);
  await env.DB_1.prepare("UPDATE accounts SET status = 'deleted' WHERE id = ?").bind(account.id).run();
  const { status } = await api("POST", "/v1/jobs", { key: account.key, body: { name: "late", delivery: PUSH } });
  expect(status).not.toBe(201);
  expect((await traces(account.id)).DB_1).toEqual(["accounts"]);
});
