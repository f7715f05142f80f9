// A clone of the repository, as far as a deployment reads it: what that writes beside wrangler.toml is its own.
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { PROJECT } from "../../../local/settings.ts";

/** `dashboard/` is built from `docs/` and `sdk/` as well. */
const PARTS = [
  "dashboard",
  "deploy",
  "docs",
  "local",
  "migrations",
  "sdk",
  "src",
  "wrangler.toml",
  "package.json",
  "tsconfig.json",
];

export function projectCopy(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "chronos-clone-"));
  for (const part of PARTS.filter((name) => existsSync(join(PROJECT, name))))
    cpSync(join(PROJECT, part), join(path, part), {
      recursive: true,
      preserveTimestamps: true, // what is built already counts as built
      filter: (file) => basename(file) !== "node_modules",
    });
  symlinkSync(join(PROJECT, "node_modules"), join(path, "node_modules"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
