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

const lock = taken(join(process.argv[2] ?? "", "lock"));
reply("held");

/** Each line is the whole list of the server's child processes, as they are from now on. */
let children: ProcessMark[] = [];
for await (const line of createInterface({ input: process.stdin })) children = readMarks(line) ?? children;
await endAll(children);
lock.close(); // named here, so that it lives until now: a database that is collected gives its lock up

function taken(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA busy_timeout = ${WAIT_MS}; BEGIN EXCLUSIVE`);
    return database;
  } catch (error) {
    const isTaken = error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
    reply(isTaken ? "taken" : { error: error instanceof Error ? error.message : String(error) });
    process.exit();
  }
}

/** @returns null for a line that its writer did not live to end */
function readMarks(line: string): ProcessMark[] | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function reply(text: Reply): void {
  console.log(JSON.stringify(text));
}
