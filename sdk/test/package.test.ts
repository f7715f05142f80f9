// What the package promises as a package: no dependencies, no platform of its own, examples that compile.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import * as sdk from "../src/index.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const sources = readdirSync(join(ROOT, "src")).map((name) => {
  return { name, text: readFileSync(join(ROOT, "src", name), "utf8") };
});

it("depends on nothing, and imports nothing but its own files", () => {
  expect(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })).toEqual([]);
  for (const { name, text } of sources) {
    for (const [, path] of text.replace(/^ \*.*$/gm, "").matchAll(/(?:from|import) ?\(?"([^"]+)"/g)) {
      expect(path, name).toMatch(/^\.\/[a-z-]+\.ts$/);
    }
  }
});

it("names its version to the service", () => {
  const http = sources.find(({ name }) => name === "http.ts");
  expect(http?.text).toContain(`"chronos-edge-sdk/${manifest.version}"`);
});

it("exports exactly these values", () => {
  expect(Object.keys(sdk).sort()).toEqual([
    "Chronos",
    "ChronosApiError",
    "ChronosConfigError",
    "ChronosConnectionError",
    "ChronosError",
    "CreateManyError",
    "ExecutionAbortedError",
    "IdempotencyKeyConflictError",
    "NonRetryableError",
    "PreconditionFailedError",
    "ScheduleEndedError",
    "ScheduleKeyConflictError",
    "SignatureVerificationError",
    "queueConsumer",
    "rawJson",
    "verifySignature",
    "verifyWebhook",
  ]);
});

it("compiles every example of its docstrings and of its README as a user would", { timeout: 60_000 }, () => {
  const inSources = sources.flatMap(({ name, text }) => {
    const blocks = [...text.matchAll(/^ \* ```ts\n([\s\S]*?)^ \* ```$/gm)];
    return blocks.map(([, code]) => ({ from: name, code: String(code).replace(/^ \* ?/gm, "") }));
  });
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const inReadme = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => ({ from: "README.md", code }));
  const examples = [...inSources, ...inReadme];
  expect(inSources.length).toBeGreaterThan(15);
  expect(inReadme.length).toBeGreaterThan(4);

  const dir = mkdtempSync(join(tmpdir(), "chronos-examples-"));
  try {
    examples.forEach(({ from, code }, i) => {
      writeFileSync(join(dir, `${from.replace(/\W/g, "-")}-${i}.ts`), `${code}\nexport {};\n`);
    });
    const config = {
      extends: join(ROOT, "tsconfig.build.json"),
      compilerOptions: {
        paths: {
          "@chronos-edge/sdk": [join(ROOT, "src/index.ts")],
          "@chronos-edge/sdk/*": [join(ROOT, "src/*.ts")],
        },
        typeRoots: [join(ROOT, "../node_modules/@types")],
        types: ["node"],
        rootDir: "/",
        noEmit: true,
        noUnusedLocals: false,
      },
      include: [join(dir, "*.ts")],
    };
    writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
    let complaints = "";
    try {
      execFileSync(process.execPath, [TSC, "-p", dir], { encoding: "utf8" });
    } catch (error) {
      complaints = String((error as { stdout: string }).stdout);
    }
    expect(complaints).toBe("");
  } finally {
    rmSync(dir, { recursive: true });
  }
});
