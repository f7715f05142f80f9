// Runs the README's commands as they are written: every ```sh block in its order, in one shell. A block marked
// `background` is a server: it is started, the service is waited for, and stopped at the end.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const READY_MS = 120_000;
const HEALTH = "http://127.0.0.1:8787/health";

const root = join(import.meta.dirname, "..");
const env = { ...process.env, NO_COLOR: "1" };

const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```sh( background)?\n(.*?)^```$/gms)];
if (blocks.length === 0) throw new Error("The README has no commands.");

const servers: ChildProcess[] = [];
let failure = "";
for (const [, background, commands = ""] of blocks) {
  console.log(`\n$ ${commands.trim().replaceAll("\n", "\n$ ")}`);
  failure = background ? await serve(commands) : await run(commands);
  if (failure) break;
}
for (const server of servers) if (server.pid) process.kill(-server.pid, "SIGTERM");
await Promise.all(servers.map((server) => (server.exitCode === null ? once(server, "exit") : null)));
if (failure) console.error(failure);
console.log(failure ? "0 passed, 1 failed" : `${blocks.length} passed, 0 failed`);
process.exit(failure ? 1 : 0);

async function run(commands: string): Promise<string> {
  const shell = spawn("bash", ["-euo", "pipefail", "-c", commands], { cwd: root, env, stdio: "inherit" });
  const [code] = await once(shell, "exit");
  return code === 0 ? "" : `This block of the README failed with ${code}:\n${commands}`;
}

async function serve(commands: string): Promise<string> {
  const shell = spawn("bash", ["-euo", "pipefail", "-c", commands], {
    cwd: root,
    env,
    stdio: "inherit",
    detached: true,
  });
  servers.push(shell);
  const until = Date.now() + READY_MS;
  while (Date.now() < until && shell.exitCode === null) {
    if (!commands.includes("npm start") || (await fetch(HEALTH).catch(() => null))?.ok) return "";
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return `This server of the README did not come up:\n${commands}`;
}
