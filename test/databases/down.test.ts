// A database that does not answer holds up its own accounts, and nobody else's.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Account, newAccount } from "../workerd/harness/account.ts";
import { ADMIN, api, type JobJson, must } from "../workerd/harness/api.ts";
import { advance, HOUR, hurry, MINUTE } from "../workerd/harness/clock.ts";
import { databaseHangs, type Outage } from "../workerd/harness/database.ts";
import { newJob, PUSH, unarmedJob } from "../workerd/harness/job.ts";
import { logs } from "../workerd/harness/logs.ts";
import { receiver } from "../workerd/harness/receiver.ts";
import { claim, queuedJob } from "../workerd/pull/worker.ts";
import { cron } from "./databases.ts";

let accounts: Account[];
let [outage, hurried]: (Outage | undefined)[] = [];
beforeEach(async () => {
  accounts = await Promise.all([0, 1, 2, 3].map((database) => newAccount("neighbour", database)));
  for (const { key } of accounts) await must(api("GET", "/v1/jobs", { key })); // known to this isolate
  hurried = hurry();
});
afterEach(() => {
  outage?.end();
  hurried?.end();
});

const only = (database: number) => accounts[database] as Account;
const others = (database: number) => accounts.filter((_, number) => number !== database);
const create = ({ key }: Account, body: object = {}) =>
  api<JobJson>("POST", "/v1/jobs", { key, body: { name: "a job", delivery: PUSH, ...body } });

it.each([1, 2, 3])(
  "while DB_%i hangs the others create, list, run, claim and are looked after by the cron",
  async (database) => {
    const [held, free] = [only(database), others(database)];
    const due = await newJob(held);
    const waiting = await queuedJob(held);
    const lost = await Promise.all(free.map((account) => unarmedJob(account)));
    outage = databaseHangs(env[`DB_${database}` as "DB_1"]);

    for (const account of free) {
      const job = await newJob(account);
      await job.ringUntilEmpty();
      expect((await job.show()).status).toBe("completed");
      const listed = await must(api<JobJson[]>("GET", "/v1/jobs", { key: account.key }));
      expect(listed.map(({ id, status }) => [id, status])).toContainEqual([job.id, "completed"]);
    }
    advance(2 * MINUTE);
    await cron();
    for (const job of lost) {
      await job.ringUntilEmpty();
      expect((await job.show()).status).toBe("completed");
    }

    // What it holds up answers so, and what needs no database goes on.
    expect((await create(held)).status).toBe(503);
    expect((await api("GET", "/v1/jobs", { key: held.key })).status).toBe(503);
    await due.ring();
    expect(receiver.received.length).toBeGreaterThan(0);
    expect((await due.show()).status).toBe("completed");
    const { body } = await claim(held, { max_jobs: 5 });
    expect(body.data.map(({ job_id }) => job_id)).toEqual([waiting.id]);

    outage.end();
    await due.ringUntilEmpty();
    const listed = await must(api<JobJson[]>("GET", "/v1/jobs", { key: held.key }));
    expect(listed.find(({ id }) => id === due.id)?.status).toBe("completed");
    expect(logs.lines.filter((line) => line.includes("cron_fault"))).toEqual([]);
  },
);

it("health and metrics name the database that does not answer, and new accounts are given to others", async () => {
  outage = databaseHangs(env.DB_2);
  const health = await api<{ status: string; unanswered: string[] }>("GET", "/health");
  expect([health.status, health.body.data]).toEqual([200, { status: "degraded", unanswered: ["DB_2"] }]);
  const { text } = await api("GET", "/v1/metrics", { key: ADMIN });
  for (const [name, up] of [
    ["DB", 1],
    ["DB_1", 1],
    ["DB_2", 0],
    ["DB_3", 1],
  ])
    expect(text).toContain(`chronos_database_up{database="${name}"} ${up}\n`);
  expect(text).toMatch(/chronos_database_size_bytes\{database="DB_3"\} \d{4,}\n/);
  expect(text).not.toMatch(/chronos_database_(size_bytes|write_seconds)\{database="DB_2"\}/);
  for (const { id } of others(2)) expect(text).toContain(`account="${id}"`);
  expect(text).not.toContain(`account="${only(2).id}"`);
  expect(text).toContain("chronos_overdue_complete 0\n");
  for (let i = 0; i < 8; i++) {
    const made = await must(
      api<{ database: number }>("POST", "/v1/admin/accounts", { key: ADMIN, body: { name: "new" } }),
    );
    expect(made.database).not.toBe(2);
  }
});

it("while the directory hangs, accounts that are known go on where they live; without it there is no health", async () => {
  const jobs = await Promise.all(others(0).map((account) => newJob(account)));
  advance(30 * MINUTE); // what is remembered is stale, and served all the same
  outage = databaseHangs(env.DB);
  for (const job of jobs) {
    await job.ringUntilEmpty();
    expect((await job.show()).status).toBe("completed");
    expect((await create(job.account)).status).toBe(201);
  }
  expect((await create(only(0))).status).toBe(503);
  expect((await api("GET", "/health")).status).toBe(503);
  advance(2 * HOUR); // nobody is believed for longer than an hour
  for (const account of accounts) expect((await create(account)).status).toBe(503);
});
