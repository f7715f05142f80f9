// Files of the state folder that are cut, emptied or gone: the start heals them, or says which one and what to do.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { repair } from "../../../local/damage.ts";
import { loadSecrets } from "../../../local/secrets.ts";
import { OwnService } from "../../harness/service.ts";
import { Tenant } from "../../harness/tenant.ts";

const PAGE = 4_096;

describe("secrets.env", () => {
  let folder: string;
  const file = () => join(folder, "secrets.env");
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chronos-secrets-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("that is cut anywhere is named, and never taken for another key", () => {
    const secrets = loadSecrets(folder);
    const whole = readFileSync(file(), "utf8");
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file(), whole.slice(0, length));
      expect(() => loadSecrets(folder), `${length}`).toThrow(file());
    }
    writeFileSync(file(), whole);
    expect(loadSecrets(folder)).toEqual(secrets);
  });

  it("that is gone is made on a first start, and missed on any other", () => {
    expect(loadSecrets(folder).MASTER_KEY).toHaveLength(44);
    rmSync(file());
    cpSync(import.meta.dirname, join(folder, "v3"), { recursive: true });
    expect(() => loadSecrets(folder)).toThrow(`${file()} is gone`);
  });
});

describe("a file of the runtime", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chronos-damage-"));
    vi.spyOn(console, "warn").mockImplementation(() => {});
    for (const path of [OBJECT, ALARMS, DATABASE]) made(path);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  const OBJECT = "v3/do/chronos-JobObject/0123.sqlite";
  const ALARMS = "v3/do/chronos-JobObject/metadata.sqlite";
  const DATABASE = "v3/d1/miniflare-D1DatabaseObject/4567.sqlite";

  /** Three pages, closed in good order. */
  function made(path: string): void {
    cpSync(import.meta.dirname, join(folder, path, ".."), {
      recursive: true,
      filter: (name) => statSync(name).isDirectory(),
    });
    const db = new DatabaseSync(join(folder, path));
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE one (a); CREATE TABLE two (a); INSERT INTO one VALUES (1)");
    db.close();
    expect(statSync(join(folder, path)).size).toBe(3 * PAGE);
  }
  /** SQLite takes a single byte for an empty file. */
  const LENGTHS = [2, 15, 16, 99, 100, 101, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE - 1];

  it("that is whole is left alone", () => {
    repair(folder);
    for (const path of [OBJECT, ALARMS, DATABASE]) expect(existsSync(join(folder, path))).toBe(true);
    expect(console.warn).not.toHaveBeenCalled();
  });

  it.each([
    ["an object's", OBJECT],
    ["the alarms'", ALARMS],
  ])("%s, is put aside when it is cut, for the database can replace it", (_, path) => {
    for (const length of LENGTHS) {
      rmSync(join(folder, path), { force: true });
      made(path);
      truncateSync(join(folder, path), length);
      repair(folder);
      expect(existsSync(join(folder, path)), `${length}`).toBe(false);
      expect(statSync(join(folder, `${path}.damaged`)).size).toBe(length);
    }
    expect(console.warn).toHaveBeenCalledTimes(LENGTHS.length);
    writeFileSync(join(folder, path), "x".repeat(PAGE));
    repair(folder);
    expect(existsSync(join(folder, path))).toBe(false);
  });

  it("the database's, is named when it is cut", () => {
    for (const length of LENGTHS) {
      truncateSync(join(folder, DATABASE), length);
      expect(() => repair(folder), `${length}`).toThrow(join(folder, DATABASE));
      expect(existsSync(join(folder, DATABASE))).toBe(true);
      rmSync(join(folder, DATABASE));
      made(DATABASE);
    }
    writeFileSync(join(folder, DATABASE), "x".repeat(PAGE));
    expect(() => repair(folder)).toThrow("Restore the state folder from a copy");
  });

  it("that is empty is as good as new", () => {
    for (const path of [OBJECT, ALARMS, DATABASE]) truncateSync(join(folder, path), 0);
    repair(folder);
    expect(console.warn).not.toHaveBeenCalled();
  });

  it("an object's, may be shorter than it says while its log has the rest", () => {
    writeFileSync(join(folder, `${OBJECT}-wal`), "a log");
    truncateSync(join(folder, OBJECT), PAGE);
    repair(folder);
    expect(existsSync(join(folder, OBJECT))).toBe(true);
  });
});

describe("a service", () => {
  const service = new OwnService();
  const state = join(service.folder, "state");
  let tenant: Tenant;
  beforeAll(async () => {
    await service.ready();
    tenant = await service.newTenant();
  });
  afterAll(() => service.stop());

  it("starts on damaged files with every job, and closes its folder to others", async () => {
    const far = await tenant.create({ handler: "far", delay: { value: 30, unit: "minute" } });
    await service.terminate();
    const files = readdirSync(state, { recursive: true, encoding: "utf8" }).map((name) => join(state, name));
    for (const path of files.filter((path) => path.includes("JobObject/") && !path.endsWith("-wal"))) closed(path);
    for (const path of files.filter((path) => /JobObject\/.*\.sqlite$/.test(path))) truncateSync(path, PAGE - 1);
    for (const path of files) if (existsSync(path)) chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
    chmodSync(state, 0o755);
    for (const name of ["dev.json", "run.json", "lock", "bundle/index.js"]) writeFileSync(join(state, name), "");

    service.start();
    await service.ready();

    tenant = new Tenant({ ...tenant, url: service.url });
    expect(await tenant.job(far.id)).toMatchObject({ status: "pending", handler: "far" });
    expect(service.log).toContain("dev.json is damaged. It is kept as dev.json.old");
    const open = readdirSync(state, { recursive: true, encoding: "utf8" })
      .map((name) => join(state, name))
      .filter((path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0);
    expect([statSync(state).mode & 0o777, open]).toEqual([0o700, []]);
  });

  it("names a damaged database, and does not start", async () => {
    await service.terminate();
    const folder = join(state, "v3/d1/miniflare-D1DatabaseObject");
    const name = readdirSync(folder).find((one) => /^[0-9a-f]+\.sqlite$/.test(one)) ?? "";
    closed(join(folder, name));
    truncateSync(join(folder, name), 5 * PAGE);
    service.start();
    expect(await service.ended()).toBe(1);
    expect(service.log).toContain(`The database ${join(folder, name)} is damaged`);
    expect(service.log).not.toMatch(/ at .*\.ts:|workerd@/);
  });

  /** As if it had been closed in good order: its log is written into it. */
  function closed(path: string): void {
    if (!path.endsWith(".sqlite")) return;
    const db = new DatabaseSync(path);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
  }
});
