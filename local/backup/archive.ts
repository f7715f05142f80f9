// A folder as one file, by the system's tar.
import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { StartError } from "../settings.ts";

const COMPRESSED = /\.(tar\.gz|tgz)$/;

export const isArchive = (path: string): boolean => path.endsWith(".tar") || COMPRESSED.test(path);

/** @param name the archive's name in the end, which says whether it is compressed */
export function pack(folder: string, archive: string, name: string): void {
  tar([COMPRESSED.test(name) ? "-czf" : "-cf", archive, "-C", folder, "."]);
  const file = openSync(archive, "r");
  fsyncSync(file); // a power cut right after the command must not take the copy
  closeSync(file);
}

export function unpack(archive: string, folder: string): void {
  tar(["-xf", archive, "-C", folder]);
}

function tar(args: readonly string[]): void {
  const { error, status, stderr } = spawnSync("tar", args, { encoding: "utf8" });
  if (error) throw new StartError(`tar cannot be run (${error.message}). Install it, or use a folder`);
  if (status !== 0) throw new StartError(`tar failed: ${stderr.trim()}`);
}
