// A stretch of time as it passes for a whole service: alarms ring when they are set for, the cron on each full minute (before
// the alarms of that moment), and people do what the test says they do. Nothing is rung by force.

import { env } from "cloudflare:workers";
import type { Account } from "../../../workerd/harness/account.ts";
import { MINUTE, setClock } from "../../../workerd/harness/clock.ts";
import { JobUnderTest } from "../../../workerd/harness/job.ts";
import type { OwnerUnderTest } from "../../../workerd/harness/owner.ts";
import { PlatformAlarm } from "./platform.ts";
import { nextMinute, sweepNow } from "./recovery.ts";

interface Inhabitant {
  readonly owner: OwnerUnderTest<unknown>;
  readonly alarm: PlatformAlarm;
  ringsAt: number | null;
}

interface Deed {
  readonly at: number;
  readonly run: () => Promise<unknown>;
}

export class World {
  readonly #accounts: readonly Account[];
  readonly #inhabitants = new Map<string, Inhabitant>();
  /** Jobs that have ended and whose owners hold nothing. */
  readonly #gone = new Set<string>();
  readonly #deeds: Deed[] = [];

  /** @param accounts those whose jobs live here, however they are made */
  constructor(...accounts: readonly Account[]) {
    this.#accounts = accounts;
  }

  /** Somebody does this then. */
  at(at: number, run: () => Promise<unknown>): void {
    this.#deeds.push({ at, run });
    this.#deeds.sort((one, other) => one.at - other.at);
  }

  /** An owner that is not found by its job's row: a schedule. */
  async add(owner: OwnerUnderTest<unknown> & { readonly id: string }): Promise<void> {
    this.#inhabitants.set(owner.id, { owner, alarm: new PlatformAlarm(owner), ringsAt: await owner.alarm() });
  }

  /** Lets time pass, this moment included. */
  async passUntil(until: number): Promise<void> {
    await this.#lookAround();
    for (;;) {
      const deed = this.#deeds[0];
      const alarm = this.#nextAlarm();
      const minute = nextMinute();
      const next = Math.min(deed?.at ?? minute, alarm?.ringsAt ?? minute, minute);
      if (next > until) break;
      if (next === minute) {
        setClock(minute);
        await sweepNow();
        await this.#lookAround();
        await this.#ringAllDue();
      } else if (deed && deed.at === next) {
        this.#deeds.shift();
        setClock(Math.max(next, Date.now()));
        await deed.run();
        await this.#lookAround();
      } else if (alarm) await this.#ring(alarm);
    }
    setClock(until);
  }

  /** What is due on the full minute, once the cron is through. */
  async #ringAllDue(): Promise<void> {
    for (let alarm = this.#nextAlarm(); (alarm?.ringsAt ?? Infinity) <= Date.now(); alarm = this.#nextAlarm())
      if (alarm) await this.#ring(alarm);
  }

  async #ring(inhabitant: Inhabitant): Promise<void> {
    // It may have been set anew, or have gone, since somebody looked.
    const at = await inhabitant.owner.alarm();
    if (at !== null && at <= (inhabitant.ringsAt ?? 0)) await inhabitant.alarm.ring();
    inhabitant.ringsAt = await inhabitant.owner.alarm();
    if (!(inhabitant.owner instanceof JobUnderTest)) await this.#lookAround();
  }

  #nextAlarm(): Inhabitant | undefined {
    let next: Inhabitant | undefined;
    for (const one of this.#inhabitants.values())
      if (one.ringsAt !== null && one.ringsAt < (next?.ringsAt ?? Infinity)) next = one;
    return next;
  }

  /** Jobs made or changed by others than their own alarm. */
  async #lookAround(): Promise<void> {
    const accounts = JSON.stringify(this.#accounts.map(({ id }) => id));
    const { results } = await env.DB.prepare(
      `SELECT account_id AS accountId, id, report_due_at IS NOT NULL AS isLive FROM jobs
       WHERE account_id IN (SELECT value FROM json_each(?))`,
    )
      .bind(accounts)
      .all<{ accountId: string; id: string; isLive: 0 | 1 }>()
      .catch(() => ({ results: [] })); // while D1 is down nobody makes any
    const live = new Set(results.flatMap(({ id, isLive }) => (isLive ? [id] : [])));
    for (const { accountId, id } of results) {
      const account = this.#accounts.find((one) => one.id === accountId);
      const isKnown = this.#inhabitants.has(id) || (this.#gone.has(id) && !live.has(id));
      if (account && !isKnown) await this.add(new JobUnderTest(account, id));
    }
    await Promise.all(
      [...this.#inhabitants].map(async ([id, one]) => {
        one.ringsAt = await one.owner.alarm();
        if (one.ringsAt !== null || live.has(id) || !(one.owner instanceof JobUnderTest)) return;
        this.#inhabitants.delete(id);
        this.#gone.add(id);
      }),
    );
  }
}

/** Full minutes from now on, so many. */
export const fullMinutes = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => nextMinute() + i * MINUTE);
