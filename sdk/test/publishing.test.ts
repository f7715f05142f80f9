// The package as the registry would get it, judged by publint and "are the types wrong".

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

let folder: string;
let packed: { filename: string; files: { path: string }[] };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chronos-publish-"));
  // Of a copy: packing builds, and other tests run what is built.
  const source = join(folder, "source");
  const isSource = (path: string) => !["dist", "node_modules", "test"].includes(basename(path));
  cpSync(ROOT, source, { recursive: true, filter: isSource });
  const env = { ...process.env, PATH: `${join(PROJECT, "node_modules/.bin")}:${process.env.PATH}` };
  const pack = ["pack", "--json", "--silent", "--pack-destination", folder];
  [packed] = JSON.parse(execFileSync("npm", pack, { cwd: source, env, encoding: "utf8" }));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tarball = () => new Uint8Array(readFileSync(join(folder, packed.filename)));

it("holds what is built, a readme and a licence, and nothing else", () => {
  const others = packed.files.map(({ path }) => path).filter((path) => !path.startsWith("dist/"));
  expect(others.sort()).toEqual(["LICENSE", "README.md", "package.json"]);
  expect(packed.files.map(({ path }) => path)).toContain("dist/cjs/package.json");
});

it("has no fault that publint knows", { timeout: 30_000 }, async () => {
  const { messages, pkg } = await publint({ pack: { tarball: tarball().buffer }, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

it("has the right types for import and for require, at every entry point", { timeout: 60_000 }, async () => {
  const result = await checkPackage(createPackageFromTarballData(tarball()));
  if (result.types === false) return expect.unreachable("it has no types");
  // Resolution by the rules of before 2022 knows no `exports`: it finds the first entry point only.
  const problems = result.problems.filter(
    (problem) => !("resolutionKind" in problem && problem.resolutionKind === "node10"),
  );
  expect(problems).toEqual([]);
  expect(Object.keys(result.entrypoints)).toEqual([".", "./express", "./hono", "./next", "./package.json"]);
});
