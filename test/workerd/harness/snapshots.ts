// Snapshots as owners send them, made by hand.

import type { Execution } from "../../../src/domain/job.ts";
import type { JobFacts, Snapshot } from "../../../src/store/report.ts";
import { NOON } from "./clock.ts";
import type { JobUnderTest } from "./job.ts";

export const factsAt = (revision: number, facts: Partial<JobFacts> = {}): JobFacts => ({
  status: "retrying",
  runAt: NOON + revision,
  attempt: revision,
  started: revision,
  tries: revision,
  interruptions: 0,
  lastError: { code: "network", message: `revision ${revision}` },
  result: null,
  updatedAt: NOON + revision,
  completedAt: null,
  attentionAt: NOON + revision,
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
  revision,
  ...execution,
});

export const snapshotOf = ({ ref }: JobUnderTest, revision: number, snapshot: Partial<Snapshot> = {}): Snapshot => ({
  kind: "snapshot",
  v: 1,
  ...ref,
  revision,
  facts: factsAt(revision),
  executions: [],
  confirm: false,
  ...snapshot,
});
