// The consumer of snapshots: they are applied to D1, and the owners that wait for it are told.

import { log } from "../log.ts";
import { project, type Receipt } from "../projection/project.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../projection/snapshot.ts";
import { databaseOf } from "../projection/store.ts";
import { ask, jobAt } from "./addresses.ts";

/**
 * Takes a batch from the queue. All of it is acknowledged whatever happens: an owner without a receipt sends again, and
 * for the others the sweeper asks. Only what a newer deployment wrote goes back to the queue.
 */
export async function consumeSnapshots(env: Cloudflare.Env, messages: readonly Message<Snapshot>[]): Promise<void> {
  const readable = messages.filter((message) => {
    if (message.body.v <= SNAPSHOT_VERSION) return true;
    message.retry({ delaySeconds: 60 });
    return false;
  });
  for (const message of readable) message.ack();
  const receipts = await project(
    databaseOf(env.DB),
    readable.map(({ body }) => body),
  );
  await Promise.all(receipts.map((receipt) => deliver(env, receipt)));
}

async function deliver(env: Cloudflare.Env, receipt: Receipt): Promise<void> {
  const { ref } = receipt;
  const told = await ask<void>(async () => {
    const owner = jobAt(env, ref);
    if (receipt.kind === "confirmed") await owner.confirm(receipt.revision, receipt.throughAttempt);
    else await owner.missing();
  });
  if (!told.ok) log("warn", "receipt_lost", { account_id: ref.accountId, job_id: ref.jobId });
}
