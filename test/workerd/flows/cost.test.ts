// What a flow costs, counted at its storage: a job that waits writes one row and nothing more, however long it waits.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it } from "vitest";
import type { FlowObject } from "../../../src/objects/flow/flow-object.ts";
import { newAccount } from "../harness/account.ts";
import { HOUR, MINUTE, NOON, setClock } from "../harness/clock.ts";
import { FlowUnderTest, jobsIn } from "./flow.ts";

let flow: FlowUnderTest;
beforeEach(async () => {
  flow = new FlowUnderTest(await newAccount());
});

/** Rows that its SQL writes while something happens, values and alarms that are set. */
async function written(during: () => Promise<unknown>): Promise<{ rows: number; values: number; alarms: number }> {
  const count = { rows: 0, values: 0, alarms: 0 };
  const undo = await runInDurableObject(flow.owner, (_, { storage }) => {
    const [exec, put, setAlarm] = [storage.sql.exec, storage.kv.put, storage.setAlarm];
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    storage.sql.exec = ((...all: Parameters<typeof exec>) => {
      const cursor = exec.apply(storage.sql, all);
      cursors.push(cursor);
      return cursor;
    }) as typeof exec;
    storage.kv.put = ((...all: Parameters<typeof put>) => {
      count.values++;
      return put.apply(storage.kv, all);
    }) as typeof put;
    storage.setAlarm = ((...all: Parameters<typeof setAlarm>) => {
      count.alarms++;
      return setAlarm.apply(storage, all);
    }) as typeof setAlarm;
    return () => {
      count.rows = cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
    };
  });
  await during();
  undo();
  return count;
}

it("an attempt that does not wait costs two rows, one that waits four", async () => {
  await flow.put({ concurrency: 10 });
  await jobsIn(flow, 1); // makes the tables
  expect(await written(() => jobsIn(flow, 5))).toMatchObject({ rows: 10, values: 0 });
});

it("10,000 jobs that wait cost a row each, and then nothing while they wait", async () => {
  await flow.put({ paused: true });
  await flow.ringAt(NOON + MINUTE); // its row is written
  const tickets = Array.from({ length: 10_000 }, (_, n) => ({
    jobId: `job-${n}`,
    attempt: 1,
    dueAt: NOON + n,
    timeoutSeconds: 30,
  }));
  const standing = () =>
    runInDurableObject(flow.owner, async (owner) => {
      for (const ticket of tickets) await (owner as unknown as FlowObject).ask(flow.ref, ticket);
    });
  expect(await written(standing)).toMatchObject({ rows: 10_000, values: 0, alarms: 0 });
  expect(await flow.get()).toMatchObject({ waiting: 10_000 });
  const waiting = async () => {
    for (let hour = 1; hour <= 24; hour++) {
      setClock(NOON + hour * HOUR);
      await flow.ring();
    }
  };
  expect(await written(waiting)).toEqual({ rows: 0, values: 0, alarms: 0 });
  expect(await flow.alarm()).toBeNull();
});
