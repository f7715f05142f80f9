// Which service a delivery comes from: `npm run receive` may have been given another state folder than the service.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { type DevAccount, readDevAccount, signingSecrets } from "./account.ts";
import { type Delivery, isSigned } from "./signature.ts";

/** @returns what to print about the signature */
export async function judgeSignature(delivery: Delivery, folder: string): Promise<string> {
  const account = readDevAccount(folder);
  if (account !== null && (await isSignedFor(delivery, account))) return "signature is right";
  for (const other of foldersInUse().filter((path) => path !== folder)) {
    const others = readDevAccount(other);
    if (others !== null && (await isSignedFor(delivery, others)))
      return `SIGNATURE IS NOT OURS: the service that sent this keeps its state in ${other}, and this receiver looks into ${folder}. Start both with the same CHRONOS_STATE`;
  }
  if (account === null)
    return `signature is not checked: no account in ${folder} yet. Start the service on that folder`;
  return `SIGNATURE IS WRONG: it was not made with a secret of the account in ${folder}`;
}

/** The service knows best, since secrets are rotated; when it does not answer, the folder has the last one we knew. */
async function isSignedFor(delivery: Delivery, account: DevAccount): Promise<boolean> {
  if (isSigned(delivery, account.signing_secret)) return true;
  return (await signingSecrets(account)).some((secret) => isSigned(delivery, secret));
}

/** The state folders of the services that run on this machine, by the processes that hold their locks (lock.ts). */
function foldersInUse(): string[] {
  const found = commandLines().map((line) => /[\\/](?:local|build)[\\/]keeper\.[jt]s (.+)$/.exec(line.trim())?.[1]);
  return found.filter((folder) => folder !== undefined);
}

function commandLines(): string[] {
  if (process.platform !== "linux") return `${spawnSync("ps", ["-axo", "args="]).stdout}`.split("\n");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(commandLineOf);
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // it has ended meanwhile
  }
}
