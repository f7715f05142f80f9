// wrangler.toml, the copy of it that is deployed, and another name for another service.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { databasesOf, domainsOf, queuesOf, readConfig, writeDeployed } from "../../../deploy/config.ts";
import { refusedOnFree } from "../../../deploy/free-plan.ts";
import { locationNear, locationOf } from "../../../deploy/location.ts";
import { PROJECT } from "../../../local/settings.ts";

const ours = readConfig(PROJECT, null);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chronos-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function edited(from: string, to: string) {
  const text = readFileSync(join(PROJECT, "wrangler.toml"), "utf8");
  expect(text).toContain(from);
  writeFileSync(join(folder, "wrangler.toml"), text.replace(from, to));
  return readConfig(folder, null);
}

it("the committed file names everything and has no id", () => {
  expect(ours.name).toBe("chronos");
  expect(databasesOf(ours)).toEqual([{ binding: "DB", name: "chronos", id: null }]);
  expect(queuesOf(ours)).toEqual(["chronos-executions"]);
});

it("another name has a database and a queue of its own, and leaves other queues alone", () => {
  const text = readFileSync(join(PROJECT, "wrangler.toml"), "utf8");
  const emails = `${text}\n[[queues.producers]]\nbinding = "QUEUE_EMAILS"\nqueue = "emails"\n`;
  writeFileSync(join(folder, "wrangler.toml"), emails);
  const staging = readConfig(folder, "chronos-staging");
  expect(staging.name).toBe("chronos-staging");
  expect(databasesOf(staging)).toEqual([{ binding: "DB", name: "chronos-staging", id: null }]);
  expect(queuesOf(staging)).toEqual(["chronos-staging-executions", "emails"]);
});

it("an id that somebody has put there counts, but not for another name", () => {
  const id = "11111111-2222-4333-8444-555555555555";
  edited('database_name = "chronos"', `database_name = "chronos"\ndatabase_id = "${id}"`);
  expect(databasesOf(readConfig(folder, null))[0].id).toBe(id);
  expect(databasesOf(readConfig(folder, "chronos-staging"))[0].id).toBeNull();
});

it("further databases are DB_1, DB_2 …, named after the service unless wrangler.toml says otherwise", () => {
  const more = (binding: string, name = "") => `\n[[d1_databases]]\nbinding = "${binding}"\n${name}`;
  const config = edited(
    "[triggers]",
    `${more("DB_2")}${more("DB_1", 'database_name = "chronos-more"\n')}${more("LOGS")}\n[triggers]`,
  );
  expect(databasesOf(config).map(({ binding, name }) => `${binding} ${name}`)).toEqual([
    "DB chronos",
    "DB_1 chronos-more",
    "DB_2 chronos-2",
  ]);
  const staging = databasesOf(readConfig(folder, "chronos-staging"));
  expect(staging.map(({ name }) => name)).toEqual(["chronos-staging", "chronos-staging-more", "chronos-staging-2"]);
  expect(() => edited("[triggers]", `${more("DB_3", 'database_name = "chronos"\n')}\n[triggers]`)).toThrow(
    "names the database chronos twice",
  );
});

it("the queue that is produced for is the one that is consumed, whatever it was renamed to", () => {
  const config = edited('queue = "chronos-executions"', 'queue = "another"');
  expect(queuesOf(config)).toEqual(["another"]);
});

it("what is deployed is the file with the id, the variables and the domain, and nothing else changed", () => {
  const config = edited('name = "chronos"', 'name = "chronos"');
  const resolved = { databaseIds: { DB: "an-id" }, vars: { SUBREQUESTS: "50" }, domain: "jobs.example.com" };
  const deployed = JSON.parse(readFileSync(writeDeployed(folder, config, resolved), "utf8"));
  const [database] = config.d1_databases;
  expect(deployed).toEqual({
    ...config,
    vars: { ...config.vars, SUBREQUESTS: "50" },
    d1_databases: [{ ...database, database_id: "an-id" }],
    routes: [{ pattern: "jobs.example.com", custom_domain: true }],
  });
  expect(domainsOf(deployed)).toEqual(["jobs.example.com"]);
});

it("a file that cannot be read is said to be so, with its line", () => {
  expect(() => edited('name = "chronos"', 'name = "chronos')).toThrow(/^wrangler\.toml cannot be read: [\s\S]*\n/);
});

it("the service's own file fits the Free plan", () => {
  expect(refusedOnFree(ours)).toEqual([]);
});

it.each([
  [{ limits: { cpu_ms: 60_000 } }, "[limits]"],
  [{ logpush: true }, "logpush"],
  [{ tail_consumers: [] }, "tail_consumers"],
  [{ triggers: { crons: Array(6).fill("* * * * *") } }, "6 crons"],
  [{ migrations: [{ tag: "v2", new_classes: ["A"] }] }, "migration v2 has new_classes"],
])("%j does not", (more, word) => {
  expect(refusedOnFree({ ...ours, ...more })).toEqual([expect.stringContaining(word)]);
});

const HOUR = 60;
it.each([
  ["Europe/Berlin", -1 * HOUR, "weur"],
  ["America/New_York", 5 * HOUR, "enam"],
  ["America/Chicago", 7 * HOUR - 1, "enam"],
  ["America/Denver", 7 * HOUR, "wnam"],
  ["Asia/Tokyo", -9 * HOUR, "apac"],
  ["Australia/Sydney", -10 * HOUR, "oc"],
  ["UTC", 0, null],
])("who lives in %s is offered a database nearby", (zone, offset, location) => {
  expect(locationNear(zone, offset)).toBe(location);
});

it("a region as D1 tells it is a place for objects, if there is one", () => {
  expect(locationOf("WEUR")).toBe("weur");
  expect(locationOf("MOON")).toBeNull();
});
