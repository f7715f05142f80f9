// Runs the command we are told for as long as whoever started us lives: even a killed test run closes our standard input.

import { spawn } from "node:child_process";
import { killAll, treeOf } from "./process-tree.ts";

const PATIENCE_MS = 5_000;

const [program = "", ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });

function end(): void {
  child.kill("SIGTERM");
  setTimeout(() => killAll(treeOf(child.pid ?? 0)), PATIENCE_MS);
}

child.once("exit", (code) => process.exit(code ?? 1));
process.once("SIGTERM", () => child.kill("SIGTERM"));
process.stdin.once("end", end).resume();
