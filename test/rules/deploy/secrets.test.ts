// Which secrets go up, for every combination of who has them: nothing is overwritten, nothing is made that would be lost.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { decideSecrets, type Situation } from "../../../deploy/secrets.ts";
import { SecretsFolder } from "../../../deploy/secrets-folder.ts";
import { PROJECT } from "../../../local/settings.ts";

const KEY = "k".repeat(32);
const TOKEN = "t".repeat(32);
const BOTH = ["MASTER_KEY", "ADMIN_TOKEN"];

let folder: SecretsFolder;
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "chronos-home-"));
  folder = new SecretsFolder(join(home, "secrets"), PROJECT);
});
afterEach(() => rmSync(home, { recursive: true }));

const decide = (more: Partial<Situation> = {}) =>
  decideSecrets({ place: "script", given: {}, folder, there: [], hasAccounts: false, ...more });
const keepBoth = () => {
  folder.keep("MASTER_KEY", KEY);
  folder.keep("ADMIN_TOKEN", TOKEN);
};

it("the first time they are made, and kept for their owner only before they go up", () => {
  const { upload, adminToken } = decide();
  expect(upload).toEqual({ MASTER_KEY: folder.read("MASTER_KEY"), ADMIN_TOKEN: folder.read("ADMIN_TOKEN") });
  expect(adminToken).toBe(upload.ADMIN_TOKEN);
  for (const value of Object.values(upload)) expect(value?.length).toBeGreaterThanOrEqual(32);
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  expect(statSync(folder.fileOf("MASTER_KEY")).mode & 0o777).toBe(0o600);
  expect(decide().upload).toEqual(upload); // as after a run that stopped before the upload
});

it("what Cloudflare has is not uploaded again", () => {
  keepBoth();
  expect(decide({ there: BOTH })).toMatchObject({ upload: {}, adminToken: TOKEN, notes: [] });
});

it("Cloudflare has it and the copy is missing: it goes on, says so, and makes none", () => {
  const { upload, adminToken, notes } = decide({ there: BOTH });
  expect(upload).toEqual({});
  expect(adminToken).toBeNull();
  expect(notes).toEqual(
    BOTH.map((name) => expect.stringContaining(`${name} is set on Cloudflare, and there is no copy`)),
  );
  expect(existsSync(folder.fileOf("MASTER_KEY"))).toBe(false);
});

it("the copy is there and Cloudflare lacks it: the copy goes up", () => {
  keepBoth();
  expect(decide({ there: ["ADMIN_TOKEN"] }).upload).toEqual({ MASTER_KEY: KEY });
  expect(folder.read("MASTER_KEY")).toBe(KEY);
});

it("with accounts in the database and their master key nowhere, none is made", () => {
  expect(() => decide({ hasAccounts: true })).toThrow("neither on Cloudflare nor in");
  expect(existsSync(folder.fileOf("MASTER_KEY"))).toBe(false);
  keepBoth();
  expect(decide({ hasAccounts: true }).upload.MASTER_KEY).toBe(KEY);
});

it("one that is brought along is used and kept, and never put in the place of a copy", () => {
  const given = { MASTER_KEY: KEY };
  expect(decide({ given }).upload.MASTER_KEY).toBe(KEY);
  expect(readFileSync(folder.fileOf("MASTER_KEY"), "utf8")).toBe(`${KEY}\n`);
  expect(() => decide({ given: { MASTER_KEY: "x".repeat(32) } })).toThrow("differs from your copy");
  expect(() => decide({ given: { ADMIN_TOKEN: "x".repeat(31) } })).toThrow("ADMIN_TOKEN in the environment has 31");
});

it("a build environment makes none: it would be the only one to have had it", () => {
  expect(() => decide({ place: "ci" })).toThrow("MASTER_KEY is not set on Cloudflare");
  expect(existsSync(folder.path)).toBe(false);
  const { upload, adminToken } = decide({ place: "ci", given: { MASTER_KEY: KEY, ADMIN_TOKEN: TOKEN } });
  expect({ upload, adminToken }).toEqual({ upload: { MASTER_KEY: KEY, ADMIN_TOKEN: TOKEN }, adminToken: TOKEN });
  expect(existsSync(folder.path)).toBe(false);
});

it("Cloudflare's own build goes on without, and names what is to be set", () => {
  const { upload, hasMasterKey, notes } = decide({ place: "workers-builds" });
  expect({ upload, hasMasterKey }).toEqual({ upload: {}, hasMasterKey: false });
  expect(notes).toEqual(BOTH.map((name) => expect.stringContaining(`${name} is not set`)));
  expect(decide({ place: "workers-builds", there: BOTH })).toMatchObject({ hasMasterKey: true, notes: [] });
});

it("a copy that was cut short is no secret, and is named", () => {
  keepBoth();
  writeFileSync(folder.fileOf("MASTER_KEY"), "x".repeat(31));
  expect(() => decide()).toThrow(`${folder.fileOf("MASTER_KEY")} has 31 characters`);
});

it("a folder that others can read is closed", () => {
  mkdirSync(folder.path, { mode: 0o755 });
  writeFileSync(folder.fileOf("MASTER_KEY"), KEY, { mode: 0o644 });
  decide();
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  expect(statSync(folder.fileOf("MASTER_KEY")).mode & 0o777).toBe(0o600);
});

it.each(["", "secrets", "deploy/secrets"])("the repository itself is no place for them: %j", (path) => {
  expect(() => new SecretsFolder(join(PROJECT, path), PROJECT)).toThrow("inside the repository");
});
