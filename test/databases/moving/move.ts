// One move as a test sees it: announced in the directory, walked by its object.

import { env } from "cloudflare:workers";
import type { AccountMove, MoveStage, MoveStep } from "../../../src/domain/account-move.ts";
import type { Account } from "../../workerd/harness/account.ts";
import { ADMIN, api } from "../../workerd/harness/api.ts";
import { setClock } from "../../workerd/harness/clock.ts";
import { OwnerUnderTest } from "../../workerd/harness/owner.ts";
import { DATABASES } from "./two-databases.ts";

export class MoveUnderTest extends OwnerUnderTest<AccountMove> {
  readonly account: Account;

  constructor(account: Account) {
    super();
    this.account = account;
  }

  get owner() {
    return env.ACCOUNT_MOVES.getByName(this.account.id);
  }

  /** What the operator's endpoint writes. */
  announce = (to: number) =>
    env.DB.prepare("UPDATE accounts SET moving_to = ? WHERE id = ?").bind(to, this.account.id).run();

  wake = (): Promise<boolean> => this.owner.wake(this.account.id);

  /** Where the directory says that the account lives. */
  async residence(): Promise<{ database: number; moving_to: number | null }> {
    const row = await env.DB.prepare("SELECT database, moving_to FROM accounts WHERE id = ?")
      .bind(this.account.id)
      .first<{ database: number; moving_to: number | null }>();
    if (!row) throw new Error("the account is gone");
    return row;
  }

  /** How the account stands in each of the databases. */
  stages = (): Promise<(string | undefined)[]> => Promise.all(DATABASES.map((_, number) => this.stageIn(number)));

  async stageIn(number: number): Promise<string | undefined> {
    const row = await DATABASES[number as 0]
      .prepare("SELECT stage FROM account_moves WHERE account_id = ?")
      .bind(this.account.id)
      .first<{ stage: string }>();
    return row?.stage;
  }

  /** As the operator asks for it. */
  ask = (to: number) =>
    api<{ database: number; moving_to: number | null }>("POST", `/v1/admin/accounts/${this.account.id}/move`, {
      key: ADMIN,
      body: { database: to },
    });

  /** Rings, a step at a time, until this step comes next. */
  stepTo = (step: MoveStep): Promise<void> => this.#stepUntil(async () => (await this.stored())?.step === step);

  /** The same, until the account stands so in the database it leaves. */
  async stepToStage(stage: MoveStage): Promise<void> {
    const { from = 0 } = (await this.stored()) ?? {};
    await this.#stepUntil(async () => (await this.stageIn(from)) === stage);
  }

  async #stepUntil(isThere: () => Promise<boolean>): Promise<void> {
    const bindings = env as { SUBREQUESTS: string };
    const { SUBREQUESTS: usual } = bindings;
    bindings.SUBREQUESTS = "1";
    try {
      for (let ring = 0; !(await isThere()); ring++) {
        if (ring > 100) throw new Error("it never comes there");
        await this.ring();
      }
    } finally {
      bindings.SUBREQUESTS = usual;
    }
  }

  /** Rings until the move is over. */
  async runToItsEnd(): Promise<void> {
    for (let ring = 0; ring < 50; ring++) {
      const at = await this.alarm();
      if (at === null) return;
      setClock(Math.max(at, Date.now()));
      await this.ring();
    }
    throw new Error("it comes to no end");
  }
}
