// Holds the lock of a state folder on behalf of a server, as a process of its own, since it has to outlive that: when the
// server is gone, however it died, it first ends what the server has left behind, and then the lock. So whoever has the lock
// finds nobody at work. The lock is SQLite's on an empty file: the kernel's, which knows no pids, so that it holds between
// containers that share a volume, and ends with its process.  keeper.ts <state folder>

import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { endAll, type ProcessMark } from "./processes.ts";

/** For the keeper of a server that was killed a moment ago to clean up, or a server that is stopping to end. */
const WAIT_MS = 3_000;
const SQLITE_BUSY = 5;

/** What the server is answered. */
export type Reply = "held" | "taken" | { error: string };

/** Each line is the whole list of the server's child processes, as they are from now on. */
let children: ProcessMark[] = [];
createInterface({ input: process.stdin })
  .on("line", (line) => {
    children = JSON.parse(line);
  })
  .on("close", async () => {
    await endAll(children);
    process.exit();
  });

const reply = (text: Reply) => console.log(JSON.stringify(text));
try {
  const lock = new DatabaseSync(join(process.argv[2] ?? "", "lock"));
  lock.exec(`PRAGMA busy_timeout = ${WAIT_MS}; BEGIN EXCLUSIVE`);
  reply("held");
} catch (error) {
  const isTaken = error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
  reply(isTaken ? "taken" : { error: error instanceof Error ? error.message : String(error) });
  process.exit();
}
