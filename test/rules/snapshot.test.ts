import { describe, expect, it } from "vitest";
import type { Execution, Job } from "../../src/domain/job.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { rowOfJob, type Snapshot, snapshotOf } from "../../src/projection/snapshot.ts";
import { jsonText } from "../harness/json-text.ts";
import {
  begun,
  cancelled,
  completed,
  FAILURE,
  failed,
  leased,
  NOON,
  pushing,
  queued,
  SECOND,
  settled,
  waiting,
} from "./a-job.ts";

/** A queue carries 128 KB a message, of which a result may take 64. */
const LIMIT = 100_000;

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

const KB = 1_024;
const MESSAGE = 4_096;
const RESULT = jsonText("r".repeat(64 * KB - 2));

/** The largest attempt there can be; `filler` decides how many bytes JSON makes of a character. */
const attempt = (number: number, filler: string): Execution => ({
  id: `e${number}`,
  attempt: number,
  trigger: "system_retry",
  status: "failed",
  workerId: "w".repeat(255),
  dueAt: NOON,
  startedAt: NOON,
  completedAt: NOON,
  response: {
    status: 500,
    headers: { "x-filler": '"'.repeat(4 * KB - 8) },
    body: filler.repeat((4 * KB) / Buffer.byteLength(filler)),
    truncated: true,
  },
  error: { code: "handler_error", message: filler.repeat(MESSAGE) },
  revision: 2 * number,
});

/** 51 attempts, the last of which completed the job with 64 KB. */
function maximal(filler: string): Job {
  const job = settled(leased({ payload: jsonText({ not: "reported" }) }), { kind: "completed", result: RESULT });
  const executions = Array.from({ length: 50 }, (_, i) => attempt(i + 1, filler));
  const last = { ...attempt(51, filler), status: "completed", response: null, error: null } as const;
  const lastError = { code: "handler_error", message: filler.repeat(MESSAGE) } as const;
  return { ...job, revision: 103, attempt: 51, started: 51, tries: 50, lastError, executions: [...executions, last] };
}

/** All parts, each sent when the one before has been confirmed. */
function partsOf(job: Job): { parts: Snapshot[]; rest: Job } {
  const parts: Snapshot[] = [];
  let rest = job;
  do {
    const part = snapshotOf(rest);
    parts.push(part);
    const next = reporting.confirm(rest, part.revision, part.executions.at(-1)?.attempt ?? 0);
    if (next === rest) throw new Error("a confirmed part brought nothing");
    rest = next;
  } while (!("confirmed" in rest.phase && rest.phase.confirmed));
  return { parts, rest };
}

describe("the snapshots of a maximal job", () => {
  it.each([
    ["plain text", "a"],
    ["text of two bytes a character", "ř"],
    ["text of three bytes a character", "€"],
    ["characters JSON must escape", "\u0001"],
  ])("of %s are parts of 100 KB at most, and confirming each ends with nothing left", (_, filler) => {
    const job = maximal(filler);
    const { parts, rest } = partsOf(job);
    for (const part of parts) expect(bytesOf(part)).toBeLessThanOrEqual(LIMIT);
    expect(parts.flatMap(({ executions }) => executions)).toEqual(job.executions);
    expect(rest.executions).toEqual([]);
  });

  it("carry the state in the last part only, and all of them ask for an answer", () => {
    const { parts } = partsOf(maximal("a"));
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.map(({ facts }) => facts !== null)).toEqual(parts.map((_, i) => i === parts.length - 1));
    expect(parts.every(({ confirm, revision }) => confirm && revision === maximal("a").revision)).toBe(true);
    expect(parts.at(-1)?.facts?.result).toBe(RESULT);
  });

  it("stay below the limit whatever an attempt weighs, and are filled up to it", () => {
    for (let weight = 500; weight < 1_500; weight += 19) {
      const executions = Array.from({ length: 250 }, (_, i) => ({
        ...attempt(i + 1, "a"),
        workerId: "w".repeat(weight),
      }));
      const light = executions.map((one) => ({ ...one, response: null, error: null }));
      const { parts } = partsOf({ ...failed(), revision: 501, attempt: 250, executions: light });
      const bytes = parts.map(bytesOf);
      expect(Math.max(...bytes)).toBeLessThanOrEqual(LIMIT);
      expect(Math.min(...bytes.slice(0, -1))).toBeGreaterThan(LIMIT - 4_000);
    }
  });

  it("hold one attempt at least, whatever it weighs: a part that holds none would never end", () => {
    const job = settled(pushing(), FAILURE);
    const heavy = job.executions.map((one) => ({ ...one, workerId: "w".repeat(LIMIT) }));
    expect(snapshotOf({ ...job, executions: [...heavy, ...heavy] }).executions).toEqual(heavy);
  });
});

describe("a snapshot", () => {
  it("tells where the job stands, and never its payload", () => {
    const snapshot = snapshotOf(settled(pushing({ payload: jsonText({ secret: "s3cret" }) }), FAILURE));
    expect(snapshot).toMatchObject({
      kind: "snapshot",
      v: 1,
      accountId: "acct",
      jobId: "job",
      revision: 3,
      facts: {
        status: "retrying",
        runAt: NOON + SECOND,
        attempt: 1,
        started: 1,
        tries: 1,
        interruptions: 0,
        lastError: FAILURE.error,
        result: null,
        updatedAt: NOON,
        completedAt: null,
        attentionAt: NOON + SECOND,
      },
      executions: [{ attempt: 1, status: "failed" }],
    });
    expect(JSON.stringify(snapshot)).not.toContain("s3cret");
  });

  it.each([
    ["is asked for at every end", [completed(), failed(), cancelled()], true],
    ["is not asked for while little waits", [waiting(), queued(), pushing(), settled(pushing(), FAILURE)], false],
  ])("'s confirmation %s", (_, jobs, confirm) => {
    expect(jobs.map((job) => snapshotOf(job).confirm)).toEqual(jobs.map(() => confirm));
  });

  it("of a live job asks for it when more than 32 KB of closed attempts wait", () => {
    const live = settled(pushing(), FAILURE);
    const withClosed = (bytes: number): Job => {
      const [one] = live.executions;
      const empty = bytesOf([{ ...one, error: { code: "http_status", message: "" } }]);
      const message = "m".repeat(bytes - empty);
      return { ...live, executions: live.executions.map((e) => ({ ...e, error: { code: "http_status", message } })) };
    };
    expect(snapshotOf(withClosed(32_000)).confirm).toBe(false);
    expect(snapshotOf(withClosed(32_001)).confirm).toBe(true);
  });

  it("counts only closed attempts for that: the open one cannot be let go", () => {
    const second = begun(settled(pushing(), FAILURE));
    const [closed, open] = second.executions;
    const heavy = { ...open, workerId: "w".repeat(40_000) } as Execution;
    expect(snapshotOf({ ...second, executions: [closed as Execution, heavy] }).confirm).toBe(false);
  });
});

it("the row of a live job whose own is gone tells everything, its payload and revision included", () => {
  const job = settled(pushing(), FAILURE);
  expect(rowOfJob(job)).toMatchObject({
    accountId: "acct",
    id: "job",
    payload: '{"width":80}',
    status: "retrying",
    revision: job.revision,
    attempt: 1,
    tries: 1,
    attentionAt: NOON + SECOND,
  });
});
