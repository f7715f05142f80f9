// The settings of an embedded service: bad values end it before anything is begun, in words that name them; defaults are the
// safe ones; the table of the guide says what the code does.

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PROJECT, readSettings, SETTINGS, StartError, servedAt } from "../../local/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "chronos-settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Any values: the generated type knows only that of wrangler.toml. */
const read = (values: Record<string, string | undefined>) => readSettings(values as NodeJS.ProcessEnv);

const BAD: Record<keyof typeof SETTINGS, readonly string[]> = {
  HOST: ["localhost", "0", "1.2.3", "1.2.3.4:80", "[::1]", "fe80::1%eth0", " 127.0.0.1", "*"],
  PORT: ["-1", "65536", "8787.5", "0x10", "port", " ", "000000"],
  CHRONOS_STATE: [],
  CHRONOS_TARGETS: ["PUBLIC", "private", "true", "public,any"],
  PUBLIC_HOSTS: [
    "https://a.example",
    "a.example/path",
    "a.example,,b.example",
    "a b",
    "u@a.example",
    "a.example:99999",
  ],
  MASTER_KEY: ["x".repeat(31)],
  MASTER_KEY_PREVIOUS: [],
  ADMIN_TOKEN: ["x".repeat(31)],
  RETENTION_DAYS: ["0", "-1", "abc", "1.5", " ", "30 ", "36501"],
  MAX_WAITING_JOBS: ["0", "-1", "none", "1e6", "1000000001"],
  MAX_SCHEDULES: ["0", "1.5"],
  MAX_OPEN_POLLS: ["0", " "],
  CHRONOS_DATABASES: ["0", "101", "4.5", "four", "1000"],
  CHRONOS_RATE_LIMITS: ["false", "OFF"],
  CHRONOS_LOG: ["JSON", "quiet"],
};

describe.each(Object.entries(BAD))("%s", (name, values) => {
  it.each(values)("%j is refused by name, with what would be right", (text) => {
    const { rule } = SETTINGS[name as keyof typeof SETTINGS];
    expect(() => read({ [name]: text })).toThrow(StartError);
    expect(() => read({ [name]: text })).toThrow(rule);
    expect(rule).toMatch(new RegExp(`^${name} must `));
  });

  it("that is empty counts as not set", () => {
    expect(read({ [name]: "" })).toEqual(read({}));
  });
});

it("a secret that is refused is not shown", () => {
  expect(() => read({ MASTER_KEY: "my secret" })).toThrow(
    "MASTER_KEY must be at least 32 characters long; openssl rand -base64 32 makes one. It has 9.",
  );
  expect(() => read({ MASTER_KEY: "my secret" })).not.toThrow("my secret");
});

it("good values are taken", () => {
  expect(
    read({
      HOST: "192.0.2.7",
      PORT: "80",
      CHRONOS_STATE: "/somewhere",
      PUBLIC_HOSTS: "jobs.example.com, [2001:db8::1]:8443,büro.example.com",
      MASTER_KEY: "m".repeat(32),
      ADMIN_TOKEN: "a".repeat(32),
      RETENTION_DAYS: "36500",
      MAX_WAITING_JOBS: "5000000",
      MAX_SCHEDULES: "1",
      MAX_OPEN_POLLS: "1000000000",
      CHRONOS_LOG: "json",
    }),
  ).toMatchObject({
    host: "192.0.2.7",
    port: 80,
    stateFolder: "/somewhere",
    targets: "public",
    vars: {
      PUBLIC_HOSTS: "jobs.example.com, [2001:db8::1]:8443,büro.example.com",
      RETENTION_DAYS: "36500",
      MAX_WAITING_JOBS: "5000000",
      MAX_SCHEDULES: "1",
      MAX_OPEN_POLLS: "1000000000",
    },
    secrets: { MASTER_KEY: "m".repeat(32), ADMIN_TOKEN: "a".repeat(32) },
    rawLogs: true,
  });
});

it("a log holds no key once others reach the service, also through a proxy", () => {
  const isOpen = (values: Record<string, string>) => read(values).isOpen;
  expect(isOpen({})).toBe(false);
  expect(isOpen({ HOST: "::1", CHRONOS_TARGETS: "public" })).toBe(false);
  expect(isOpen({ HOST: "0.0.0.0" })).toBe(true);
  expect(isOpen({ PUBLIC_HOSTS: "jobs.example.com" })).toBe(true);
});

describe("where jobs may call", () => {
  const targetsAt = (HOST: string, CHRONOS_TARGETS?: string) => {
    const { targets, vars } = read({ HOST, CHRONOS_TARGETS });
    return [targets, vars.ALLOW_LOCAL_TARGETS];
  };

  it.each(["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"])("is anywhere while %s is served", (host) => {
    expect(targetsAt(host)).toEqual(["any", "true"]);
    expect(targetsAt(host, "public")).toEqual(["public", undefined]);
  });

  it.each(["0.0.0.0", "::", "192.168.1.5", "128.0.0.1", "::2"])("is public while %s is served", (host) => {
    expect(targetsAt(host)).toEqual(["public", undefined]);
    expect(targetsAt(host, "any")).toEqual(["any", "true"]);
  });

  it("is public behind a proxy that PUBLIC_HOSTS names, unless it is said", () => {
    const behind = { HOST: "127.0.0.1", PUBLIC_HOSTS: "jobs.example.com" };
    expect(read(behind)).toMatchObject({ targets: "public", vars: { PUBLIC_HOSTS: "jobs.example.com" } });
    expect(read(behind).vars).not.toHaveProperty("ALLOW_LOCAL_TARGETS");
    expect(read({ ...behind, CHRONOS_TARGETS: "any" })).toMatchObject({ targets: "any" });
  });
});

it("a server on all networks keeps jobs from each of its addresses", () => {
  const names = servedAt(read({ HOST: "0.0.0.0", PUBLIC_HOSTS: "jobs.example.com" }), 8787).vars.PUBLIC_HOSTS?.split(
    ",",
  );
  const [{ address } = { address: "" }] = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  expect(names).toEqual(expect.arrayContaining(["jobs.example.com", "0.0.0.0:8787", `${address}:8787`]));
});

it("the guide's table is what the code does", () => {
  const guide = readFileSync(join(PROJECT, "docs/self-hosting.md"), "utf8");
  const rows = [...guide.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$/gm)].map(([, name, text, rule]) => [
    name,
    text,
    rule,
  ]);
  const table = Object.entries(SETTINGS).map(([name, setting]) => {
    const known = setting.default.replace(/^(\d[\d.]*|\.chronos|text|on$).*$/, "`$&`");
    return [name, known, setting.rule.replace(`${name} must be `, "")];
  });
  expect(rows).toEqual(table);
});

it.each(["local/start.ts", "local/dev.ts"])("%s ends with a bad one, and makes nothing", (program) => {
  const state = join(folder, "state");
  const env: Record<string, string> = { CHRONOS_STATE: state, PORT: "0", RETENTION_DAYS: "0" };
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--no-warnings", join(PROJECT, program)], {
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  const message = `${SETTINGS.RETENTION_DAYS.rule} It is "0". Try: RETENTION_DAYS=30\n`;
  expect([status, stdout, stderr]).toEqual([1, "", message]);
  expect(existsSync(state)).toBe(false);
});

describe("a start in a state folder that is not the service's alone leaves it as it is", () => {
  const place = join(folder, "place");
  const start = () => {
    const { status, stderr } = spawnSync(process.execPath, ["--no-warnings", join(PROJECT, "local/start.ts")], {
      env: { ...process.env, CHRONOS_STATE: place, PORT: "0" },
      encoding: "utf8",
      timeout: 60_000,
    });
    const mode = statSync(place).mode & 0o777;
    rmSync(place, { recursive: true });
    return [status, stderr, mode];
  };

  it("a file", () => {
    writeFileSync(place, "mine");
    chmodSync(place, 0o644);
    expect(start()).toEqual([1, `${place} is no folder. Choose another place: CHRONOS_STATE=<folder>\n`, 0o644]);
  });

  it("a folder that others read, with files of theirs", () => {
    mkdirSync(join(place, "lost+found"), { recursive: true });
    writeFileSync(join(place, "hosts"), "theirs");
    chmodSync(place, 0o755);
    expect(start()).toEqual([1, expect.stringContaining(`${place} holds other files (hosts)`), 0o755]);
  });
});
