// The service that the demo shows: the program of `npm start` as a child process, on a state of its own and a free port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DevAccount } from "../account.ts";
import { programPath } from "../packed.ts";

/** @returns `ready`, which resolves once it serves, and `stop`, which leaves neither a process nor a file */
export function startService() {
  const state = mkdtempSync(join(tmpdir(), "chronos-demo-"));
  const child = spawn(process.execPath, ["--no-warnings", programPath("start")], {
    env: { ...process.env, HOST: "", CHRONOS_TARGETS: "", CHRONOS_STATE: state, PORT: "0", CHRONOS_LOG: "json" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // Ctrl-C reaches only us, and we end it in our own time
  });
  const ended = once(child, "close");
  let output = "";
  const ready = new Promise<DevAccount>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk;
      if (output.includes("Chronos is running.")) resolve(JSON.parse(readFileSync(join(state, "dev.json"), "utf8")));
    };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", read);
    ended.then(() => reject(new Error(`The service has ended:\n${output.trim()}`)), reject);
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(state, { recursive: true, force: true });
  };
  return { ready, stop };
}
