// Snapshots on their way into D1 (design, rule 9): the highest revision wins, whatever the order.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Execution } from "../../src/domain/job.ts";
import type { Snapshot } from "../../src/projection/snapshot.ts";
import { jsonText } from "../harness/json-text.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { JobUnderTest } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { insertMany, insertRows } from "./harness/rows.ts";
import { executionAt, factsAt, snapshotOf } from "./harness/snapshots.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** A row the read model has heard nothing of yet. */
async function row(): Promise<JobUnderTest> {
  const [id = ""] = await insertRows(account, [{ revision: 0 }]);
  return new JobUnderTest(account, id);
}

/** A small generator with a seed (mulberry32): a failing run can be run again. */
function chanceOf(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    shuffled: <T>(all: readonly T[]): T[] =>
      all
        .map((one) => ({ one, at: next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one),
  };
}

describe("snapshots of a job in any order, lost, repeated and in any batches", () => {
  it.each(Array.from({ length: 20 }, (_, n) => n + 1))("leave the highest revision in D1 (seed %i)", async (seed) => {
    const { below, shuffled } = chanceOf(seed);
    const job = await row();
    const all: Snapshot[] = Array.from({ length: 8 }, (_, n) => {
      const executions: Execution[] = Array.from({ length: below(4) }, (_, i) => executionAt(i + 1, 1 + below(n + 1)));
      return snapshotOf(job, n + 1, { executions, facts: below(4) === 0 ? null : factsAt(n + 1) });
    });
    const arriving = shuffled([...all, ...all]).filter(() => below(5) > 0);
    const arrived = [...arriving];
    while (arriving.length > 0) await post.deliver(arriving.splice(0, 1 + below(5)));

    const facts = arrived.filter((one) => one.facts !== null).map(({ revision }) => revision);
    const highest = Math.max(0, ...facts);
    expect(await job.row()).toMatchObject(highest === 0 ? { revision: 0 } : { revision: highest, ...factsAt(highest) });
    const executions = await job.executionRows();
    for (const attempt of [1, 2, 3]) {
      const known = arrived.flatMap((one) => one.executions).filter((one) => one.attempt === attempt);
      const newest = Math.max(0, ...known.map(({ revision }) => revision));
      expect(executions.find((one) => one.attempt === attempt)?.revision ?? 0).toBe(newest);
    }
  });
});

describe("a batch", () => {
  it("with a snapshot D1 refuses still applies all the others", async () => {
    const jobs = await Promise.all(Array.from({ length: 5 }, row));
    const batch = jobs.map((job, n) =>
      snapshotOf(
        job,
        1,
        n === 2 ? { facts: factsAt(1, { status: null as never }) } : { executions: [executionAt(1, 1)] },
      ),
    );
    await post.deliver(batch);
    for (const [n, job] of jobs.entries()) {
      expect((await job.row())?.revision).toBe(n === 2 ? 0 : 1);
      expect(await job.executionRows()).toHaveLength(n === 2 ? 0 : 1);
    }
  });

  it("with a snapshot whose execution D1 refuses applies nothing of that one, and all the others", async () => {
    const [good, bad] = [await row(), await row()];
    await post.deliver([
      snapshotOf(bad, 1, { executions: [executionAt(1, 1, { id: null as never })] }),
      snapshotOf(good, 1),
    ]);
    expect([(await good.row())?.revision, (await bad.row())?.revision]).toEqual([1, 0]);
  });

  it("of a hundred jobs is applied in one go", async () => {
    await insertMany(account, 100, { revision: 0 });
    const ids = (
      await env.DB.prepare("SELECT id FROM jobs WHERE account_id = ?").bind(account.id).all<{ id: string }>()
    ).results;
    await post.deliver(
      ids.map(({ id }) => snapshotOf(new JobUnderTest(account, id), 3, { executions: [executionAt(1, 3)] })),
    );
    const told = await env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE account_id = ? AND revision = 3")
      .bind(account.id)
      .first();
    expect(told).toEqual({ n: 100 });
  });

  it("larger than D1 takes in one value (2 MB) is applied in portions", async () => {
    const batch = vi.spyOn(env.DB, "batch");
    const jobs = await Promise.all(Array.from({ length: 30 }, row));
    const result = jsonText({ text: "é".repeat(40_000) });
    await post.deliver(jobs.map((job) => snapshotOf(job, 1, { facts: factsAt(1, { status: "completed", result }) })));
    for (const job of jobs) expect(await job.row()).toMatchObject({ revision: 1, result });
    const bound = batch.mock.calls.flatMap(([statements]) => statements.flatMap((one) => Reflect.get(one, "params")));
    expect(Math.max(...bound.map((value) => new TextEncoder().encode(String(value)).byteLength))).toBeLessThan(
      2_000_000,
    );
  });

  it("with two reports of one job keeps the newer, whichever comes first", async () => {
    const [up, down] = [await row(), await row()];
    await post.deliver([snapshotOf(up, 1), snapshotOf(up, 2), snapshotOf(down, 2), snapshotOf(down, 1)]);
    expect(await up.row()).toMatchObject({ revision: 2, ...factsAt(2) });
    expect(await down.row()).toMatchObject({ revision: 2, ...factsAt(2) });
  });

  it("of none at all is no matter", async () => {
    expect((await post.deliver([])).explicitAcks).toEqual([]);
  });
});

it.each(["null", "a text", '"', "\\u0041", "a\u0000b", "\u{1F600}\u2028\u007f", "'); DROP TABLE jobs; --"])(
  "what a snapshot carries arrives as it is: %j",
  async (text) => {
    const job = await row();
    const lastError = { code: "handler_error", message: text } as const;
    const response = { status: 500, headers: { [text]: text }, body: text, truncated: false };
    const execution = executionAt(1, 1, { workerId: text, response, error: lastError });
    await post.deliver([
      snapshotOf(job, 1, { facts: factsAt(1, { result: jsonText(text), lastError }), executions: [execution] }),
    ]);
    expect(await job.row()).toMatchObject({ result: JSON.stringify(text), lastError });
    expect(await job.executionRows()).toMatchObject([{ workerId: text, response, error: lastError }]);
  },
);

it("what a snapshot has nothing of is NULL in D1, and not the text null", async () => {
  const job = await row();
  await post.deliver([
    snapshotOf(job, 1, { facts: factsAt(1, { lastError: null, result: null }), executions: [executionAt(1, 1)] }),
  ]);
  const types = await env.DB.prepare(
    `SELECT typeof(j.last_error) AS lastError, typeof(j.result) AS result, typeof(e.response) AS response,
            typeof(e.worker_id) AS worker, typeof(j.run_at) AS runAt
     FROM jobs j JOIN executions e ON e.job_id = j.id WHERE j.id = ?`,
  )
    .bind(job.id)
    .first();
  expect(types).toEqual({ lastError: "null", result: "null", response: "null", worker: "null", runAt: "integer" });
});

it("a snapshot touches no other job, and no other account's job of the same id", async () => {
  const job = await row();
  const other = await newAccount();
  await insertRows(other, [{ id: job.id, revision: 0 }]);
  const neighbour = await row();
  await post.deliver([snapshotOf(job, 5, { executions: [executionAt(1, 5)] })]);
  const namesake = new JobUnderTest(other, job.id);
  expect([(await namesake.row())?.revision, (await neighbour.row())?.revision]).toEqual([0, 0]);
  expect(await namesake.executionRows()).toEqual([]);
});

it("a snapshot resets the count of sweeps, and never touches what was asked for", async () => {
  const [id = ""] = await insertRows(account, [
    { revision: 1, sweeps: 4, payload: jsonText({ n: 1 }), idempotencyKey: "k" },
  ]);
  const job = new JobUnderTest(account, id);
  const before = await job.row();
  await post.deliver([snapshotOf(job, 2)]);
  expect(await job.row()).toEqual({ ...before, ...factsAt(2), revision: 2, sweeps: 0 });
});

it("an execution seen again at the same revision stays as it is, at a higher one it is replaced", async () => {
  const job = await row();
  await post.deliver([
    snapshotOf(job, 2, { executions: [executionAt(1, 2, { status: "running", completedAt: null })] }),
  ]);
  await post.deliver([snapshotOf(job, 2, { executions: [executionAt(1, 2, { status: "cancelled" })] })]);
  expect(await job.executionRows()).toMatchObject([{ status: "running", completedAt: null }]);
  await post.deliver([snapshotOf(job, 3, { executions: [executionAt(1, 3, { status: "completed" })] })]);
  expect(await job.executionRows()).toMatchObject([{ status: "completed", revision: 3 }]);
});
