// What happens while the accounts make their jobs: the process is killed, a database is frozen, accounts move, one of them through a kill.

import { setTimeout as sleep } from "node:timers/promises";
import type { MoveStage } from "../../../src/domain/account-move.ts";
import type { Service } from "../../harness/service.ts";
import { holdsWithin, until } from "../../harness/until.ts";
import type { Chance } from "../harness/chance.ts";
import { crash } from "../harness/crash.ts";
import type { PatientTenant } from "../harness/patient-tenant.ts";
import type { Files } from "./files.ts";

export interface WeatherPlan {
  readonly kills: number;
  readonly frozenSeconds: number;
  /** The first is met by a kill, the second goes into the frozen database, the third out of it. */
  readonly moves: 1 | 3;
}

export interface Resident {
  readonly tenant: PatientTenant;
  readonly home: number;
}

export interface Span {
  readonly from: number;
  readonly until: number;
}

/** What has happened, and when. */
export interface Weather {
  /** From each kill until the next process served. */
  readonly down: readonly Span[];
  readonly frozen: Span & { readonly database: number };
  /** Where the accounts that have moved live in the end. */
  readonly movedTo: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

/** Shares of all jobs that are made by then. */
const FREEZES_AT = 0.2;
const MOVES_OUT_AT = 0.7;
const LOOK_EVERY_MS = 50;
const MADE_LIMIT_MS = 1_200_000;

/** The frozen time is as old as this share of it when the process is killed. */
const FROZEN_KILL_AT = 0.25;

const MOVE_LIMIT_MS = 30_000;
const ACCEPTED_LIMIT_MS = 90_000;

export class Storm {
  readonly #service: Service;
  readonly #files: Files;
  readonly #residents: readonly Resident[];
  readonly #chance: Chance;
  readonly #frozen: number;
  readonly #others: readonly number[];
  readonly #down: Span[] = [];
  readonly #movedTo = new Map<string, number>();
  readonly #faults: string[] = [];

  constructor(service: Service, files: Files, residents: readonly Resident[], chance: Chance) {
    this.#service = service;
    this.#files = files;
    this.#residents = residents;
    this.#chance = chance;
    const [, ...mayFreeze] = files.numbers; // without the directory no account is known to a process that has just started
    this.#frozen = chance.pick(mayFreeze);
    this.#others = files.numbers.filter((number) => number !== this.#frozen);
  }

  /** @param progress the share of all jobs that are made by now */
  async rage({ kills, frozenSeconds, moves }: WeatherPlan, progress: () => number): Promise<Weather> {
    let frozen: Promise<Span> | undefined;
    const freeze = async () => {
      const unlock = await this.#files.lock(this.#frozen);
      frozen = keep(unlock, frozenSeconds * 1_000);
      await sleep(frozenSeconds * 1_000 * FROZEN_KILL_AT);
      await this.#kill();
      if (moves === 3) await this.#move(this.#one(this.#chance.pick(this.#others)), this.#frozen);
    };
    const moveOut = () => this.#move(this.#one(this.#frozen), this.#chance.pick(this.#others));
    const spread = kills - 1; // one falls into the frozen time
    const events = [
      { at: FREEZES_AT, happens: freeze },
      ...(moves === 3 ? [{ at: MOVES_OUT_AT, happens: moveOut }] : []),
      ...Array.from({ length: spread }, (_, n) => ({
        at: (n + 0.5) / spread,
        happens: () => (n === spread - 1 ? this.#killInMove() : this.#kill()),
      })),
    ].sort((one, other) => one.at - other.at);
    const complaint = () => `jobs are made too slowly: ${progress()} of them`;
    for (const { at, happens } of events) {
      await until(() => progress() >= at, MADE_LIMIT_MS, complaint, LOOK_EVERY_MS);
      await happens();
    }
    if (!frozen) throw new Error("nothing was frozen");
    const span = { ...(await frozen), database: this.#frozen };
    return { down: this.#down, frozen: span, movedTo: this.#movedTo, faults: this.#faults };
  }

  async #kill(): Promise<void> {
    const from = Date.now();
    await crash(this.#service);
    this.#down.push({ from, until: Date.now() });
  }

  /** Kills the process while rows are copied, or while the account is frozen. */
  async #killInMove(): Promise<void> {
    const from = this.#chance.pick(this.#others);
    const to = this.#chance.pick(this.#others.filter((number) => number !== from));
    const resident = this.#one(from);
    const { id } = resident.tenant;
    const isCopying = this.#chance.happens(50);
    const [where, stage]: [number, MoveStage] = isCopying ? [to, "arriving"] : [from, "frozen"];
    await this.#move(resident, to);
    const isMet = await holdsWithin(MOVE_LIMIT_MS, () => this.#files.stageOf(where, id) === stage, 1);
    const killed = this.#kill();
    if (!isMet || !this.#files.isMoving(id)) this.#faults.push(`no kill has met a move that was ${stage}`);
    await killed;
  }

  /** An account of this database that does not move. */
  #one(home: number): Resident {
    return this.#chance.pick(this.#residents.filter((one) => one.home === home && !this.#movedTo.has(one.tenant.id)));
  }

  /** Asked again until it is answered: that changes nothing. */
  async #move({ tenant: { id } }: Resident, database: number): Promise<void> {
    this.#movedTo.set(id, database);
    const isAccepted = async () => {
      const path = `/v1/admin/accounts/${id}/move`;
      const answer = await this.#service.operator.call("POST", path, { database }).catch(() => null);
      if (answer === null || answer.status === 503) return false;
      if (answer.status !== 202)
        throw new Error(`a move was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return true;
    };
    await until(isAccepted, ACCEPTED_LIMIT_MS, () => "a move was never accepted", 500);
  }
}

async function keep(unlock: () => void, ms: number): Promise<Span> {
  const from = Date.now();
  await sleep(ms);
  unlock();
  return { from, until: Date.now() };
}
