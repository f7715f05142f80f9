// Reports on their way into D1: the highest revision wins, whatever the order.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Execution } from "../../src/domain/job.ts";
import type { JobReport } from "../../src/store/report.ts";
import { jsonText } from "../harness/json-text.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { JobUnderTest } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { executionAt, factsAt, reportAt } from "./harness/reports.ts";
import { insertMany, insertRows } from "./harness/rows.ts";

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

describe("reports on a job in any order, lost, repeated and in any batches", () => {
  it.each(Array.from({ length: 20 }, (_, n) => n + 1))("leave the highest revision in D1 (seed %i)", async (seed) => {
    const { below, shuffled } = chanceOf(seed);
    const job = await row();
    const all: JobReport[] = Array.from({ length: 8 }, (_, n) => {
      const apart: Execution[] = Array.from({ length: below(4) }, (_, i) => executionAt(i + 1, 1 + below(n + 1)));
      return reportAt(job, n + 1, { apart });
    });
    const arriving = shuffled([...all, ...all]).filter(() => below(5) > 0);
    const arrived = [...arriving];
    while (arriving.length > 0) await post.deliver(arriving.splice(0, 1 + below(5)));

    const highest = Math.max(0, ...arrived.map(({ revision }) => revision));
    expect(await job.row()).toMatchObject(highest === 0 ? { revision: 0 } : { revision: highest, ...factsAt(highest) });
    const executions = await job.executionRows();
    for (const attempt of [1, 2, 3]) {
      const known = arrived.flatMap((one) => one.apart).filter((one) => one.attempt === attempt);
      const newest = Math.max(0, ...known.map(({ revision }) => revision));
      expect(executions.find((one) => one.attempt === attempt)?.revision ?? 0).toBe(newest);
    }
  });
});

describe("a batch", () => {
  it("with a report D1 refuses still applies all the others", async () => {
    const jobs = await Promise.all(Array.from({ length: 5 }, row));
    const batch = jobs.map((job, n) =>
      reportAt(job, 1, n === 2 ? { facts: factsAt(1, { status: null as never }) } : { apart: [executionAt(1, 1)] }),
    );
    const receipts = await post.deliver(batch);
    expect(receipts).toEqual(["stored", "stored", "refused", "stored", "stored"]);
    expect(logs.of("report_refused")).toMatchObject([{ level: "error", job_id: jobs[2]?.id, revision: 1 }]);
    for (const [n, job] of jobs.entries()) {
      expect((await job.row())?.revision).toBe(n === 2 ? 0 : 1);
      expect(await job.executionRows()).toHaveLength(n === 2 ? 0 : 1);
    }
  });

  it("with a report whose execution D1 refuses applies nothing of that one, and all the others", async () => {
    const [good, bad] = [await row(), await row()];
    await post.deliver([reportAt(bad, 1, { apart: [executionAt(1, 1, { id: null as never })] }), reportAt(good, 1)]);
    expect([(await good.row())?.revision, (await bad.row())?.revision]).toEqual([1, 0]);
  });

  it("of a hundred jobs is applied in one go", async () => {
    await insertMany(account, 100, { revision: 0 });
    const ids = (
      await env.DB.prepare("SELECT id FROM jobs WHERE account_id = ?").bind(account.id).all<{ id: string }>()
    ).results;
    await post.deliver(ids.map(({ id }) => reportAt(new JobUnderTest(account, id), 3, { apart: [executionAt(1, 3)] })));
    const told = await env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE account_id = ? AND revision = 3")
      .bind(account.id)
      .first();
    expect(told).toEqual({ n: 100 });
  });

  it("finds each row by its key: nothing is scanned", async () => {
    const [asked, job] = [vi.spyOn(env.DB, "prepare"), await row()];
    await post.deliver([reportAt(job, 1, { apart: [executionAt(1, 1)] })]);
    const texts = [...new Set(asked.mock.calls.map(([text]) => text))].filter(
      (text) => text.includes("json_each") && !text.includes('from "account_moves"'),
    );
    asked.mockRestore();
    expect(texts.length).toBeGreaterThanOrEqual(3);
    for (const text of texts) {
      const values = Array(text.match(/\?/g)?.length ?? 0).fill("[]");
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
        .bind(...values)
        .all<{ detail: string }>();
      for (const { detail } of results) expect(detail).not.toMatch(/SCAN (?:jobs|executions|schedules)/);
      const plan = results.map(({ detail }) => detail).join("; ");
      expect(plan).toMatch(/USING (?:COVERING INDEX|INDEX|PRIMARY KEY)[^;]*\(account_id=\? AND id=\?\)/);
    }
  });

  it("sends no statement about schedules or failures that it does not hold", async () => {
    const asked = vi.spyOn(env.DB, "prepare");
    const textsOf = async (report: JobReport) => {
      asked.mockClear();
      await post.deliver([report]);
      return asked.mock.calls.map(([text]) => text);
    };
    const success = factsAt(1, { status: "completed", executionStatus: "completed", lastError: null });
    const ofSuccess = await textsOf(reportAt(await row(), 1, { facts: success }));
    const ofFailure = await textsOf(reportAt(await row(), 1));
    asked.mockRestore();
    expect(ofSuccess.filter((text) => /"schedules"|"delivery"/.test(text))).toEqual([]);
    expect(ofFailure.filter((text) => text.includes('"delivery"'))).toHaveLength(1);
    expect(ofFailure).toHaveLength(ofSuccess.length + 1);
  });

  it("with two reports of one job keeps the newer, whichever comes first", async () => {
    const [up, down] = [await row(), await row()];
    await post.deliver([reportAt(up, 1), reportAt(up, 2), reportAt(down, 2), reportAt(down, 1)]);
    expect(await up.row()).toMatchObject({ revision: 2, ...factsAt(2) });
    expect(await down.row()).toMatchObject({ revision: 2, ...factsAt(2) });
  });

  it("of none at all is no matter", async () => {
    expect(await post.deliver([])).toEqual([]);
  });
});

it.each(["null", "a text", '"', "\\u0041", "a\u0000b", "\u{1F600}\u2028\u007f", "'); DROP TABLE jobs; --"])(
  "what a report carries arrives as it is: %j",
  async (text) => {
    const job = await row();
    const lastError = { code: "handler_error", message: text } as const;
    const response = { status: 500, headers: { [text]: text }, body: text, truncated: false };
    const execution = executionAt(1, 1, { workerId: text, response, error: lastError });
    await post.deliver([
      reportAt(job, 1, { facts: factsAt(1, { result: jsonText(text), lastError }), apart: [execution] }),
    ]);
    expect(await job.row()).toMatchObject({ result: JSON.stringify(text), lastError });
    expect(await job.executionRows()).toMatchObject([{ workerId: text, response, error: lastError }]);
  },
);

it("what a report has nothing of is NULL in D1, and not the text null", async () => {
  const job = await row();
  await post.deliver([
    reportAt(job, 1, { facts: factsAt(1, { lastError: null, result: null }), apart: [executionAt(1, 1)] }),
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

it("a report touches no other job, and no other account's job of the same id", async () => {
  const job = await row();
  const other = await newAccount();
  await insertRows(other, [{ id: job.id, revision: 0 }]);
  const neighbour = await row();
  await post.deliver([reportAt(job, 5, { apart: [executionAt(1, 5)] })]);
  const namesake = new JobUnderTest(other, job.id);
  expect([(await namesake.row())?.revision, (await neighbour.row())?.revision]).toEqual([0, 0]);
  expect(await namesake.executionRows()).toEqual([]);
});

it("a report resets the count of sweeps, and never touches what was asked for", async () => {
  const [id = ""] = await insertRows(account, [
    { revision: 1, sweeps: 4, payload: jsonText({ n: 1 }), idempotencyKey: "k" },
  ]);
  const job = new JobUnderTest(account, id);
  const before = await job.row();
  await post.deliver([reportAt(job, 2)]);
  expect(await job.row()).toEqual({ ...before, ...factsAt(2), revision: 2, sweeps: 0, tally: expect.any(Number) });
});

it("an execution seen again at the same revision stays as it is, at a higher one it is replaced", async () => {
  const job = await row();
  await post.deliver([reportAt(job, 2, { apart: [executionAt(1, 2, { status: "failed" })] })]);
  await post.deliver([reportAt(job, 2, { apart: [executionAt(1, 2, { status: "cancelled" })] })]);
  expect(await job.executionRows()).toMatchObject([{ status: "failed" }]);
  await post.deliver([reportAt(job, 3, { apart: [executionAt(1, 3, { status: "completed" })] })]);
  expect(await job.executionRows()).toMatchObject([{ status: "completed", revision: 3 }]);
});

it("an execution that has ended is not opened again, and takes the place of an open one, whatever their revisions", async () => {
  const job = await row();
  const open = (revision: number) => executionAt(1, revision, { status: "running", completedAt: null });
  await post.deliver([reportAt(job, 5, { apart: [open(5)] })]);
  await post.deliver([reportAt(job, 6, { apart: [executionAt(1, 0, { status: "failed" })] })]);
  expect(await job.executionRows()).toMatchObject([{ status: "failed", revision: 0 }]);
  await post.deliver([reportAt(job, 5, { apart: [open(5)] })]);
  expect(await job.executionRows()).toMatchObject([{ status: "failed", revision: 0 }]);
});
