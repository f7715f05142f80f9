// The secrets of an embedded service: made long enough, and refused by name when somebody has chosen shorter ones.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadSecrets, secretsFile } from "../../local/secrets.ts";
import { adminTokenOf, masterKeysOf } from "../../src/accounts/service-secrets.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chronos-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LONG = "x".repeat(32);
const SHORT = "x".repeat(31);

function choose(secrets: Record<string, string>): void {
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(secretsFile(folder), lines.join(""));
}

it("those that are made are accepted by the service", () => {
  const secrets = loadSecrets(folder);
  expect(loadSecrets(folder)).toEqual(secrets);
  expect(adminTokenOf(secrets as Cloudflare.Env)).toBe(secrets.ADMIN_TOKEN);
  expect(masterKeysOf(secrets as Cloudflare.Env)).toEqual({ current: secrets.MASTER_KEY, previous: null });
});

it.each(["MASTER_KEY", "ADMIN_TOKEN"])("a %s of 32 characters will do, one of 31 is refused by its name", (name) => {
  const secrets = { MASTER_KEY: LONG, ADMIN_TOKEN: LONG };
  choose(secrets);
  expect(loadSecrets(folder)).toEqual(secrets);
  choose({ ...secrets, [name]: SHORT });
  expect(() => loadSecrets(folder)).toThrow(`${name} in ${secretsFile(folder)} has 31 characters: use at least 32`);
  choose({ ...secrets, [name]: "" });
  expect(() => loadSecrets(folder)).toThrow(`${secretsFile(folder)} lacks ${name}.`);
});

it("those of the environment come first, and are not written down", () => {
  const given = { MASTER_KEY: "m".repeat(32), ADMIN_TOKEN: "a".repeat(32) };
  expect(loadSecrets(folder, given)).toEqual(given);
  expect(existsSync(secretsFile(folder))).toBe(false);
  const { MASTER_KEY } = given;
  expect(loadSecrets(folder, { MASTER_KEY })).toMatchObject({ MASTER_KEY });
  expect(readFileSync(secretsFile(folder), "utf8")).toMatch(/^ADMIN_TOKEN=adm_\S+\n$/);
});

it("another MASTER_KEY than the one that is kept is refused, unless the kept one is named as the one before", () => {
  const { MASTER_KEY: kept } = loadSecrets(folder);
  expect(loadSecrets(folder, { MASTER_KEY: kept })).toMatchObject({ MASTER_KEY: kept });
  expect(() => loadSecrets(folder, { MASTER_KEY: LONG })).toThrow(
    `MASTER_KEY is not the one in ${secretsFile(folder)}`,
  );
  expect(() => loadSecrets(folder, { MASTER_KEY_PREVIOUS: kept })).toThrow("set both, or neither");
  const changed = { MASTER_KEY: LONG, MASTER_KEY_PREVIOUS: kept };
  expect(loadSecrets(folder, changed)).toMatchObject(changed);
});
