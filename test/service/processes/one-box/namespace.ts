// A network of its own for a test: a namespace in which every address may be ours, and names lead where the test says. Nothing
// leaves it. Runs inside of `unshare --net --mount`.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";

const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });

export function bringUpLoopback(): void {
  ip("link", "set", "lo", "up");
}

/** @returns whether the kernel takes it for an address of a machine */
export function addAddress(address: string, device = "lo"): boolean {
  try {
    ip("address", "add", `${address}/${address.includes(":") ? 128 : 32}`, "dev", device);
    return true;
  } catch {
    return false;
  }
}

/** Names and their addresses, for every process of this namespace. */
export function nameAddresses(names: ReadonlyMap<string, string>, file: string): void {
  const lines = [...names].map(([name, address]) => `${address} ${name}\n`);
  writeFileSync(file, readFileSync("/etc/hosts", "utf8") + lines.join(""));
  execFileSync("mount", ["--bind", file, "/etc/hosts"]);
}

/** Another machine on our network, at 192.168.77.2; we are 192.168.77.1. */
export async function neighbour() {
  const machine = spawn("unshare", ["--net", "sh", "-c", "echo up; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  await once(machine.stdout, "data");
  const pid = `${machine.pid}`;
  ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1");
  ip("link", "set", "lan1", "netns", pid);
  ip("address", "add", "192.168.77.1/24", "dev", "lan0");
  ip("link", "set", "lan0", "up");
  const there = (...command: string[]) =>
    execFileSync("nsenter", ["--target", pid, "--net", ...command], { encoding: "utf8" });
  there("ip", "address", "add", "192.168.77.2/24", "dev", "lan1");
  there("ip", "link", "set", "lan1", "up");
  return {
    asks: (url: string) => there("curl", "--silent", "--max-time", "10", url),
    leave: () => machine.stdin.end(),
  };
}
