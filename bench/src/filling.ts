// A service with a past: waiting jobs and ended jobs. Ended jobs and backlogs of pull jobs are written straight into D1's file
// while the service is stopped; the service's own look ahead then wakes the owners of a backlog.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { sendAll } from "./load.ts";
import { until } from "./processes.ts";
import { type Service, startService } from "./systems/service.ts";
import { NO_TARGET } from "./systems/system.ts";
import type { Tenant } from "./systems/tenant.ts";

export interface Past {
  readonly waiting: number;
  readonly ended: number;
}

/** A folder in memory, where a new file is not waited for by a disk. */
export const MEMORY = "/dev/shm";

/** Fewer are not worth the move. */
const MANY = 1_000;

const WIDTH = 16;

/** The last of those that are armed after the answer. */
const ARMED_WITHIN_MS = 10_000;

/** Filled in memory, then moved to where the others are. */
export async function startFilledService(folder: string, name: string, { waiting, ended }: Past): Promise<Service> {
  const inMemory = waiting >= MANY && existsSync(MEMORY) ? mkdtempSync(join(MEMORY, "chronos-bench-")) : undefined;
  try {
    const service = await startService(folder, name, inMemory && join(inMemory, "state"));
    for (let made = 0; made < waiting; made += MANY) {
      const calls = Array.from({ length: Math.min(MANY, waiting - made) }, () =>
        service.create("in half an hour", NO_TARGET),
      );
      await sendAll(calls, WIDTH);
    }
    await until(ARMED_WITHIN_MS, () => {
      const armed = objectsIn(service.stateFolder);
      if (armed < waiting) throw new Error(`only ${armed} of ${waiting} jobs were armed`);
    });
    const account = await known(firstOf(service));
    await service.restart(() => {
      changeDatabase(service.stateFolder, (db) => writeEnded(db, ended, accountOf(db, account)));
      if (inMemory === undefined) return service.stateFolder;
      const moved = join(folder, "state");
      cpSync(service.stateFolder, moved, { recursive: true });
      return moved;
    });
    return service;
  } finally {
    if (inMemory) rmSync(inMemory, { recursive: true, force: true });
  }
}

export interface Backlog {
  readonly handler: string;
  readonly jobs: number;
}

/** Until then the restarted service has begun to arm them: its look ahead sees what is due later than that. */
const DUE_AFTER_MS = 8_000;

/** How many the look ahead arms each minute. */
const MOST_ARMED = 3_900;

/** How long the look ahead may take to arm them, and they to be offered and reported. */
const FILLED_WITHIN_MS = 90_000;

/** Makes due pull jobs of the first tenant, and waits until all of them are listed as queued. No worker asks for them. */
export async function fillBacklogs(service: Service, backlogs: readonly Backlog[]): Promise<void> {
  const jobs = backlogs.reduce((sum, backlog) => sum + backlog.jobs, 0);
  if (jobs > MOST_ARMED) throw new Error(`a backlog of more than ${MOST_ARMED} jobs is not armed within a minute`);
  const tenant = firstOf(service);
  const account = await known(tenant);
  await service.restart(() => {
    changeDatabase(service.stateFolder, (db) => {
      db.exec("DELETE FROM look_ahead"); // the walk restarts from the present
      for (const [nth, backlog] of backlogs.entries())
        writeBacklog(db, backlog, { nth, account: accountOf(db, account) });
    });
    return service.stateFolder;
  });
  const deadline = Date.now() + FILLED_WITHIN_MS;
  while ((await tenant.listed("status=queued")) < jobs) {
    if (Date.now() > deadline) throw new Error(`${jobs} jobs were not queued within ${FILLED_WITHIN_MS / 1_000} s`);
    await sleep(500);
  }
}

function firstOf({ tenants: [tenant] }: Service): Tenant {
  if (!tenant) throw new Error("there is no tenant");
  return tenant;
}

/** Makes a job by which the tenant's account is recognised. @returns its id */
async function known(tenant: Tenant): Promise<string> {
  const [made] = await sendAll([tenant.create("tomorrow", "bench-first")], 1);
  return (made as { data: { id: string } }).data.id;
}

function accountOf(db: DatabaseSync, jobId: string): string {
  return String(db.prepare("SELECT account_id AS id FROM jobs WHERE id = ?").get(jobId)?.id);
}

/** Every object that holds something is a file named by its id. */
export function objectsIn(stateFolder: string): number {
  const folder = join(stateFolder, "v3/do/chronos-JobObject");
  if (!existsSync(folder)) return 0; // none has been made
  return readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file)).length;
}

// node:sqlite binds numbers as REAL: without the casts below, handlers would be called "bench-3.0".

/** The n-th of the ids of jobs that were made in the milliseconds before `now`, one in each. */
const ID = `printf('%08x-%04x-4000-8000-%012x', (:now - i) >> 16, (:now - i) & 65535, i)`;

/** Each in a minute of its own, all before the time for which state made from a row is kept. */
function writeBacklog(
  db: DatabaseSync,
  { handler, jobs }: Backlog,
  { nth, account }: { nth: number; account: string },
): void {
  const now = Date.now();
  db.prepare(
    `WITH RECURSIVE n(i) AS (SELECT CAST(:jobs AS INTEGER) UNION ALL SELECT i - 1 FROM n WHERE i > 1)
     INSERT INTO jobs (account_id, id, status, report_due_at, origin, name, handler, delivery, timeout_seconds, max_retries,
                       scheduled_for, run_at, updated_at, payload)
     SELECT :account, ${ID}, 'pending', :due, 'api', 'bench', :handler, '{"type":"pull","queue":null}', 300, 3, :due, :due,
            :now - i, '{"n":1}'
     FROM n`,
  ).run({ jobs, account, handler, now: now - (nth + 1) * MINUTE, due: now + DUE_AFTER_MS });
}

const MINUTE = 60_000;

function writeEnded(db: DatabaseSync, count: number, account: string): void {
  if (count === 0) return;
  db.prepare(
    `WITH RECURSIVE n(i) AS (SELECT CAST(:count AS INTEGER) UNION ALL SELECT i - 1 FROM n WHERE i > 1)
     INSERT INTO jobs (account_id, id, status, revision, origin, name, handler, delivery, timeout_seconds, max_retries, scheduled_for,
                       attempt, started, updated_at, completed_at, execution_id, execution_trigger, execution_status, due_at,
                       started_at, settled_at, payload)
     SELECT :account, ${ID}, CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'completed' END, 3, 'api', 'bench', 'bench-' || (i % 10),
            '{"type":"pull","queue":null}', 30, 3, :now - i, 1, 1, :now - i, :now - i, ${ID}, 'scheduled',
            CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'completed' END, :now - i, :now - i, :now - i, '{"n":1}'
     FROM n`,
  ).run({ count, account, now: Date.now() - MINUTE });
}

function changeDatabase(stateFolder: string, change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(databaseFile(stateFolder));
  db.exec("PRAGMA synchronous = OFF");
  db.exec("BEGIN");
  change(db);
  db.exec("COMMIT");
  db.close();
}

export function databaseFile(stateFolder: string): string {
  const folder = join(stateFolder, "v3/d1/miniflare-D1DatabaseObject");
  const name = readdirSync(folder).find((one) => /^[0-9a-f]+\.sqlite$/.test(one));
  if (name === undefined) throw new Error(`no database in ${folder}`);
  return join(folder, name);
}
