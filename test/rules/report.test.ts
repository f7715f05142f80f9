// What an owner reports: where the job stands with its newest execution, in a row that stays on its page, and never a payload.

import { describe, expect, it } from "vitest";
import type { Execution, Job, PushResponse } from "../../src/domain/job.ts";
import type { JsonText } from "../../src/domain/json-text.ts";
import * as life from "../../src/domain/life.ts";
import { type JobReport, reportOf, rowOfJob } from "../../src/store/report.ts";
import { executionOfRow, type JobRow } from "../../src/store/rows.ts";
import { jsonText } from "../harness/json-text.ts";
import { begun, completed, FAILURE, JOB_ID, leased, must, NOON, pushing, SECOND, settled } from "./a-job.ts";

const responding = (response: PushResponse): Job => settled(pushing(), { kind: "completed", response });
const response = (bytes: number, body = "a"): PushResponse => ({
  status: 200,
  headers: {},
  body: body.repeat(bytes / Buffer.byteLength(body)),
  truncated: false,
});
const numbers = (executions: readonly Execution[]) => executions.map(({ attempt }) => attempt);

/** What a row holds beside payload and result, as SQLite counts it. */
function rowBytes(job: Job): number {
  const { payload, result, ...columns } = rowOfJob(job);
  const stored = Object.values(columns).map((value) =>
    typeof value === "number"
      ? 8
      : typeof value === "string"
        ? Buffer.byteLength(value)
        : Buffer.byteLength(JSON.stringify(value)),
  );
  return stored.reduce((sum, bytes) => sum + bytes + 1, 0);
}

describe("a report", () => {
  it("tells where the job stands, and never its payload", () => {
    const report = reportOf(settled(pushing({ payload: jsonText({ secret: "s3cret" }) }), FAILURE));
    expect(report).toMatchObject({
      kind: "job",
      accountId: "acct",
      id: JOB_ID,
      revision: 3,
      facts: {
        status: "retrying",
        reportDueAt: NOON + SECOND,
        runAt: NOON + SECOND,
        attempt: 1,
        started: 1,
        tries: 1,
        interruptions: 0,
        lastError: FAILURE.error,
        result: null,
        updatedAt: NOON,
        completedAt: null,
        executionId: "e1",
        executionTrigger: "scheduled",
        executionStatus: "failed",
        dueAt: NOON,
        startedAt: NOON,
        settledAt: NOON,
        response: null,
      },
      apart: [],
    } satisfies JobReport | object);
    expect(JSON.stringify(report)).not.toContain("s3cret");
  });

  it("carries superseded executions apart, and the newest in the row", () => {
    const third = begun(settled(begun(settled(pushing(), FAILURE)), FAILURE));
    const { facts, apart } = reportOf(third);
    expect([numbers(apart), facts.executionId, facts.executionStatus]).toEqual([[1, 2], "e3", "running"]);
  });

  it("carries a response that fits in the row, and no execution apart", () => {
    const { facts, apart } = reportOf(responding(response(300)));
    expect([facts.response, apart]).toEqual([response(300), []]);
  });

  it("carries the execution apart when its response is too large for the row", () => {
    const { facts, apart } = reportOf(responding(response(4_096)));
    expect([facts.response, numbers(apart), apart[0]?.response]).toEqual([null, [1], response(4_096)]);
    expect(facts).toMatchObject({ executionId: "e1", executionStatus: "completed" });
  });

  it("carries progress that fits in the row, and else the execution apart", () => {
    const beaten = (progress: JsonText) => reportOf(must(life.heartbeat(leased(), "e1", NOON, progress)));
    const small = beaten(jsonText({ done: 3 }));
    expect([small.facts.progress, small.apart]).toEqual(['{"done":3}', []]);
    const large = jsonText("x".repeat(4_000));
    const { facts, apart, revision } = beaten(large);
    expect([facts.progress, numbers(apart), apart[0]?.progress]).toEqual([null, [1], large]);
    expect(apart[0]?.revision, "newer than the execution without it").toBe(revision);
    expect(facts).toMatchObject({ executionId: "e1", executionStatus: "running", workerId: "worker-7" });
  });

  it("leaves an execution without a response in the row, however long the rest is", () => {
    expect(reportOf(settled(leased({ name: "n".repeat(255) }), FAILURE)).apart).toEqual([]);
  });

  it.each(["a", "ř", "€", "\u0001"])("keeps the row of whatever response below 1,000 bytes, of %j, too", (filler) => {
    const bytes = Array.from({ length: 90 }, (_, i) => rowBytes(responding(response(12 * i, filler))));
    expect(Math.max(...bytes)).toBeLessThan(1_000);
    expect(Math.max(...bytes), "and fills it").toBeGreaterThan(700);
  });

  it.each(["a", "ř", "€", "\u0001"])("and of whatever progress, of %j, too", (filler) => {
    const said = (length: number) =>
      must(life.heartbeat(leased(), "e1", NOON, jsonText(filler.repeat(length / Buffer.byteLength(filler)))));
    const bytes = Array.from({ length: 90 }, (_, i) => rowBytes(said(12 * i)));
    expect(Math.max(...bytes)).toBeLessThan(1_000);
    expect(Math.max(...bytes), "and fills it").toBeGreaterThan(700);
  });
});

describe("a row", () => {
  it("of a live job whose own is gone tells everything, its payload and revision included", () => {
    const job = settled(pushing(), FAILURE);
    expect(rowOfJob(job)).toMatchObject({
      accountId: "acct",
      id: JOB_ID,
      payload: jsonText({ width: 80 }),
      status: "retrying",
      revision: job.revision,
      attempt: 1,
      tries: 1,
      reportDueAt: NOON + SECOND,
    });
  });

  it.each([
    ["a failed attempt", settled(pushing(), FAILURE)],
    ["a completed one", completed()],
    ["one under way", leased()],
    ["one that has said how far it is", must(life.heartbeat(leased(), "e1", NOON, jsonText([1])))],
    ["a second one", begun(settled(pushing(), FAILURE))],
  ])("gives back its newest execution: %s", (_, job) => {
    expect(executionOfRow(rowOfJob(job) as JobRow)).toEqual({ ...job.executions.at(-1), revision: 0 });
  });
});
