// Four databases, one of which another process keeps locked for a minute: its own accounts wait for it, nobody else notices. And as many
// databases as the setting says, but never fewer than accounts live in.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, type TestContext } from "vitest";
import { copyState } from "../../../local/backup/copy.ts";
import { databaseFiles } from "../../harness/database-files.ts";
import { Receiver, type Target } from "../../harness/receiver.ts";
import { OwnService } from "../../harness/service.ts";
import { Tenant } from "../../harness/tenant.ts";
import { holdsWithin, until } from "../../harness/until.ts";

const SECOND = 1_000;
const LOCKED_MS = 60 * SECOND;
/** Each account asks for a job this often: within the rate limit of a key. */
const EVERY_MS = 400;
/** Less than a refused database is waited for (10 s), and more than a busy machine takes. */
const PROMPT_MS = 5 * SECOND;

async function started(databases: string, { onTestFinished }: TestContext): Promise<OwnService> {
  const service = new OwnService({ env: { CHRONOS_DATABASES: databases } });
  onTestFinished(() => service.stop());
  return service.ready();
}

async function tenantIn(service: OwnService, database: number): Promise<Tenant> {
  type Made = { id: string; api_key: string; signing_secret: string; database: number };
  const made = await service.operator.post<Made>("/v1/admin/accounts", { name: `lives in ${database}`, database });
  expect(made.database).toBe(database);
  return new Tenant({ url: service.url, id: made.id, apiKey: made.api_key, signingSecret: made.signing_secret });
}

/** The file with the rows of an account that lives beside the directory. */
function homeOf({ folder }: OwnService, { id }: Tenant): string {
  const found = databaseFiles(join(folder, "state")).find((path) => {
    const db = new DatabaseSync(path, { readOnly: true });
    const jobs = db.prepare("SELECT count(*) AS n FROM jobs WHERE account_id = ?").get(id);
    db.close();
    return jobs?.n !== 0;
  });
  if (!found) throw new Error("no database has rows of the account");
  return found;
}

interface Asked {
  readonly status: number;
  readonly tookMs: number;
  readonly id: string;
}

/** Jobs that are due at once, asked for one after the other. */
async function keepAsking(tenant: Tenant, target: Target, untilAt: number): Promise<Asked[]> {
  const asked: Promise<Asked>[] = [];
  for (; Date.now() < untilAt; await sleep(EVERY_MS)) {
    const began = Date.now();
    const answer = tenant.call<{ id: string }>("POST", "/v1/jobs", { name: "a job", ...target.delivery() });
    asked.push(answer.then(({ status, body }) => ({ status, tookMs: Date.now() - began, id: body.data?.id ?? "" })));
  }
  return Promise.all(asked);
}

/** How long after its creation each job came, by the receiver's clock; the first 48 bits of an id tell when that was. */
const latenessOf = (ids: readonly string[], { deliveries }: Target): number[] => {
  const arrivals = new Map(deliveries.map(({ at, json }) => [json.job_id, at]));
  return ids.map((id) => (arrivals.get(id) ?? Number.NaN) - Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16));
};

it.concurrent("a database that is locked for a minute holds up its own accounts, and no others", {
  timeout: 240_000,
}, async (test) => {
  const [service, receiver] = await Promise.all([started("4", test), Receiver.listen()]);
  test.onTestFinished(() => receiver.close());
  const tenants = await Promise.all([0, 1, 2, 3].map((database) => tenantIn(service, database)));
  const [zero, one, held, three] = tenants as [Tenant, Tenant, Tenant, Tenant];
  const free = [zero, one, three];
  const targets = new Map(tenants.map((tenant) => [tenant, receiver.target(200)]));
  const targetOf = (tenant: Tenant) => targets.get(tenant) as Target;
  const delay = { value: 20, unit: "second" };
  const due = await Promise.all(Array.from({ length: 5 }, () => held.create({ delay, ...targetOf(held).delivery() })));
  await held.whenIt("pending", due[0]?.id ?? "");

  const lock = new DatabaseSync(homeOf(service, held));
  lock.exec("BEGIN EXCLUSIVE");
  const endsAt = Date.now() + LOCKED_MS;
  const refused = keepAsking(held, targetOf(held), endsAt);
  const asked = await Promise.all(
    free.map(async (tenant) => ({ tenant, jobs: await keepAsking(tenant, targetOf(tenant), endsAt) })),
  );
  const health = await service.operator.call<{ unanswered: string[] }>("GET", "/health");
  const metrics = await fetch(`${service.url}/v1/metrics`, {
    headers: { Authorization: `Bearer ${service.operator.apiKey}` },
  });
  const [scraped, own] = [await metrics.text(), await refused];
  const deliveredMeanwhile = targetOf(held).deliveries.length;
  const listed = await held.call("GET", "/v1/jobs");
  lock.exec("ROLLBACK");
  lock.close();

  // The others: every job was made, promptly, and arrived, promptly.
  for (const { tenant, jobs } of asked) {
    expect(jobs.length).toBeGreaterThan(100);
    expect(jobs.filter(({ status }) => status !== 201)).toEqual([]);
    expect(jobs.filter(({ tookMs }) => tookMs > PROMPT_MS)).toEqual([]);
    await targetOf(tenant).receives(jobs.length);
    const late = latenessOf(
      jobs.map(({ id }) => id),
      targetOf(tenant),
    );
    expect(late.filter((ms) => !(ms < PROMPT_MS))).toEqual([]);
    expect(targetOf(tenant).deliveries).toHaveLength(jobs.length);
  }
  // Its own accounts: no lie, and what was due came all the same.
  expect([...new Set(own.map(({ status }) => status))]).toEqual([503]);
  expect(listed.status).toBe(503);
  expect(deliveredMeanwhile).toBe(due.length);
  expect([health.status, health.body.data.unanswered]).toEqual([200, ["DB_2"]]);
  expect(scraped).toContain('chronos_database_up{database="DB_2"} 0');
  expect(scraped).toContain('chronos_database_up{database="DB_3"} 1');

  // Afterwards everybody is served, and the database is told of what has ended.
  await until(
    async () => (await held.call("GET", "/health")).body.message === "The service is well.",
    30 * SECOND,
    () => "it is not well again",
  );
  const isTold = async () => {
    const all = await held.get<{ id: string; status: string }[]>("/v1/jobs?status=completed");
    return due.every(({ id }) => all.some((job) => job.id === id));
  };
  expect(await holdsWithin(90 * SECOND, isTold, SECOND)).toBe(true);
  const last = await held.create(targetOf(held).delivery());
  await held.whenIt("completed", last.id);
  expect(targetOf(held).deliveries).toHaveLength(due.length + 1);
});

it.concurrent("there are as many as the setting says, but never fewer than accounts live in", {
  timeout: 240_000,
}, async (test) => {
  const service = await started("3", test);
  const tenant = await tenantIn(service, 2);
  const job = await tenant.create({ delay: { value: 1, unit: "hour" }, handler: "h" });
  const unknown = await service.operator.call("POST", "/v1/admin/accounts", { name: "nowhere", database: 3 });
  expect([unknown.status, unknown.body.errors]).toEqual([
    422,
    [{ field: "database", message: "There is no database 3. There are: 0, 1, 2." }],
  ]);
  // A copy has all of them.
  const copy = mkdtempSync(join(tmpdir(), "chronos-databases-"));
  test.onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  await copyState(join(service.folder, "state"), copy);
  expect(databaseFiles(copy)).toHaveLength(3);
  expect(await service.terminate()).toBe(0);

  const on = async (databases: string) => {
    const again = new OwnService({ folder: service.folder, env: { CHRONOS_DATABASES: databases } });
    test.onTestFinished(() => again.stop());
    return again;
  };
  const fewer = await on("2");
  expect(await fewer.ended()).toBe(1);
  expect(fewer.log).toContain("Accounts live in DB_2: set CHRONOS_DATABASES to 3 at least.");

  const more = await (await on("4")).ready();
  const same = new Tenant({ ...tenant, url: more.url });
  expect((await same.job(job.id)).status).toBe("pending");
  const newcomer = await tenantIn(more, 3);
  expect((await newcomer.create({ handler: "h" })).id).toBeTruthy();
});
