// Runs `npm start` for as long as whoever started us lives: even a killed test run closes our standard input.

import { spawn } from "node:child_process";
import { killAll, treeOf } from "./process-tree.ts";

const PATIENCE_MS = 5_000;

const npm = spawn("npm", ["start"], { stdio: ["ignore", "inherit", "inherit"] });

function end(): void {
  npm.kill("SIGTERM");
  setTimeout(() => killAll(treeOf(npm.pid ?? 0)), PATIENCE_MS);
}

npm.once("exit", (code) => process.exit(code ?? 1));
process.once("SIGTERM", () => npm.kill("SIGTERM"));
process.stdin.once("end", end).resume();
