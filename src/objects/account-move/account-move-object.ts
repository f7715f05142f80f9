// One move of an account to another database: it walks the steps on its alarm and remembers its place. The directory says that the account
// is to move; an object that has lost everything begins another try.

import { DurableObject } from "cloudflare:workers";
import { type AccountMove, begin, moveWakeAt } from "../../domain/account-move.ts";
import { upgradeAccountMove } from "../../domain/upgrade.ts";
import { directoryOf } from "../../store/databases.ts";
import { readResidence } from "../../store/directory.ts";
import type { AccountMover } from "../owners.ts";
import { StateRecord } from "../state-record.ts";
import { runMoveErrands } from "./move-errands.ts";
import { MoveSteps } from "./move-steps.ts";

export class AccountMoveObject extends DurableObject<Cloudflare.Env> implements AccountMover {
  readonly #record = new StateRecord<AccountMove>(this.ctx.storage, {
    upgrade: upgradeAccountMove,
    wakeAt: moveWakeAt,
    mayRingEarly: () => false,
  });
  readonly #steps = new MoveSteps(this.env);

  /** Takes up the move that the directory has announced, if there is one. @returns whether nothing more is to be asked for */
  async wake(accountId: string): Promise<boolean> {
    if (!this.#record.read()) {
      const residing = await readResidence(directoryOf(this.env), accountId);
      if (!residing.ok) return false;
      const { database, movingTo } = residing.value ?? {};
      if (database === undefined || movingTo == null) return true;
      const now = Date.now();
      if (!this.#record.read()) this.#record.write(begin(accountId, database, movingTo, now), now);
    }
    await this.#record.mendAlarm(Date.now());
    return true;
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await this.#record.ring(info?.retryCount ?? 0, this.ctx.id.name, () =>
      runMoveErrands(this.#record, this.#steps, this.env),
    );
  }
}
