// The production form of the embedded service, in a network of its own: it serves its neighbours, and pushes go to public
// addresses alone, whatever a name resolves to. Every forbidden address is a real one there, and listens.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Seen } from "./one-box/inside.ts";

const folder = mkdtempSync(join(tmpdir(), "chronos-network-"));
afterAll(() => rmSync(folder, { recursive: true }));

let seen: Seen;
beforeAll(() => {
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const names = ["-subj", "/CN=a test", "-addext", "subjectAltName=DNS:*.example.com"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...names], {
    stdio: "pipe",
  });
  const program = [process.execPath, "--no-warnings", join(import.meta.dirname, "one-box/inside.ts"), folder];
  // Root makes namespaces as it is; others need one of users around them.
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const output = execFileSync("unshare", [...asRoot, "--net", "--mount", ...program], { encoding: "utf8" });
  seen = JSON.parse(output.trim().split("\n").at(-1) ?? "");
}, 120_000);

it("a neighbour on its network is served", () => {
  expect(JSON.parse(seen.neighbourHears)).toMatchObject({ success: true });
});

it("its log holds no key", () => {
  expect(seen.logHasSecrets).toBe(false);
});

describe("a target that is not public", () => {
  it("is really there, for a service that may call anything", () => {
    expect(seen.reached).toBeGreaterThan(30);
    expect(seen.accepted).toBeGreaterThan(100);
  });

  it("is refused when a job is created, in every spelling", () => {
    const others = seen.created.filter(
      ({ status, message }) => status !== 422 || !/public host|absolute URL/.test(message),
    );
    expect(others).toEqual([]);
    expect(seen.created.length).toBeGreaterThan(120);
  });

  it("is refused at the attempt of a job that was created while it was allowed", () => {
    expect(seen.refusedLater).toBe(seen.accepted);
  });

  it("is not connected to when a public name resolves to it; a public address is", () => {
    expect(seen.refusedByAddress).toBe(seen.names);
    expect(new Set(seen.connections)).toEqual(new Set(["public.example.com"]));
    expect(seen.rawConnections).toBe(seen.connections.length);
  });

  it("is not come to by a redirect; and a target that hangs is let go", () => {
    expect(seen.requests).toEqual(["/", "/hang", "/redirect"]);
    expect(seen.cut).toBe("/hang");
  });
});
