// The object behind a job or a schedule as a test sees it: one record, one alarm, and an instance that can die.

import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { MAX_STAGGER_MS } from "../../../src/domain/stagger.ts";
import { setClock } from "./clock.ts";

export abstract class OwnerUnderTest<State> {
  /** A fresh one each time: a crash breaks those that were made before. */
  abstract get owner(): DurableObjectStub;

  /** Rings the alarm now. @returns false when none is set */
  ring = (): Promise<boolean> => runDurableObjectAlarm(this.owner);

  ringAt(at: number): Promise<boolean> {
    setClock(at);
    return this.ring();
  }

  /** What the platform does after a death in the alarm's handler: it has kept the alarm, and rings at once. */
  ringAfterDeath = (): Promise<void> =>
    runInDurableObject(this.owner, async (owner) => {
      await owner.alarm?.({ isRetry: true, retryCount: 0, scheduledTime: Date.now() });
    });

  /** What its owner holds: one record. */
  stored = (): Promise<State | undefined> =>
    runInDurableObject(this.owner, (_, { storage }) => [...storage.kv.list<State>()][0]?.[1]);

  /** Puts another record in its place, for an instance that has not read it yet. */
  async store(state: unknown): Promise<void> {
    await runInDurableObject(this.owner, (_, { storage }) => {
      for (const [key] of storage.kv.list()) storage.kv.put(key, state);
    });
    await this.evict();
  }

  /** Everything it holds is lost, and it does not know. */
  async wipe(): Promise<void> {
    await runInDurableObject(this.owner, (_, { storage }) => storage.deleteAll());
    await this.evict();
  }

  alarm = (): Promise<number | null> => runInDurableObject(this.owner, (_, { storage }) => storage.getAlarm());

  /** Whether the alarm is set for this moment, or a little later: those due together ring one after the other. */
  async ringsFrom(at: number): Promise<boolean> {
    const alarm = (await this.alarm()) ?? 0;
    return at <= alarm && alarm < at + MAX_STAGGER_MS;
  }

  /** Whether nothing at all is stored. */
  isEmpty = (): Promise<boolean> =>
    runInDurableObject(
      this.owner,
      async (_, { storage }) => [...storage.kv.list()].length === 0 && (await storage.getAlarm()) === null,
    );

  /** Lets go of the instance in peace; what is stored stays. */
  evict = (): Promise<void> => evictDurableObject(this.owner);

  /** The instance dies in the middle of whatever it does, and all others with it; what is stored stays. */
  crash = (): Promise<void> => abortAllDurableObjects();
}
