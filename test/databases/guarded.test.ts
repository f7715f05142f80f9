// What a database answers for an account that lives in one of several: the same as it answers without a guard, or a refusal.

import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { expect, it } from "vitest";
import { databaseOf } from "../../src/accounts/home.ts";
import { accounts, jobs } from "../../src/store/schema.ts";
import { stored } from "../../src/store/store.ts";
import { newAccount } from "../workerd/harness/account.ts";
import { newJob } from "../workerd/harness/job.ts";

it("two columns of one name are refused, and no value stands in another's place", async () => {
  const account = await newAccount("a tenant", 1);
  const job = await newJob(account);
  const db = databaseOf(env, account.id);
  const joined = db
    .select({ job: jobs.id, account: accounts.id, name: jobs.name })
    .from(jobs)
    .innerJoin(accounts, eq(accounts.id, jobs.accountId))
    .where(eq(jobs.accountId, account.id));
  const message = "Two columns of a query share a name: id";
  const causeOf = (thrown: Error) => (thrown.cause instanceof Error ? thrown.cause.message : thrown.message);
  expect(await joined.then(() => "answered", causeOf)).toBe(message);
  expect(await db.batch([joined]).then(() => "answered", causeOf)).toBe(message);
  await expect(
    stored(() => joined),
    "a bug, and no outage",
  ).rejects.toThrow("D1 refused a statement");
  expect(await db.select({ id: jobs.id, name: jobs.name }).from(jobs).where(eq(jobs.accountId, account.id))).toEqual([
    { id: job.id, name: "a job" },
  ]);
});
