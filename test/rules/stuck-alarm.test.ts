// An owner that is asked whether its alarm is well: what the platform shows of it need not ring.

import { expect, it } from "vitest";
import { StateRecord } from "../../src/objects/state-record.ts";
import { NOON, SECOND } from "./a-job.ts";

interface State {
  readonly v: 1;
  readonly accountId: string;
  readonly revision: number;
  readonly dueAt: number;
}

/** @returns the alarms that an owner sets whose state is due at noon, when the platform shows this one */
async function setWhenShown(shown: number | null, now: number): Promise<number[]> {
  const state: State = { v: 1, accountId: "acct", revision: 1, dueAt: NOON };
  const set: number[] = [];
  const storage = {
    kv: { get: () => state },
    getAlarm: async () => shown,
    setAlarm: async (at: number) => void set.push(at),
  };
  const rules = { upgrade: () => state, wakeAt: ({ dueAt }: State) => dueAt, mayRingEarly: () => false };
  await new StateRecord<State>(storage as unknown as DurableObjectStorage, rules).mendAlarm(now);
  return set;
}

it("leaves an alarm alone that will ring in time", async () => {
  expect(await setWhenShown(NOON, NOON - SECOND)).toEqual([]);
});

it("sets one that is missing", async () => {
  expect(await setWhenShown(null, NOON - SECOND)).toEqual([NOON]);
  expect(await setWhenShown(null, NOON + SECOND)).toEqual([NOON + SECOND + 1]);
});

it("sets one again that ought to have rung: the platform may have forgotten it", async () => {
  expect(await setWhenShown(NOON, NOON + 15 * SECOND)).toEqual([NOON + 15 * SECOND + 1]);
});
