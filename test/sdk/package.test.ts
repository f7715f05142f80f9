// The package as it would be published: packed, installed into an empty folder, run by the user's own Node.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import { nodeOfTheUser } from "./harness/child.ts";

it("packs what is built, installs without a registry, and runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "chronos-package-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { env } = nodeOfTheUser();
  const npm = (args: string[], cwd: string) =>
    execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

  // Of a copy: packing builds, and other tests run what is built.
  const source = join(folder, "source");
  const isSource = (path: string) => !["dist", "node_modules", "test"].includes(basename(path));
  cpSync(join(PROJECT, "sdk"), source, { recursive: true, filter: isSource });
  npm(["pack", "--pack-destination", folder], source);
  rmSync(source, { recursive: true });
  const [tarball = "", ...others] = readdirSync(folder);
  expect([tarball, others]).toEqual(["chronos-edge-sdk-0.1.0.tgz", []]);

  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  npm(["install", "--offline", "--no-audit", "--no-fund", join(folder, tarball)], folder);
  expect(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["@chronos-edge"]);
  const files = readdirSync(join(folder, "node_modules/@chronos-edge/sdk"));
  expect(files.sort()).toEqual(["README.md", "dist", "package.json"]);

  writeFileSync(
    join(folder, "main.js"),
    `import { Chronos, verifySignature } from "@chronos-edge/sdk";
     const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
     chronos.worker.handle("hello", () => {});
     const refused = await verifySignature({ headers: {}, body: "" }, "whsec_x").catch((error) => error.reason);
     console.log(Number(process.versions.node.split(".")[0]) >= 20, refused);`,
  );
  const said = execFileSync("node", ["main.js"], { cwd: folder, encoding: "utf8", env: { ...process.env, ...env } });
  expect(said).toBe("true missing_header\n");
});
