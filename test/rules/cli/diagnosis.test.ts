// What the doctor concludes from what it sees.

import { expect, it } from "vitest";
import { diagnose, type Evidence, verdict } from "../../../cli/diagnosis.ts";
import type { HandlerStatus, Job, Overview, Webhook } from "../../../sdk/src/index.ts";

const NOON = Date.UTC(2030, 0, 1, 12);
const before = (ms: number) => new Date(NOON - ms);

const bucket = { at: before(0), started: 3, completed: 3, failed: 0, retried: 0 };
const onTime = { p50: 2, p95: 5, p99: 9, max: 12 };
const overview: Overview = {
  window: "1h",
  bucketSeconds: 60,
  buckets: [{ ...bucket, latenessMs: onTime }],
  overdue: { count: 0, complete: true, oldestRunAt: null },
  failing: [],
  flows: [],
  due: [],
  dueCompleteUntil: before(0),
};
const well: Evidence = { unwell: null, unanswered: [], overview, handlers: [], webhooks: [], oldest: null };

const handler = (facts: Partial<HandlerStatus>) =>
  ({
    handler: "email",
    unavailable: false,
    waiting: 3,
    oldestDueAt: before(5_000),
    lastPollAt: before(1_000),
    workers: [{ workerId: "w", lastPollAt: before(1_000) }],
    ...facts,
  }) as HandlerStatus;

const judge = (changes: Partial<Evidence>) => {
  const evidence = { ...well, ...changes };
  const findings = diagnose(evidence, NOON);
  return { findings, levels: findings.map(({ level }) => level), verdict: verdict(findings, evidence) };
};

it("finds nothing where nothing is", () => {
  expect(judge({})).toEqual({
    findings: [],
    levels: [],
    verdict: "All is well: nothing is late; 3 jobs completed and 0 failed in the last hour.",
  });
});

it("names the flows that are paused and have jobs in line, which is no trouble", () => {
  const flow = { key: "mail", paused: true, waiting: 7, running: 0 };
  const { findings, levels } = judge({
    overview: { ...overview, flows: [flow, { ...flow, key: "b", paused: false }, { ...flow, key: "c", waiting: 0 }] },
  });
  expect(levels).toEqual(["note"]);
  expect(findings[0]?.message).toBe('The flow "mail" is paused; 7 jobs wait in it.');
});

it("names the oldest overdue job and what it waits for", () => {
  const waitingOn = { reason: "no_worker", message: "No worker asks.", since: before(0), until: null };
  const { findings, verdict } = judge({
    overview: { ...overview, overdue: { count: 1, complete: true, oldestRunAt: before(90_000) } },
    oldest: { id: "j1", name: "mail", waitingOn } as Job,
  });
  expect(findings).toEqual([
    {
      level: "trouble",
      message: "1 job is overdue, the oldest for 1 min 30 s.",
      advice: "Job j1 (mail): No worker asks.",
    },
  ]);
  expect(verdict).toBe("Not well: 1 job is overdue, the oldest for 1 min 30 s.");
});

it("says when there may be more than were counted, and when it cannot say why", () => {
  const { findings } = judge({
    overview: { ...overview, overdue: { count: 1_000, complete: false, oldestRunAt: null } },
  });
  expect(findings).toMatchObject([{ message: "More than 1000 jobs are overdue.", advice: "" }]);
});

it.each([
  ["a worker has just asked", { lastPollAt: before(60_000) }, ["note"]],
  ["the last one is gone", { lastPollAt: before(60_001) }, ["trouble"]],
  ["there was none", { lastPollAt: null, workers: [] }, ["trouble"]],
  ["nothing waits", { waiting: 0, lastPollAt: null }, []],
  ["nobody can tell", { unavailable: true, waiting: null, lastPollAt: null, workers: null } as never, ["note"]],
])("of a handler: %s", (_, facts, levels) => {
  expect(judge({ handlers: [handler(facts)] }).levels).toEqual(levels);
});

it("takes failures as trouble once more jobs fail than complete", () => {
  const failing = [
    { errorCode: "http_status", handler: null, host: "a.example", count: 3, lastAt: before(0), jobId: "j" },
  ];
  const with_ = (failed: number) =>
    judge({ overview: { ...overview, failing, buckets: [{ ...bucket, failed, latenessMs: onTime }] } });
  expect([with_(0).levels, with_(3).levels, with_(4).levels]).toEqual([[], ["note"], ["trouble"]]);
  expect(with_(4).findings[0]?.advice).toBe("3 × http_status (a.example), such as job j");
});

it("notes lateness above a minute", () => {
  const late = (p99: number) =>
    judge({ overview: { ...overview, buckets: [{ ...bucket, latenessMs: { ...onTime, p99 } }] } }).levels;
  expect([late(60_000), late(60_001)]).toEqual([[], ["note"]]);
});

it("tells disabled webhooks from those that were switched off, and from those that fail", () => {
  const webhook = (facts: Partial<Webhook>) =>
    ({
      id: "w1",
      url: "https://a.example",
      enabled: true,
      disabledReason: null,
      failingSince: null,
      ...facts,
    }) as Webhook;
  const levels = (facts: Partial<Webhook>) => judge({ webhooks: [webhook(facts)] }).levels;
  expect(levels({ enabled: false, disabledReason: "Every delivery has failed." })).toEqual(["trouble"]);
  expect(levels({ enabled: false })).toEqual([]);
  expect(levels({ failingSince: before(0) })).toEqual(["note"]);
});

it("puts what the service says of itself first, and counts the rest", () => {
  const { verdict } = judge({ unwell: "MASTER_KEY is not set.", handlers: [handler({ lastPollAt: null })] });
  expect(verdict).toBe(
    "Not well: The service says that it is not well: MASTER_KEY is not set. 1 more finding is listed above.",
  );
});

it("names databases that do not answer, which is no trouble of an account that is answered", () => {
  const { levels, verdict } = judge({ unanswered: ["DB_2"] });
  expect(levels).toEqual(["note"]);
  expect(verdict).toMatch(/^All is well/);
  const messages = diagnose({ ...well, unanswered: ["DB_2", "DB_3"] }, NOON).map(({ message }) => message);
  expect(messages).toEqual(["DB_2, DB_3 do not answer: accounts that live there wait."]);
});
