// Puts an account and its story into the database of a service that has not been started yet.

import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { describeService } from "../../../local/describe.ts";
import { migrate } from "../../../local/migrations.ts";
import { loadSecrets } from "../../../local/secrets.ts";
import { makeKey } from "../../../src/accounts/api-key.ts";
import { idOfMasterKey } from "../../../src/accounts/signing-secret.ts";
import type { KeyScope } from "../../../src/domain/key-scope.ts";
import { type Counts, LATENESS_BOUNDS_MS } from "../../../src/domain/tally.ts";
import { scheduleRowOf } from "../../../src/store/schedules-store.ts";
import * as tables from "../../../src/store/schema.ts";
import { type Story, tellStory } from "./story.ts";

const DAY = 24 * 3_600_000;

/** An account that was there before the service. */
export interface StoredAccount {
  readonly id: string;
  /** Each has a rate limit of its own. */
  readonly apiKeys: readonly string[];
  readonly readOnlyKey: string;
}

export interface StoreOptions {
  /** How many jobs it has. */
  readonly size: number;
  readonly hostile: boolean;
  /** How many API keys the tests may use in turns. */
  readonly keys: number;
}

/** @param stateFolder of a service that is not running */
export async function storeStory(stateFolder: string, { size, hostile, keys }: StoreOptions): Promise<StoredAccount> {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const { MASTER_KEY } = loadSecrets(stateFolder);
  await migrate(stateFolder, describeService(stateFolder), () => {});
  const now = Date.now();
  const id = randomUUID();
  const account = {
    ...{ id, name: "shop", status: "active" as const, masterKeyId: await idOfMasterKey(MASTER_KEY) },
    createdAt: now - 90 * DAY,
  };
  const named = async (name: string, scope: KeyScope, expiresAt: number | null, i: number) => {
    const { key, hash, prefix } = await makeKey(randomBytes(32));
    const createdAt = now - 80 * DAY + i * DAY;
    return { key, row: { hash, accountId: id, id: randomUUID(), name, prefix, scope, expiresAt, createdAt } };
  };
  const full = await Promise.all(Array.from({ length: keys }, (_, i) => named(`server ${i + 1}`, "full", null, i)));
  const others = await Promise.all([
    named("checkout", "create", null, 30),
    named("workers in Leipzig", "worker", null, 31),
    named("dashboard on the wall", "read", now + 12 * DAY, 32),
    named("contractor", "full", now - 2 * DAY, 33),
  ]);
  const reader = await named("read-only", "read", null, 34);
  const db = openDatabase(stateFolder);
  db.exec("BEGIN");
  insert(db, tables.accounts, [account]);
  insert(
    db,
    tables.apiKeys,
    [...full, ...others, reader].map(({ row }) => row),
  );
  insertStory(db, id, tellStory({ accountId: id, now, size, hostile }), now);
  db.exec("COMMIT");
  db.close();
  return { id, apiKeys: full.map(({ key }) => key), readOnlyKey: reader.key };
}

function insertStory(db: DatabaseSync, accountId: string, story: Story, now: number): void {
  insert(db, tables.jobs, story.jobs);
  insert(db, tables.schedules, story.schedules.map(scheduleRowOf));
  insert(db, tables.webhooks, story.webhooks);
  insert(
    db,
    tables.handlers,
    story.handlers.map((handler) => ({ accountId, handler, seenAt: now })),
  );
  insert(db, tables.overview, story.tally.counts.map(rowOfCounts));
  insert(db, tables.failures, story.tally.failures);
}

const rowOfCounts = ({ late, ...counts }: Counts) => ({
  ...counts,
  ...Object.fromEntries(LATENESS_BOUNDS_MS.map((bound, i) => [`late${bound}`, late[i] ?? 0])),
});

function openDatabase(stateFolder: string): DatabaseSync {
  const folder = join(stateFolder, "v3/d1/miniflare-D1DatabaseObject");
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  if (files.length !== 1) throw new Error(`One database is expected in ${folder}, and there are: ${files.join(", ")}`);
  return new DatabaseSync(join(folder, files[0] ?? ""));
}

/** Rows as drizzle would write them: what is left out has the column's default. */
function insert<T extends SQLiteTable>(db: DatabaseSync, table: T, rows: readonly T["$inferInsert"][]): void {
  const columns = Object.entries(getTableColumns(table));
  const names = columns.map(([, column]) => `"${column.name}"`).join(", ");
  const places = columns.map(() => "?").join(", ");
  const statement = db.prepare(`INSERT INTO "${getTableName(table)}" (${names}) VALUES (${places})`);
  for (const row of rows) {
    const values: Record<string, unknown> = row;
    statement.run(
      ...columns.map(([name, column]) => {
        const value = values[name] ?? column.default ?? null;
        return value === null ? null : (column.mapToDriverValue(value) as string | number);
      }),
    );
  }
}
