// A service with a past: jobs that wait, made through the API, and ended ones, written straight into D1's file while
// nobody serves it.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sendAll } from "./load.ts";
import { type Service, startService } from "./systems/service.ts";

export interface Past {
  readonly waiting: number;
  readonly ended: number;
  /** Jobs that wait are made for this long at most. */
  readonly limitMs: number;
}

const MEMORY = "/dev/shm";
const WIDTH = 32;
const SLICE = 500;

/** Filled in memory, where a new object is not waited for by a disk, then moved to where the others are. */
export async function startFilledService(
  folder: string,
  name: string,
  { waiting, ended, limitMs }: Past,
): Promise<{ service: Service; waiting: number }> {
  const inMemory = existsSync(MEMORY) ? mkdtempSync(join(MEMORY, "chronos-bench-")) : undefined;
  try {
    const service = await startService(folder, name, inMemory && join(inMemory, "state"));
    const deadline = Date.now() + limitMs;
    await sendAll([service.createPull("tomorrow", "bench-first")], 1);
    let made = 1;
    while (made < waiting && Date.now() < deadline) {
      const calls = Array.from(
        { length: Math.min(SLICE, waiting - made) },
        () => service.create("in half an hour", NO_TARGET), // near enough to be armed
      );
      await sendAll(calls, WIDTH);
      made += calls.length;
    }
    await service.restart(() => {
      writeEnded(databaseFile(service.stateFolder), ended);
      if (!inMemory) return service.stateFolder;
      const moved = join(folder, "state");
      cpSync(service.stateFolder, moved, { recursive: true });
      return moved;
    });
    return { service, waiting: made };
  } finally {
    if (inMemory) rmSync(inMemory, { recursive: true, force: true });
  }
}

const NO_TARGET = "http://127.0.0.1:9/hook";

/** All of one account, the worst case for its lists; each with its execution. */
function writeEnded(file: string, count: number): void {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = OFF");
  db.exec("BEGIN");
  const account = db.prepare("SELECT account_id AS id FROM jobs WHERE handler = 'bench-first'").get()?.id;
  const now = Date.now();
  db.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO jobs (account_id, id, name, handler, payload, delivery, timeout_seconds, max_retries, scheduled_for,
                       created_at, status, attempt, updated_at, completed_at, revision)
     SELECT ?, ${UUID}, 'bench', 'bench-' || (i % 10), '{"n":1}', '{"type":"pull","queue":null}', 30, 3, ? - i * 1000,
            ? - i * 1000, CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'completed' END, 1, ? - i * 1000, ? - i * 1000, 3
     FROM n`,
  ).run(count, account ?? null, now, now, now, now);
  db.exec(
    `INSERT INTO executions (account_id, job_id, attempt, id, trigger, status, due_at, started_at, completed_at, revision)
     SELECT account_id, id, 1, ${UUID}, 'scheduled', status, scheduled_for, scheduled_for, completed_at, revision
     FROM jobs WHERE completed_at IS NOT NULL`,
  );
  db.exec("COMMIT");
  db.close();
}

const UUID = `lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
  substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))`;

function databaseFile(stateFolder: string): string {
  const folder = join(stateFolder, "v3/d1/miniflare-D1DatabaseObject");
  const name = readdirSync(folder).find((one) => /^[0-9a-f]+\.sqlite$/.test(one));
  if (name === undefined) throw new Error(`no database in ${folder}`);
  return join(folder, name);
}
