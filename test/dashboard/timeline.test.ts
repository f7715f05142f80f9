// The attempts of a job on a line of time.

import { describe, expect, it } from "vitest";
import type { Execution } from "../../dashboard/src/api/job.ts";
import { placeIn, timelineOf } from "../../dashboard/src/screens/job/moments.ts";
import { AT, aJob } from "./a-listed-job.ts";

const START = Date.parse(AT);
const iso = (ms: number) => new Date(START + ms).toISOString();

const attempt = (n: number, due: number, started: number | null, ended: number | null): Execution => ({
  id: `execution ${n}`,
  job_id: "job",
  attempt: n,
  trigger: "scheduled",
  status: ended === null ? "running" : "failed",
  worker_id: null,
  due_at: iso(due),
  started_at: started === null ? null : iso(started),
  completed_at: ended === null ? null : iso(ended),
  lateness_ms: started === null ? null : started - due,
  response: null,
  result: null,
  result_text: null,
  error: null,
  progress: null,
  progress_text: null,
});

const stretches = (timeline: ReturnType<typeof timelineOf>) =>
  timeline.lanes.map((lane) => lane.stretches.map(({ kind, from, to }) => [kind, from - START, to - START]));

describe("the lanes", () => {
  it("show lateness, running and the pause between attempts, and the attempt to come", () => {
    const job = aJob({ status: "retrying", run_at: iso(9_000) });
    const timeline = timelineOf(job, [attempt(1, 0, 100, 1_000), attempt(2, 3_000, 3_000, 4_000)], START + 5_000);
    expect(stretches(timeline)).toEqual([
      [
        ["late", 0, 100],
        ["run", 100, 1_000],
      ],
      [
        ["pause", 1_000, 3_000],
        ["run", 3_000, 4_000],
      ],
      [["pause", 4_000, 9_000]],
    ]);
    expect([timeline.from - START, timeline.to - START]).toEqual([0, 9_000]);
    expect(timeline.lanes[2]?.execution).toBeNull();
  });

  it("let a running attempt grow with the clock, and show none to come", () => {
    const job = aJob({ status: "running", run_at: iso(0) });
    const timeline = timelineOf(job, [attempt(1, 0, 0, null)], START + 7_000);
    expect(stretches(timeline)).toEqual([[["run", 0, 7_000]]]);
  });

  it("show a wait that goes on beyond the due moment", () => {
    const queued = timelineOf(aJob({ status: "queued" }), [attempt(1, 0, null, null)], START + 60_000);
    expect(stretches(queued)).toEqual([[["late", 0, 60_000]]]);
    const overdue = timelineOf(aJob({ run_at: iso(1_000) }), [], START + 3_000);
    expect(stretches(overdue)).toEqual([[["late", 1_000, 3_000]]]);
  });

  it("have a length even if everything happened in one millisecond", () => {
    const timeline = timelineOf(aJob({ status: "failed", run_at: null }), [attempt(1, 0, 0, 0)], START);
    expect(timeline.to - timeline.from).toBe(1);
  });
});

it("a place lies between the ends, to scale", () => {
  const ends = { from: 1_000, to: 2_000 };
  expect([500, 1_000, 1_250, 2_000, 9_000].map((moment) => placeIn(ends, moment))).toEqual([0, 0, 25, 100, 100]);
});
