#!/usr/bin/env node
// Starts the program on a Node that can run it. npm itself is content with Node 20; the service needs a newer one, which
// the optional dependencies node-linux-* bring along. Plain JavaScript, since this file runs on the old one.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** It has node:sqlite without a flag, and runs the clone's TypeScript as it is. */
const NEEDED = { major: 22, minor: 18 };

/** Set for the program when this launcher waits for it in a process of its own. */
const LAUNCHED = "CHRONOS_EDGE_LAUNCHED";

const PARENT_LOOK_MS = 200;

const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
const here = createRequire(import.meta.url);
const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));

const program = findProgram();
if (program === null) {
  fail(
    "This clone lacks its development dependencies, and nothing is built yet.\n" +
      "Either install them:      npm ci && npm start\n" +
      "or build once, then run:  npm ci && npm run build:package && npm ci --omit=dev && npm start",
  );
} else if (isNewEnough(process.versions.node)) {
  followLauncher();
  followNpx();
  await import(pathToFileURL(program).href);
} else {
  const node = packagedNode();
  if (node === null) fail(noNode());
  else launch(node);
}

/** The sources in a clone that has what they need, otherwise the built program of the package. */
function findProgram() {
  const source = join(root, "cli/main.ts");
  const built = join(root, "build/main.js");
  if (existsSync(source) && isInstalled("wrangler") && isInstalled("commander")) return source;
  return existsSync(built) ? built : null;
}

/** @param {string} name */
function isInstalled(name) {
  return (here.resolve.paths(name) ?? []).some((folder) => existsSync(`${folder}/${name}/package.json`));
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor);
}

/** @returns {string | null} */
function packagedNode() {
  try {
    return here.resolve(`node-linux-${process.arch}/bin/node`);
  } catch {
    return null;
  }
}

function noNode() {
  const needed = `${NEEDED.major}.${NEEDED.minor}`;
  const optional = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);
  return (
    `Chronos needs Node ${needed} or newer; this is ${process.version}. Install a newer Node` +
    (optional ? ", or let npm bring one: npm install --include=optional chronos-edge" : "")
  );
}

/**
 * Runs this file again on another Node and ends as that ends. Should this process be killed, the program notices that the
 * channel between them is closed, and stops.
 * @param {string} node
 */
function launch(node) {
  const child = spawn(node, [self, ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, [LAUNCHED]: "1" },
  });
  // Ctrl-C reaches both of us by itself; a supervisor signals only this process.
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => fail(`The Node at ${node} cannot be started: ${error.message}`));
  child.once("exit", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}

function followLauncher() {
  if (process.env[LAUNCHED] !== "1" || !process.channel) return;
  delete process.env[LAUNCHED];
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}

/**
 * npx runs us in a shell. A SIGTERM ends npx and that shell, and never reaches us: we notice that the shell is gone. A SIGKILL
 * ends npx alone: we notice that the shell has another parent.
 */
function followNpx() {
  if (process.env.npm_command !== "exec") return;
  const shell = process.ppid;
  const npx = parentOf(shell);
  const isWatched = npx !== null && fileOf(npx, "cmdline").startsWith("npm exec");
  const isGone = () => process.ppid !== shell || (isWatched && parentOf(shell) !== npx);
  setInterval(() => isGone() && process.kill(process.pid, "SIGTERM"), PARENT_LOOK_MS).unref();
}

/** @param {number} pid @returns {number | null} null where the system does not tell, as elsewhere than on Linux */
function parentOf(pid) {
  const [, parent] = fileOf(pid, "stat").split(") ").at(-1)?.split(" ") ?? [];
  return parent ? Number(parent) : null;
}

/** @param {number} pid @param {"stat" | "cmdline"} name */
function fileOf(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
