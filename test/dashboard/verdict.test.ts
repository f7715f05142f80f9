import { describe, expect, it } from "vitest";
import type { Finding } from "../../dashboard/src/screens/overview/finding.ts";
import type { Bucket, Handler, Overview } from "../../dashboard/src/screens/overview/overview-answer.ts";
import { verdictOf } from "../../dashboard/src/screens/overview/verdict.ts";
import { GONE_AFTER_MS, hasNoWorker } from "../../dashboard/src/screens/overview/workers-asking.ts";

const NOW = Date.UTC(2030, 0, 1, 12);
const iso = (at: number) => new Date(at).toISOString();

const NO_LATENESS = { p50: null, p95: null, p99: null, max: null };
const bucket = (counts: Partial<Bucket>): Bucket => ({
  ...{ at: iso(NOW - 900_000), started: 0, completed: 0, failed: 0, retried: 0, lateness_ms: NO_LATENESS },
  ...counts,
});
const overview = (more: Partial<Overview> = {}): Overview => ({
  window: "15m",
  bucket_seconds: 60,
  buckets: [bucket({ started: 100, completed: 100 })],
  overdue: { count: 0, complete: true, oldest_run_at: null },
  failing: [],
  flows: [],
  due: [],
  due_complete_until: iso(NOW + 3_600_000),
  ...more,
});
const late = (count: number, byMs: number, complete = true) =>
  overview({ overdue: { count, complete, oldest_run_at: iso(NOW - byMs) } });
const handler = (name: string, more: Partial<Handler> = {}): Handler => ({
  ...{ handler: name, unavailable: false, waiting: 0, oldest_due_at: null, last_poll_at: iso(NOW), workers: [] },
  ...more,
});

const textOf = ({ tone, parts }: Finding): string =>
  `${tone}: ${parts.map((part) => (typeof part === "string" ? part : `\`${part.name}\``)).join("")}`;
const first = (recent: Overview, handlers: Handler[] | null = []) => textOf(verdictOf(recent, handlers, NOW).first);

describe("the verdict", () => {
  it("is that all is well", () => {
    expect(first(overview())).toBe("good: All well.");
    expect(verdictOf(overview(), [handler("a")], NOW).others).toEqual([]);
  });

  it("names a paused flow in which jobs wait, or counts several", () => {
    const flow = (key: string, waiting: number, paused = true) => ({ key, paused, waiting, running: 0 });
    expect(first(overview({ flows: [flow("mail", 7), flow("b", 9, false), flow("c", 0)] }))).toBe(
      "warn: 7 jobs wait: the flow `mail` is paused.",
    );
    const silent = { key: "c", paused: null, waiting: null, running: null };
    expect(first(overview({ flows: [flow("a", 7), flow("b", 9), silent] }))).toBe(
      "warn: 16 jobs wait: 2 flows are paused.",
    );
  });

  it("does not call silence well", () => {
    const none = overview({ buckets: [bucket({})] });
    expect(first(none)).toBe("quiet: All quiet: nothing ran in the last 15 min, and nothing is due within the hour.");
    expect(first({ ...none, due: [{ at: iso(NOW), count: 1 }] })).toBe(
      "good: All well. Nothing ran in the last 15 min; 1 job due within the hour.",
    );
  });

  it("names the handlers that no worker asks for, those with most jobs first", () => {
    const alone = handler("send-mail", { waiting: 200, last_poll_at: null });
    expect(first(late(214, 180_000), [alone])).toBe(
      "bad: 214 jobs late by up to 3 min: no worker asks for `send-mail`.",
    );
    const some = ["a", "b", "c"].map((name, i) => handler(name, { waiting: i + 1, last_poll_at: null }));
    expect(first(late(1_000, 20_000, false), some)).toBe(
      "bad: More than 1,000 jobs late by up to 20 s: no worker asks for `c`, `b` and 1 more.",
    );
    expect(first(late(3, 20_000), some.slice(0, 2))).toContain("no worker asks for `b` and `a`.");
  });

  it("tells workers that are gone from workers that are slow, by the minute", () => {
    const asked = (agoMs: number) => handler("a", { waiting: 1, last_poll_at: iso(NOW - agoMs) });
    expect(hasNoWorker(asked(GONE_AFTER_MS), NOW)).toBe(false);
    expect(hasNoWorker(asked(GONE_AFTER_MS + 1), NOW)).toBe(true);
    expect(first(late(1, 59_999), [asked(1_000)])).toBe(
      "warn: 1 job late by up to 59 s: the workers of `a` do not keep up.",
    );
    expect(first(late(1, 60_000), [asked(1_000)])).toMatch(/^bad: 1 job late by up to 1 min: the workers/);
  });

  it("tells late jobs apart by what they wait for, each with their own number", () => {
    const dueAgo = (ms: number) => ({ oldest_due_at: iso(NOW - ms) });
    const gone = handler("a", { waiting: 2, last_poll_at: null, ...dueAgo(40_000) });
    const busy = handler("b", { waiting: 200, ...dueAgo(90_000) });
    const all = (recent: Overview, handlers: Handler[]) => {
      const { first, others } = verdictOf(recent, handlers, NOW);
      return [first, ...others].map(textOf);
    };
    expect(all(late(202, 90_000), [gone, busy])).toEqual([
      "bad: 2 jobs late by up to 40 s: no worker asks for `a`.",
      "bad: 200 jobs late by up to 1 min 30 s: the workers of `b` do not keep up.",
    ]);
    expect(all(late(2, 40_000), [gone, { ...busy, waiting: 1, ...dueAgo(500) }])).toEqual([
      "bad: 2 jobs late by up to 40 s: no worker asks for `a`.",
    ]);
    expect(all(late(5, 90_000), [gone])).toEqual([
      "bad: 2 jobs late by up to 40 s: no worker asks for `a`.",
      "bad: 3 jobs late by up to 1 min 30 s: the service is behind.",
    ]);
  });

  it("blames the service when nothing waits for a worker", () => {
    expect(first(late(2, 30_000), [handler("a")])).toBe("warn: 2 jobs late by up to 30 s: the service is behind.");
    expect(first(late(2, 30_000), null)).toContain("the service is behind.");
  });

  it("tells failures by their share, and what most of them have in common", () => {
    const failed = (n: number, of: number) =>
      overview({ buckets: [bucket({ started: of, completed: of - n, failed: n })] });
    expect(first(failed(4, 9))).toBe("good: All well.");
    expect(verdictOf(failed(4, 9), [], NOW).others.map(textOf)).toEqual([
      "quiet: 4 of the 9 jobs that ended in the last 15 min failed.",
    ]);
    expect(first(failed(4, 8))).toBe("warn: 4 of the 8 jobs that ended in the last 15 min failed.");
    expect(first(failed(4, 4))).toBe("warn: All 4 jobs that ended in the last 15 min failed.");
    expect(first(failed(1, 1))).toBe("warn: The only job that ended in the last 15 min failed.");
    expect(first(failed(5, 101))).toBe("good: All well.");
    expect(first(failed(5, 100))).toBe("warn: 5 of the 100 jobs that ended in the last 15 min failed.");
    expect(first(failed(499, 1_000))).toMatch(/^warn: 499 of the 1,000 jobs/);
    expect(first(failed(500, 1_000))).toMatch(/^bad: 500 of the 1,000 jobs/);
    const group = { error_code: "http_status", handler: null, host: "billing.example", last_at: iso(NOW), job_id: "x" };
    const other = { ...group, host: "other.example" };
    const failing = [
      { ...other, count: 4 },
      { ...group, count: 5 },
    ];
    expect(first({ ...failed(9, 10), failing })).toBe(
      "bad: 9 of the 10 jobs that ended in the last 15 min failed, most of them with `http_status` from `billing.example`.",
    );
    expect(
      first({
        ...failed(8, 10),
        failing: [
          { ...other, count: 4 },
          { ...group, count: 4 },
        ],
      }),
    ).not.toContain("most");
    const pulled = { ...group, error_code: "handler_error", handler: "a", host: null, count: 9 };
    expect(first({ ...failed(9, 10), failing: [pulled] })).toContain("most of them with `handler_error` in `a`.");
  });

  it("leads to the failed jobs of these 15 minutes", () => {
    const at = iso(NOW - 900_000);
    const { first } = verdictOf(overview({ buckets: [bucket({ failed: 10 })] }), [], NOW);
    expect(first.leadsTo).toEqual({ path: "/jobs", query: { status: "failed", scheduled_after: at } });
  });

  it("tells of attempts that are repeated, and of lateness", () => {
    const retried = overview({ buckets: [bucket({ started: 20, completed: 15, retried: 5 })] });
    expect(first(retried)).toBe("warn: 5 of 20 attempts in the last 15 min failed and are tried again.");
    expect(first(overview({ buckets: [bucket({ started: 21, completed: 16, retried: 5 })] }))).toBe("good: All well.");
    const slow = bucket({ started: 1, completed: 1, lateness_ms: { ...NO_LATENESS, p95: 10_000 } });
    const quick = bucket({ started: 1, completed: 1 });
    expect(first(overview({ buckets: [slow, quick, quick, quick, quick] }))).toBe(
      "warn: Jobs started up to 10 s late in the last 5 min.",
    );
    expect(first(overview({ buckets: [slow, quick, quick, quick, quick, quick] }))).toBe("good: All well.");
  });

  it("puts what needs a person first", () => {
    const buckets = [bucket({ started: 100, completed: 90, failed: 10 })];
    const abandoned = handler("a", { waiting: 1, last_poll_at: null });
    const silent = handler("b", { unavailable: true, waiting: null, last_poll_at: null, workers: null });
    const { first, others } = verdictOf({ ...late(1, 20_000), buckets }, [abandoned, silent], NOW);
    expect([first, ...others].map(({ tone }) => tone)).toEqual(["bad", "warn", "warn"]);
    expect(textOf(first)).toContain("no worker asks for `a`");
    expect(others.map(textOf)).toContain("warn: The queue of `b` does not answer.");
  });
});
