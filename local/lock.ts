// The lock of a state folder, seen from the server: kept by a process beside it (keeper.ts).
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Reply } from "./keeper.ts";
import { programPath } from "./packed.ts";
import type { ProcessMark } from "./processes.ts";
import { StartError } from "./settings.ts";

export interface Lock {
  /** Says which processes must not outlive this one. */
  watch(children: readonly ProcessMark[]): void;
  /** Aborts should the keeper end before its time: then another server may take the folder at any moment. */
  lost: AbortSignal;
  release(): Promise<void>;
}

/** @returns null while another server has the folder */
export async function takeLock(folder: string): Promise<Lock | null> {
  const keeper = spawn(process.execPath, ["--no-warnings", programPath("keeper"), folder], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true, // no Ctrl-C and no hang-up reaches it: it ends after us
  });
  const ended = once(keeper, "close");
  keeper.stdin.on("error", () => {}); // it has ended, which `lost` tells
  const reply = await firstReply(keeper);
  if (reply === "taken") return null;
  if (reply !== "held") throw new StartError(`Cannot lock the state folder ${folder}: ${reply.error}`);

  const lost = new AbortController();
  let released = false;
  keeper.once("exit", () => {
    const message = `The lock of ${folder} is lost: the process that holds it was ended. Start the service again`;
    if (!released) lost.abort(new StartError(message));
  });
  return {
    watch: (children) => void keeper.stdin.write(`${JSON.stringify(children)}\n`),
    lost: lost.signal,
    async release() {
      released = true;
      keeper.stdin.end();
      await ended;
    },
  };
}

async function firstReply(keeper: ChildProcess): Promise<Reply> {
  if (keeper.stdout === null) return { error: "no pipe" };
  for await (const line of createInterface({ input: keeper.stdout })) return JSON.parse(line);
  return { error: "its keeper ended at once" };
}
