// The overview: what is asked for, and how it is given.

import { expect, it } from "vitest";
import { ChronosConfigError, type OverviewOptions } from "../src/index.ts";
import { refuse } from "./answers.ts";
import { NOON, outcomeOf, setUp } from "./setup.ts";

it("gives what the service says, times as Dates, and nothing that it does not know", async () => {
  const { chronos, line } = setUp();
  const at = new Date(NOON);
  expect(await chronos.overview()).toEqual({
    window: "1h",
    bucketSeconds: 60,
    buckets: [
      { at, started: 4, completed: 2, failed: 1, retried: 1, latenessMs: { p50: 10, p95: 20, p99: 20, max: 13 } },
      {
        ...{ at: new Date(NOON + 60_000), started: 0, completed: 0, failed: 0, retried: 0 },
        latenessMs: { p50: null, p95: null, p99: null, max: null },
      },
    ],
    overdue: { count: 3, complete: true, oldestRunAt: at },
    failing: [{ errorCode: "timeout", handler: null, host: "example.com", count: 2, lastAt: at, jobId: "job" }],
    due: [{ at, count: 5 }],
    flows: [{ key: "mail", paused: true, waiting: 7, running: 0 }],
    dueCompleteUntil: new Date(NOON + 3_600_000),
  });
  expect(line.sent.map(({ path }) => path)).toEqual(["/v1/overview"]);
});

it("asks for the window", async () => {
  const { chronos } = setUp();
  expect((await chronos.overview({ window: "7d" })).window).toBe("7d");
});

it("is repeated after a fault, and refuses an option that it does not know", async () => {
  const { chronos, line } = setUp();
  line.breaks(/overview$/, () => refuse(503, "unavailable", "Not now"));
  const overview = await outcomeOf(chronos.overview());
  expect(overview).toMatchObject({ window: "1h" });
  await expect(chronos.overview({ from: 0 } as OverviewOptions)).rejects.toThrow(ChronosConfigError);
});
