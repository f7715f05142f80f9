// The files that put the embedded service on a server: they are well-formed, name settings that exist, and agree.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { load } from "js-yaml";
import { describe, expect, it, onTestFinished } from "vitest";
import { PROJECT, readSettings, SETTINGS } from "../../local/settings.ts";

const read = (path: string): string => readFileSync(join(PROJECT, path), "utf8");
const dockerfile = read("Dockerfile");

/** Settings are accepted as they are written. */
function expectSettings(values: Record<string, string>): void {
  expect(Object.keys(values).filter((name) => !(name in SETTINGS))).toEqual([]);
  readSettings(values as NodeJS.ProcessEnv);
}

describe("Dockerfile", () => {
  it("has no fault that a linter finds", () => {
    expect(validate(dockerfile).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  it("runs as a user of its own, and sets what exists", () => {
    const last = dockerfile.split(/^FROM /m).at(-1) ?? "";
    expect(last).toMatch(/^USER node$/m);
    const [, pairs = ""] = /^ENV (.*)$/m.exec(last) ?? [];
    expectSettings(Object.fromEntries(pairs.split(" ").map((pair) => pair.split("="))));
  });

  it("gets no secret, state or build of this folder", () => {
    const ignored = read(".dockerignore").split("\n");
    for (const name of ["**/node_modules", "**/.chronos", "**/.env", "**/.dev.vars", ".git", "build"])
      expect(ignored).toContain(name);
  });
});

it("compose.yaml uses the image's volume, and sets what exists", () => {
  type Service = { environment: Record<string, string>; volumes: string[]; ports: string[] };
  const { services } = load(read("compose.yaml")) as { services: Record<string, Service> };
  const { environment, volumes, ports } = services["chronos-edge"] ?? { environment: {}, volumes: [], ports: [] };
  const defaults = Object.entries(environment).map(([name, text]) => [name, text.replace(/^\$\{\w+:-(.*)\}$/, "$1")]);
  expectSettings(Object.fromEntries(defaults));
  expect(volumes).toContain("data:/data");
  expect(ports).toEqual(["127.0.0.1:8787:8787"]);
});

describe("chronos-edge.service", () => {
  const unit = read("deploy/chronos-edge.service");

  it("sets what exists", () => {
    const [, pairs = ""] = /^Environment=(.*)$/m.exec(unit) ?? [];
    expectSettings(Object.fromEntries(pairs.split(" ").map((pair) => pair.split("="))));
  });

  it("is accepted by systemd, which finds it well closed", () => {
    const folder = mkdtempSync(join(tmpdir(), "chronos-unit-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "chronos-edge.service");
    // systemd looks for the program, which is installed elsewhere here.
    writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
    const analyze = (...args: string[]) => execFileSync("systemd-analyze", args, { encoding: "utf8", stdio: "pipe" });
    expect(analyze("verify", path)).toBe("");
    const [, exposure] =
      /exposure level for chronos-edge\.service: ([\d.]+)/.exec(analyze("security", "--offline=true", path)) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(1.6);
  });
});
