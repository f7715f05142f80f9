// A service with a past: jobs that wait and jobs that have ended, written straight into D1's file while nobody serves it.
// Those that wait are then taken up by the service's own look ahead, as jobs made long ago are.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { sendAll } from "./load.ts";
import { type Service, startService } from "./systems/service.ts";

export interface Past {
  readonly waiting: number;
  readonly ended: number;
  /** How long the service may take to arm those that wait. */
  readonly limitMs: number;
}

const MEMORY = "/dev/shm";

/** Fewer are not worth the move. */
const MANY = 1_000;

/** How far the service looks ahead. */
const HORIZON_MS = 3_600_000;

/** Filled in memory, where a new object is not waited for by a disk, then moved to where the others are. */
export async function startFilledService(
  folder: string,
  name: string,
  { waiting, ended, limitMs }: Past,
): Promise<{ service: Service; waiting: number }> {
  const inMemory = waiting >= MANY && existsSync(MEMORY) ? mkdtempSync(join(MEMORY, "chronos-bench-")) : undefined;
  try {
    const service = await startService(folder, name, inMemory && join(inMemory, "state"));
    await sendAll([service.createPull("tomorrow", "bench-first")], 1);
    await service.restart(() => {
      writePast(databaseFile(service.stateFolder), waiting, ended);
      return service.stateFolder;
    });
    const deadline = Date.now() + limitMs;
    while (armedIn(service.stateFolder) < waiting && Date.now() < deadline) await sleep(200);
    const armed = armedIn(service.stateFolder);
    if (inMemory)
      await service.restart(() => {
        const moved = join(folder, "state");
        cpSync(service.stateFolder, moved, { recursive: true });
        return moved;
      });
    return { service, waiting: armed };
  } finally {
    if (inMemory) rmSync(inMemory, { recursive: true, force: true });
  }
}

/** Every object that holds something is a file named by its id. */
const armedIn = (stateFolder: string): number =>
  readdirSync(join(stateFolder, "v3/do/-JobObject")).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file)).length;

/** All of one account, the worst case for its lists; the ended ones with their executions. */
function writePast(file: string, waiting: number, ended: number): void {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = OFF");
  db.exec("BEGIN");
  const account = db.prepare("SELECT account_id AS id FROM jobs WHERE handler = 'bench-first'").get()?.id ?? null;
  const now = Date.now();
  // Behind all that the service has looked at so far, and in its sight when it starts again.
  const due = now + HORIZON_MS - 500;
  db.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO jobs (account_id, id, name, payload, delivery, timeout_seconds, max_retries, scheduled_for, created_at,
                       status, run_at, updated_at, revision, attention_at)
     SELECT ?, ${UUID}, 'bench', '{"n":1}', '{"type":"push","url":"${NO_TARGET}","method":"POST","headers":{}}', 30, 3, ?, ? - i,
            'pending', ?, ? - i, 0, ?
     FROM n`,
  ).run(waiting, account, due, now, due, now, due);
  if (ended > 0) writeEnded(db, ended, account, now);
  db.exec("COMMIT");
  db.close();
}

const NO_TARGET = "http://127.0.0.1:9/hook";

function writeEnded(db: DatabaseSync, count: number, account: SQLOutputValue, now: number): void {
  db.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO jobs (account_id, id, name, handler, payload, delivery, timeout_seconds, max_retries, scheduled_for,
                       created_at, status, attempt, updated_at, completed_at, revision)
     SELECT ?, ${UUID}, 'bench', 'bench-' || (i % 10), '{"n":1}', '{"type":"pull","queue":null}', 30, 3, ? - i * 1000,
            ? - i * 1000, CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'completed' END, 1, ? - i * 1000, ? - i * 1000, 3
     FROM n`,
  ).run(count, account, now, now, now, now);
  db.exec(
    `INSERT INTO executions (account_id, job_id, attempt, id, trigger, status, due_at, started_at, completed_at, revision)
     SELECT account_id, id, 1, ${UUID}, 'scheduled', status, scheduled_for, scheduled_for, completed_at, revision
     FROM jobs WHERE completed_at IS NOT NULL`,
  );
}

const UUID = `lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
  substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))`;

function databaseFile(stateFolder: string): string {
  const folder = join(stateFolder, "v3/d1/miniflare-D1DatabaseObject");
  const name = readdirSync(folder).find((one) => /^[0-9a-f]+\.sqlite$/.test(one));
  if (name === undefined) throw new Error(`no database in ${folder}`);
  return join(folder, name);
}
