// Reports as owners send them, made by hand.

import type { Execution } from "../../../src/domain/job.ts";
import type { JobFacts, JobReport } from "../../../src/store/report.ts";
import { NOON } from "./clock.ts";
import type { JobUnderTest } from "./job.ts";

export const factsAt = (revision: number, facts: Partial<JobFacts> = {}): JobFacts => ({
  status: "retrying",
  reportDueAt: NOON + revision,
  runAt: NOON + revision,
  expiresAt: null,
  trigger: null,
  operation: null,
  attempt: revision,
  started: revision,
  tries: revision,
  interruptions: 0,
  lastError: { code: "network", message: `revision ${revision}` },
  result: null,
  updatedAt: NOON + revision,
  completedAt: null,
  executionId: `execution ${revision}`,
  executionTrigger: "system_retry",
  executionStatus: "failed",
  workerId: null,
  dueAt: NOON,
  startedAt: NOON,
  settledAt: NOON + revision,
  response: null,
  progress: null,
  ...facts,
});

export const executionAt = (attempt: number, revision: number, execution: Partial<Execution> = {}): Execution => ({
  id: `execution ${attempt}`,
  attempt,
  trigger: "system_retry",
  status: "failed",
  workerId: null,
  dueAt: NOON,
  startedAt: NOON,
  completedAt: NOON + revision,
  response: null,
  error: { code: "network", message: `revision ${revision}` },
  progress: null,
  revision,
  ...execution,
});

export const reportAt = (
  { account, id }: JobUnderTest,
  revision: number,
  report: Partial<JobReport> = {},
): JobReport => ({
  kind: "job",
  accountId: account.id,
  id,
  revision,
  facts: factsAt(revision),
  asked: null,
  apart: [],
  announces: [],
  health: null,
  ...report,
});
