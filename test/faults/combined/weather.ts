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

interface Event {
  /** The share of all jobs that are made by then. */
  readonly at: number;
  readonly happens: () => Promise<void>;
}

const FROZEN_AT = 0.3;
const MOVES_IN_AT = 0.33;
const MOVES_OUT_AT = 0.7;
const LOOK_EVERY_MS = 50;
const MADE_LIMIT_MS = 1_200_000;
/** This kill waits for a move, and meets it in its midst. */
const KILL_IN_MOVE = 1;

const MOVE_LIMIT_MS = 30_000;
const FROZEN_MOVE_LIMIT_MS = 90_000;

export async function storm(
  service: Service,
  files: Files,
  residents: readonly Resident[],
  progress: () => number,
  { kills, frozenSeconds, moves }: WeatherPlan,
  chance: Chance,
): Promise<Weather> {
  const [, ...mayFreeze] = files.numbers; // without the directory nobody who is new to a process is known
  const database = chance.pick(mayFreeze);
  const others = files.numbers.filter((number) => number !== database);
  const down: Span[] = [];
  const faults: string[] = [];
  const movedTo = new Map<string, number>();

  const isMade = (share: number) =>
    until(
      () => progress() >= share,
      MADE_LIMIT_MS,
      () => `jobs are made too slowly: ${progress()}`,
      LOOK_EVERY_MS,
    );
  const kill = async () => {
    const from = Date.now();
    await crash(service);
    down.push({ from, until: Date.now() });
  };
  const mover = (from: number): Resident => {
    const here = residents.filter(({ tenant, home }) => home === from && !movedTo.has(tenant.id));
    return chance.pick(here);
  };
  const move = async ({ tenant }: Resident, to: number) => {
    movedTo.set(tenant.id, to);
    await askToMove(service, tenant.id, to);
  };
  const killInMove = async () => {
    const from = chance.pick(others);
    const to = chance.pick(others.filter((number) => number !== from));
    const resident = mover(from);
    const { id } = resident.tenant;
    const [where, stage] = chance.pick([
      [to, "arriving"],
      [from, "frozen"],
    ] as const satisfies [number, MoveStage][]);
    await move(resident, to);
    const isMet = await holdsWithin(MOVE_LIMIT_MS, () => files.stageOf(where, id) === stage, 1);
    const killed = kill();
    if (!isMet || !files.isMoving(id)) faults.push(`no kill has met a move that was ${stage}`);
    await killed;
  };

  const events: Event[] = Array.from({ length: kills }, (_, number) => ({
    at: (number + 0.5) / kills,
    happens: number === KILL_IN_MOVE ? killInMove : kill,
  }));
  if (moves === 3)
    events.push(
      { at: MOVES_IN_AT, happens: () => move(mover(chance.pick(others)), database) },
      { at: MOVES_OUT_AT, happens: () => move(mover(database), chance.pick(others)) },
    );
  const freeze = async (): Promise<Span> => {
    await isMade(FROZEN_AT);
    const unlock = await files.lock(database);
    const from = Date.now();
    await sleep(frozenSeconds * 1_000);
    unlock();
    return { from, until: Date.now() };
  };

  const happen = async () => {
    for (const { at, happens } of events.sort((one, other) => one.at - other.at)) {
      await isMade(at);
      await happens();
    }
  };
  const [frozen] = await Promise.all([freeze(), happen()]);
  return { down, frozen: { ...frozen, database }, movedTo, faults };
}

/** Asked again until it is answered: that changes nothing. */
async function askToMove({ operator }: Service, id: string, database: number): Promise<void> {
  const isAccepted = async () => {
    const answer = await operator.call("POST", `/v1/admin/accounts/${id}/move`, { database }).catch(() => null);
    if (answer === null || answer.status === 503) return false;
    if (answer.status !== 202) throw new Error(`a move was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return true;
  };
  if (!(await holdsWithin(FROZEN_MOVE_LIMIT_MS, isAccepted, 500))) throw new Error("a move was never accepted");
}
