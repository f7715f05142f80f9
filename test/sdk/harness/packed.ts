// The SDK as the registry would have it.

import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { PROJECT } from "../../../local/settings.ts";

export const npm = (args: string[], cwd: string): string =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

/** Packs it into `folder`, of a copy: packing builds, and other tests run what is built. @returns the tarball's path */
export function packSdk(folder: string): string {
  const source = join(folder, "source");
  const isSource = (path: string) => !["dist", "node_modules", "test"].includes(basename(path));
  cpSync(join(PROJECT, "sdk"), source, { recursive: true, filter: isSource });
  npm(["pack", "--pack-destination", folder], source);
  rmSync(source, { recursive: true });
  const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  if (tarballs.length !== 1) throw new Error(`Packing made ${tarballs.length} files`);
  return join(folder, String(tarballs[0]));
}
