// Settings that make no sense end `npm start` before anything is begun, in words that name them.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { PROJECT, readSettings, StartError } from "../../local/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "chronos-settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Any values: the generated type knows only that of wrangler.toml. */
const environment = (values: Record<string, string | undefined>) => values as NodeJS.ProcessEnv;

const RULE = "RETENTION_DAYS must be a whole number of days from 1 to 36500.";

it.each(["0", "-1", "abc", "1.5", " ", "30 ", "36501"])("RETENTION_DAYS=%j is refused by name", (text) => {
  const read = () => readSettings(environment({ RETENTION_DAYS: text }));
  expect(read).toThrow(StartError);
  expect(read).toThrow(`${RULE} It is "${text}".`);
});

it.each([
  ["1", { RETENTION_DAYS: "1" }],
  ["36500", { RETENTION_DAYS: "36500" }],
  ["", {}],
  [undefined, {}],
])("RETENTION_DAYS=%j is taken", (text, vars) => {
  expect(readSettings(environment({ RETENTION_DAYS: text })).vars).toEqual({
    ALLOW_LOCAL_TARGETS: "true",
    PUBLIC_HOSTS: "",
    ...vars,
  });
});

it.each(["local/start.ts", "local/dev.ts"])("%s ends with it, and makes nothing", (program) => {
  const state = join(folder, "state");
  const env: Record<string, string> = { CHRONOS_STATE: state, PORT: "0", RETENTION_DAYS: "0" };
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--no-warnings", join(PROJECT, program)], {
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  expect([status, stdout, stderr]).toEqual([1, "", `${RULE} It is "0". Try: RETENTION_DAYS=30 npm start\n`]);
  expect(existsSync(state)).toBe(false);
});
