// Runs the commands of the README, and then those of each guide in docs/, as they are written: every ```sh block in its
// order. A document's blocks share one shell, as a reader's terminal does. A block marked `background` is a server: it is
// started, waited for, and stopped at the end; one that runs already for an earlier document is left as it is.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const READY_MS = 120_000;
/** What the service, the receiver and the worker print once they are up. */
const READY = /^(Chronos is running|Waiting for deliveries|Polling http)/m;

const root = join(import.meta.dirname, "..");
const env = { ...process.env, NO_COLOR: "1" };

interface Block {
  readonly commands: string;
  readonly isServer: boolean;
}

const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const documents = ["README.md", ...guides.map((name) => `docs/${name}`)];

const servers = new Map<string, ChildProcess>();
let failure = "";
let passed = 0;
for (const document of documents) {
  const blocks = blocksOf(readFileSync(join(root, document), "utf8"));
  if (document === "README.md" && blocks.length === 0) failure = "The README has no commands.";
  for (const { commands } of blocks.filter(({ isServer }) => isServer)) failure ||= await serve(document, commands);
  const commands = blocks.filter(({ isServer }) => !isServer).map(({ commands }) => commands);
  if (commands.length > 0) failure ||= await run(document, commands.join("\n"));
  if (failure) break;
  passed += blocks.length;
}
for (const { pid } of servers.values()) if (pid) process.kill(-pid, "SIGTERM");
await Promise.all([...servers.values()].map((server) => (server.exitCode === null ? once(server, "exit") : null)));
if (failure) console.error(failure);
console.log(failure ? `${passed} passed, 1 failed` : `${passed} passed, 0 failed`);
process.exit(failure ? 1 : 0);

function blocksOf(text: string): Block[] {
  const found = [...text.matchAll(/^```sh( background)?\n(.*?)^```$/gms)];
  return found.map(([, background, commands = ""]) => ({ commands, isServer: background !== undefined }));
}

/** @returns what went wrong; nothing when all went well */
async function run(document: string, commands: string): Promise<string> {
  console.log(`\n# ${document}`);
  const shell = spawn("bash", ["-veuo", "pipefail", "-c", commands], { cwd: root, env, stdio: "inherit" });
  const [code] = await once(shell, "exit");
  return code === 0 ? "" : `The commands of ${document} failed with ${code}.`;
}

/** Starts a server and waits, as a reader does, until it says that it is ready. */
async function serve(document: string, commands: string): Promise<string> {
  if (servers.has(commands)) return "";
  console.log(`\n# ${document}\n$ ${commands.trim().replaceAll("\n", "\n$ ")}`);
  const shell = spawn("bash", ["-euo", "pipefail", "-c", commands], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  servers.set(commands, shell);
  shell.stdout.pipe(process.stdout, { end: false });
  let printed = "";
  const said = new Promise<boolean>((resolve) => {
    shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (READY.test(printed)) return;
      printed += text;
      if (READY.test(printed)) resolve(true);
    });
    shell.once("exit", () => resolve(false));
    setTimeout(resolve, READY_MS, false).unref();
  });
  return (await said) ? "" : `This server of ${document} did not come up:\n${commands}`;
}
