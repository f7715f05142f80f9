// How a BulkActionObject keeps its bulk action: it is read from here or from its row, written, and reported.

import { databaseOf } from "../../accounts/home.ts";
import { standingOf } from "../../accounts/standing.ts";
import { type BulkAction, bulkWakeAt, confirmed, isOver } from "../../domain/bulk-action.ts";
import { reportAgain, type WriteReceipt } from "../../domain/reporting.ts";
import { err, ok } from "../../domain/result.ts";
import { upgradeBulkAction } from "../../domain/upgrade.ts";
import { log } from "../../log.ts";
import {
  type BulkActionRef,
  insertBulkAction,
  readBulkAction,
  reportBulkAction,
} from "../../store/bulk-actions-store.ts";
import { removeOrphanBulkAction } from "../../store/orphans.ts";
import type { BulkActionAnswer } from "../owners.ts";
import { StateRecord } from "../state-record.ts";

export class BulkActionKeeper {
  readonly record: StateRecord<BulkAction>;
  readonly #ctx: DurableObjectState;
  readonly #env: Cloudflare.Env;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    this.#ctx = ctx;
    this.#env = env;
    const rules = { upgrade: upgradeBulkAction, wakeAt: bulkWakeAt, mayRingEarly: () => false };
    this.record = new StateRecord<BulkAction>(ctx.storage, rules);
  }

  /** The bulk action as held here, or as its row has it; one that is not over is taken up. */
  async owned(ref: BulkActionRef): Promise<BulkActionAnswer<BulkAction>> {
    const held = this.record.read();
    if (held) return ok(held);
    return this.#ctx.blockConcurrencyWhile(async (): Promise<BulkActionAnswer<BulkAction>> => {
      const meanwhile = this.record.read();
      if (meanwhile) return ok(meanwhile);
      const row = await readBulkAction(databaseOf(this.#env, ref.accountId), ref);
      if (!row.ok) return row;
      if (!row.value) return err({ code: "bulk_action_not_found" });
      if (!isOver(row.value)) this.record.write(row.value, Date.now());
      return ok(row.value);
    });
  }

  /** Reports the present state to the read model, and lets go of what is over once that has confirmed it. Repeated by the alarm. */
  async report(): Promise<void> {
    const action = this.record.read();
    if (action)
      await this.#hear(action.revision, await reportBulkAction(databaseOf(this.#env, action.accountId), action));
  }

  reportLater(): void {
    this.#ctx.waitUntil(this.report());
  }

  /** The account is gone, and the bulk action with it. */
  async abandon({ accountId, id }: BulkAction): Promise<void> {
    await removeOrphanBulkAction(databaseOf(this.#env, accountId), { accountId, bulkActionId: id });
    await this.record.erase();
  }

  async #hear(revision: number, receipt: WriteReceipt): Promise<void> {
    const action = this.record.read();
    if (!action) return;
    switch (receipt) {
      case "stored":
        if (action.revision !== revision) return;
        if (isOver(action)) return this.record.erase();
        return this.record.remember(confirmed(action));
      case "missing":
        return this.#restore(action);
      case "unavailable":
      case "refused":
        if (action.revision === revision) this.#reportAgain(action, receipt);
    }
  }

  /** Its row is gone: one that is over follows it, another belongs to a database that was taken back in time. */
  async #restore(action: BulkAction): Promise<void> {
    if (isOver(action)) return this.record.erase();
    const standing = await standingOf(this.#env, action.accountId, Date.now);
    if (standing.ok && standing.value.status === "gone") return this.record.erase();
    const restored = await insertBulkAction(databaseOf(this.#env, action.accountId), action);
    const done = restored.ok && restored.value;
    log("warn", "row_restored", { account_id: action.accountId, bulk_action_id: action.id, done });
    const present = this.record.read();
    if (present && !done) this.#reportAgain(present, "unavailable");
  }

  #reportAgain(action: BulkAction, receipt: "unavailable" | "refused"): void {
    log("warn", "report_failed", { account_id: action.accountId, bulk_action_id: action.id, reason: receipt });
    const now = Date.now();
    this.record.write(reportAgain(action, receipt, Math.random(), now), now);
  }
}
