// The package as it would be published: packed, installed into an empty folder, run by the user's own Node.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { nodeOfTheUser } from "./harness/child.ts";
import { npm, packSdk } from "./harness/packed.ts";

it("packs what is built, installs without a registry, and runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "chronos-package-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { env } = nodeOfTheUser();
  const tarball = packSdk(folder);
  expect(basename(tarball)).toBe("chronos-edge-sdk-0.1.0.tgz");

  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  npm(["install", "--offline", "--no-audit", "--no-fund", tarball], folder);
  expect(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["@chronos-edge"]);
  const files = readdirSync(join(folder, "node_modules/@chronos-edge/sdk"));
  expect(files.sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);

  writeFileSync(
    join(folder, "main.js"),
    `import { Chronos, verifySignature } from "@chronos-edge/sdk";
     const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
     chronos.worker.handle("hello", () => {});
     const refused = await verifySignature({ headers: {}, body: "" }, "whsec_x").catch((error) => error.reason);
     console.log(Number(process.versions.node.split(".")[0]) >= 20, refused);`,
  );
  writeFileSync(
    join(folder, "main.cjs"),
    `const { Chronos, verifySignature } = require("@chronos-edge/sdk");
     const { onDelivery } = require("@chronos-edge/sdk/express");
     new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
     verifySignature({ headers: {}, body: "" }, "whsec_x").catch((error) => console.log(typeof onDelivery, error.reason));`,
  );
  const run = (script: string) =>
    execFileSync("node", [script], { cwd: folder, encoding: "utf8", env: { ...process.env, ...env } });
  expect(run("main.js")).toBe("true missing_header\n");
  expect(run("main.cjs")).toBe("function missing_header\n");
});
