// Which service a command speaks to, what becomes of its key, and the exit codes.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../../cli/version.ts";
import { PROJECT } from "../../local/settings.ts";
import { quietPort } from "../harness/quiet-port.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { cliOf, machine } from "./terminal.ts";

let service: Service;
beforeAll(async () => {
  service = await sharedService();
});

const NONE = "00000000-0000-4000-8000-000000000000";

describe("profiles", () => {
  it("keep a key that the service knows, for its owner only, and never show it", async () => {
    const { url, apiKey } = await service.newTenant();
    const { cli, home } = machine({}, `${apiKey}\n`);
    expect(await cli("login", "prod", "--url", `${url}/`)).toMatchObject({ code: 0, err: "" });
    const path = join(home, ".config/chronos-edge/profiles.json");
    expect([statSync(path).mode & 0o777, statSync(join(path, "..")).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      current: "prod",
      profiles: { prod: { url, api_key: apiKey } },
    });
    expect(await cli("jobs", "list")).toEqual({ code: 0, out: "No jobs.", err: "" });
    const listed = await cli("profile", "list", "--json");
    expect(JSON.parse(listed.out)).toEqual([{ name: "prod", url, current: true }]);
    chmodSync(path, 0o644);
    expect((await cli("jobs", "list")).err).toContain("others can read");
    expect((await cli("profile", "remove", "prod")).code).toBe(0);
    expect(readFileSync(path, "utf8")).not.toContain(apiKey);
    expect((await cli("jobs", "list")).err).toContain("No service is known");
  });

  it("are used by name and in turn", async () => {
    const [one, two] = [await service.newTenant(), await service.newTenant()];
    const { cli, home } = machine();
    const profiles = { one: { url: one.url, api_key: one.apiKey }, two: { url: two.url, api_key: two.apiKey } };
    mkdirSync(join(home, ".config/chronos-edge"), { recursive: true });
    const path = join(home, ".config/chronos-edge/profiles.json");
    writeFileSync(path, JSON.stringify({ current: "one", profiles }), { mode: 0o600 });
    const { id } = await two.create({ handler: "h", delay: { value: 1, unit: "hour" } });
    expect((await cli("jobs", "get", id)).code).toBe(3);
    expect((await cli("jobs", "get", id, "--profile", "two")).code).toBe(0);
    expect((await cli("profile", "use", "two")).code).toBe(0);
    expect((await cli("jobs", "get", id)).code).toBe(0);
    expect(await cli("jobs", "list", "--profile", "three")).toMatchObject({
      code: 2,
      err: 'error: There is no profile "three"; there is one, two. Make it with: chronos-edge login three',
    });
    writeFileSync(path, "{");
    expect(await cli("jobs", "list")).toMatchObject({ code: 2, err: expect.stringContaining("is damaged") });
  });

  it("keep nothing that the service does not know, and no name that leads elsewhere", async () => {
    const wrong = machine({}, "chrns_wrong");
    const refused = await wrong.cli("login", "prod", "--url", service.url);
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining("does not know this API key") });
    expect((await wrong.cli("profile", "list", "--json")).out).toBe("[]");
    for (const name of ["local", "none", "a b", ""])
      expect((await wrong.cli("login", name, "--url", service.url)).code).toBe(2);
  });
});

it("takes the environment before a profile, and never half of it", async () => {
  const tenant = await service.newTenant();
  const { cli } = machine({ CHRONOS_API_KEY: tenant.apiKey });
  expect(await cli("jobs", "list")).toMatchObject({ code: 2, err: expect.stringContaining("CHRONOS_URL is not set") });
  const wrong = machine({ CHRONOS_API_KEY: tenant.apiKey, CHRONOS_URL: "nowhere" });
  expect(await wrong.cli("jobs", "list")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^error: CHRONOS_URL and CHRONOS_API_KEY: the address /),
  });
  const both = machine({ CHRONOS_API_KEY: tenant.apiKey, CHRONOS_URL: tenant.url, CHRONOS_PROFILE: "absent" });
  expect((await both.cli("jobs", "list")).code).toBe(0);
});

it("finds the embedded service of this folder", async () => {
  const { cli } = machine({ CHRONOS_STATE: join(service.folder, "state") });
  expect((await cli("doctor")).out).toContain(`${service.url} (${join(service.folder, "state/dev.json")})`);
  expect((await machine().cli("jobs", "list", "--profile", "local")).err).toContain(
    "no embedded service in this folder",
  );
});

describe("exit codes", () => {
  it("are 2 for what makes no sense here, or to the service, and name the field", async () => {
    const cli = cliOf(await service.newTenant());
    const line = async (...args: string[]) => {
      const { code, out, err } = await cli(...args);
      return [code, out, err.split("\n")[0]];
    };
    expect(await line("jobs", "create", "x")).toEqual([
      2,
      "",
      expect.stringContaining("--handler or --push is needed"),
    ]);
    expect(await line("jobs", "create", "x", "--handler", "h", "--payload", "{a")).toEqual([
      2,
      "",
      expect.stringMatching(/^error: payload: it must be a JSON object/),
    ]);
    const wrong = "error: delivery.http.url: Must be an https:// URL.";
    expect(await line("jobs", "create", "x", "--push", "ftp://x")).toEqual([2, "", wrong]);
    expect(await line("jobs", "crate")).toEqual([2, "", "error: unknown command 'crate'"]);
    expect(JSON.parse((await cli("jobs", "crate", "--json")).err)).toMatchObject({ error: { code: "usage" } });
    expect(await line("jobs", "list", "--limit", "x")).toEqual([2, "", expect.stringContaining("'--limit <n>'")]);
  });

  it("are 3 for what is refused and 4 for who does not answer; --json says it in JSON", async () => {
    const tenant = await service.newTenant();
    const cli = cliOf(tenant);
    const missing = await cli("jobs", "get", NONE, "--json");
    expect([missing.code, missing.out, JSON.parse(missing.err)]).toEqual([
      3,
      "",
      {
        error: { code: "job_not_found", message: "There is no such job.", errors: [], request_id: expect.any(String) },
      },
    ]);
    expect((await cliOf({ ...tenant, apiKey: "chrns_wrong" })("jobs", "list")).code).toBe(3);
    const url = `http://127.0.0.1:${await quietPort()}`;
    const gone = cliOf({ url, apiKey: tenant.apiKey });
    expect([(await gone("jobs", "list")).code, (await gone("doctor")).code]).toEqual([4, 4]);
  });
});

describe("the program as a process", () => {
  const start = (...args: string[]) => {
    const script = ["--no-warnings", join(PROJECT, "cli/main.ts"), ...args];
    return spawnSync(process.execPath, script, { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
  };

  it("prints its version and ends with the exit code of the command", () => {
    const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
    expect([VERSION, start("--version").stdout]).toEqual([version, `${version}\n`]);
    expect(start("jobs", "crate").status).toBe(2);
  });

  it("completes commands and options", () => {
    const script = start("completion", "bash").stdout;
    execFileSync("bash", ["-n"], { input: script });
    expect(script).toContain("chronos-edge");
    expect(start("complete", "--", "jobs", "ca").stdout).toContain("cancel");
    expect(start("complete", "--", "jobs", "create", "--pay").stdout).toContain("--payload");
  });
});
