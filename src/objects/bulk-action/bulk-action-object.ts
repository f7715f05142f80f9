// One bulk action: it walks the jobs it was asked for, page by page on its alarm, and counts what becomes of them. An empty object
// means that D1's row is the whole truth: the action is over, or has not begun.

import { DurableObject } from "cloudflare:workers";
import { abort, type BulkAction, isOver } from "../../domain/bulk-action.ts";
import { ok } from "../../domain/result.ts";
import type { BulkActionRef } from "../../store/bulk-actions-store.ts";
import type { BulkActionAnswer, BulkActionOwner } from "../owners.ts";
import { BulkActionKeeper } from "./bulk-action-keeper.ts";
import { runBulkErrands } from "./errands.ts";

export class BulkActionObject extends DurableObject<Cloudflare.Env> implements BulkActionOwner {
  readonly #keeper = new BulkActionKeeper(this.ctx, this.env);

  async wake(ref: BulkActionRef): Promise<boolean> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned.error.code === "bulk_action_not_found";
    await this.#keeper.record.mendAlarm(Date.now());
    if (owned.value.revision > 0) this.#keeper.reportLater();
    return true;
  }

  async get(ref: BulkActionRef): Promise<BulkActionAnswer<BulkAction>> {
    return this.#keeper.owned(ref);
  }

  async abort(ref: BulkActionRef): Promise<BulkActionAnswer<BulkAction>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok || isOver(owned.value)) return owned;
    const now = Date.now();
    const aborted = abort(owned.value, now);
    if (aborted === owned.value) return owned;
    this.#keeper.record.write(aborted, now);
    await this.#keeper.report();
    return ok(aborted);
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const later = (work: Promise<unknown>) => this.ctx.waitUntil(work);
    const errands = () => runBulkErrands(this.#keeper, this.env, later);
    await this.#keeper.record.ring(info?.retryCount ?? 0, this.ctx.id.name, errands);
  }
}
