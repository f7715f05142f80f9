import { describe, expect, it, vi } from "vitest";
import { ChronosConfigError, type ChronosContext, ExecutionAbortedError, rawJson } from "../src/index.ts";
import { refuse } from "./answers.ts";
import { REPORT } from "./line.ts";
import { gate, NOON, pass, setUp } from "./setup.ts";

const HEARTBEAT = /\/heartbeat$/;

/** A worker in the middle of a job with a lease of so many seconds. */
async function running(timeout = 30, clock?: { aheadMs: number }) {
  const kit = setUp({}, clock);
  const work = gate();
  let ctx!: ChronosContext;
  kit.chronos.worker.handle("hello", (given) => {
    ctx ??= given;
    return work.promise;
  });
  const job = await kit.chronos.jobs.create({ name: "One", handler: "hello", timeout, maxRetries: 0 });
  void kit.chronos.worker.start();
  await pass(0);
  return { ...kit, work, ctx, job };
}

it("sends a heartbeat at each third of the lease, so that a handler may run far longer than it", async () => {
  const { app, line, work, job } = await running();
  await pass(95_000);
  expect(line.sentTo(HEARTBEAT).map((one) => (one.at - NOON) / 1000)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
  work.open();
  await pass(10);
  expect(app.job(job.id).status).toBe("completed");
});

it("moves ctx.deadline on with every heartbeat", async () => {
  const { ctx } = await running();
  expect(ctx.deadline).toEqual(new Date(NOON + 30_000));
  await pass(10_000);
  expect(ctx.deadline).toEqual(new Date(NOON + 40_000));
});

it("stops the heartbeats when the handler ends", async () => {
  const { line, work } = await running();
  work.open();
  await pass(60_000);
  expect(line.sentTo(HEARTBEAT)).toHaveLength(0);
});

it("aborts the handler when the job is cancelled, and reports nothing", async () => {
  const { app, chronos, line, work, ctx, job } = await running();
  await chronos.jobs.cancel(job.id);
  await pass(9_999);
  expect(ctx.signal.aborted).toBe(false);
  await pass(1);
  expect(ctx.signal.reason).toBeInstanceOf(ExecutionAbortedError);
  expect(ctx.signal.reason).toMatchObject({ abortCause: "cancelled" });
  work.open();
  await pass(60_000);
  expect(line.sentTo(REPORT)).toHaveLength(0);
  expect(line.sentTo(HEARTBEAT)).toHaveLength(1);
  expect(app.job(job.id).status).toBe("cancelled");
});

it("aborts the handler when the lease is lost, and reports nothing", async () => {
  const { line, work, ctx, logged } = await running();
  line.breaks(HEARTBEAT, () => refuse(409, "lease_lost", "Superseded"));
  await pass(10_000);
  expect(ctx.signal.reason).toMatchObject({ abortCause: "lease_lost" });
  work.slam(ctx.signal.reason);
  await pass(100);
  expect(line.sentTo(REPORT)).toHaveLength(0);
  expect(logged("warn")).toContain("Dropped a report: lease lost");
});

it("aborts the handler at the deadline when no heartbeat gets through, to the millisecond", async () => {
  const { line, ctx } = await running();
  line.breaks(HEARTBEAT, "lost", 1_000);
  await pass(29_999);
  expect(ctx.signal.aborted).toBe(false);
  await pass(1);
  expect(ctx.signal.reason).toMatchObject({ abortCause: "deadline" });
  expect(() => ctx.signal.throwIfAborted()).toThrow("lease ran out");
});

it("repeats a lost heartbeat soon enough to keep the lease", async () => {
  const { app, line, work, ctx, job } = await running();
  line.breaks(HEARTBEAT, "lost", 3);
  await pass(60_000);
  expect(ctx.signal.aborted).toBe(false);
  work.open();
  await pass(10);
  expect(app.job(job.id).status).toBe("completed");
});

it("gives up a heartbeat that hangs while a short lease leaves time for another", async () => {
  const { app, line, work, ctx, job } = await running(9);
  line.breaks(HEARTBEAT, "hangs");
  await pass(20_000);
  expect(ctx.signal.aborted).toBe(false);
  work.open();
  await pass(10);
  expect(app.job(job.id).status).toBe("completed");
});

it("gives up a heartbeat that hangs after 10 s, however long the lease", async () => {
  const { line } = await running(300);
  line.breaks(HEARTBEAT, "hangs");
  await pass(125_000);
  // Sent at 100 s, given up at 110 s, sent again half of 25 s later.
  expect(line.sentTo(HEARTBEAT).map((one) => one.at - NOON)).toEqual([100_000, 122_500]);
});

it("counts an extended lease from when the heartbeat was sent, not from when it was answered", async () => {
  const { line, ctx } = await running();
  const answer = gate<Response>();
  line.breaks(HEARTBEAT, (() => answer.promise) as unknown as () => Response);
  await pass(13_000);
  answer.open(Response.json({ success: true, message: "OK", data: { lease_expires_at: "", cancel_requested: false } }));
  await pass(0);
  expect(ctx.deadline).toEqual(new Date(NOON + 40_000));
});

it.each([7_000, -7_000, 86_400_000, -86_400_000])(
  "keeps the lease when the clock on the wall is set by %i ms inside of a handler, and the job runs once",
  async (stepMs) => {
    const { app, line, work, ctx, job } = await running(6);
    await pass(1_000);
    line.latencyMs = 100;
    vi.setSystemTime(Date.now() + stepMs);
    await pass(20_000);
    const beats = line.sentTo(HEARTBEAT).map((one) => one.at - NOON - stepMs);
    expect(beats).toEqual([2_000, 4_000, 6_000, 8_000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000]);
    expect(ctx.signal.aborted).toBe(false);
    // By this machine's clock, whatever it reads now.
    expect(ctx.deadline).toEqual(new Date(NOON + 20_000 + 6_000 + stepMs));
    work.open();
    await pass(200);
    expect(app.job(job.id)).toMatchObject({ status: "completed", attempts: 1 });
  },
);

it.each([10_000, -10_000])(
  "ends the attempt with its lease, though the service's clock is %i ms ahead",
  async (aheadMs) => {
    const { app, line, ctx, job } = await running(6, { aheadMs });
    line.breaks(HEARTBEAT, "lost", 1_000);
    await pass(5_999);
    expect(ctx.signal.aborted).toBe(false);
    await pass(1);
    expect(ctx.signal.reason).toMatchObject({ abortCause: "deadline" });
    expect(app.executionOf(job).leaseEndsAt).toBe(NOON + aheadMs + 6_000);
  },
);

it("repeats heartbeats while the account is suspended, and keeps the lease if it is resumed in time", async () => {
  const { app, line, work, ctx, job } = await running();
  app.suspended = true;
  await pass(15_000);
  app.suspended = false;
  await pass(45_000);
  expect(line.sentTo(HEARTBEAT).length).toBeGreaterThan(3);
  expect(ctx.signal.aborted).toBe(false);
  work.open();
  await pass(10);
  expect(app.job(job.id)).toMatchObject({ status: "completed", attempts: 1 });
});

describe("ctx.progress()", () => {
  const sent = (line: { sentTo(path: RegExp): { at: number; body: Record<string, unknown> }[] }) =>
    line.sentTo(HEARTBEAT).map(({ at, body }) => [(at - NOON) / 1000, body.progress]);

  it("goes out at once, then at most every two seconds with what was said last, and moves the lease on", async () => {
    const { app, line, ctx, job, work } = await running();
    for (let n = 1; n <= 50; n++) {
      ctx.progress({ done: n });
      await pass(100);
    }
    expect(sent(line)).toEqual([
      [0, { done: 1 }],
      [2, { done: 20 }],
      [4, { done: 40 }],
    ]);
    await pass(20_000);
    expect(sent(line).slice(3)).toEqual([
      [6, { done: 50 }],
      [16, undefined],
    ]);
    expect(app.executionOf(job).progress).toEqual({ done: 50 });
    work.open();
    await pass(10);
    expect(app.job(job.id).status).toBe("completed");
  });

  it("travels with a heartbeat that comes as soon", async () => {
    const { line, ctx } = await running();
    await pass(9_999);
    ctx.progress(1);
    await pass(1);
    expect(sent(line)).toEqual([[9.999, 1]]);
    await pass(1_500);
    ctx.progress(2);
    await pass(600);
    expect(sent(line)).toEqual([
      [9.999, 1],
      [11.999, 2],
    ]);
  });

  it("arrives before the report of the end, whatever that is", async () => {
    const { app, line, ctx, job, work } = await running();
    ctx.progress("first");
    await pass(10);
    ctx.progress("last");
    work.slam(new Error("no"));
    await pass(10);
    const sent = line.sentTo(/heartbeat$|report$/).map(({ path }) => path.replace(/.*\//, ""));
    expect(sent).toEqual(["heartbeat", "heartbeat", "report"]);
    expect(app.executionOf(job)).toMatchObject({ status: "failed", progress: "last" });
  });

  it("holds up the report for two seconds at most", async () => {
    const { app, line, ctx, job, work } = await running();
    line.breaks(HEARTBEAT, "hangs");
    ctx.progress(1);
    await pass(10);
    work.open();
    await pass(1_980);
    expect(app.job(job.id).status).toBe("running");
    await pass(30);
    expect(app.job(job.id).status).toBe("completed");
    await pass(60_000);
    expect(line.sentTo(HEARTBEAT)).toHaveLength(1);
  });

  it("that was lost is said again with the next heartbeat, unless there is something newer to say", async () => {
    const { app, line, ctx, job } = await running();
    line.breaks(HEARTBEAT, "lost", 2);
    ctx.progress("old");
    await pass(10);
    ctx.progress("new");
    await pass(10_000);
    expect(sent(line).map(([, progress]) => progress)).toEqual(["old", "new", "new"]);
    expect(app.executionOf(job).progress).toBe("new");
  });

  it("that the service refuses costs no lease: the heartbeat is repeated without it", async () => {
    const { app, line, ctx, job, work, logged } = await running();
    line.breaks(HEARTBEAT, () => refuse(422, "validation_error", "There is no such field"));
    ctx.progress({ done: 1 });
    await pass(10);
    expect(sent(line).map(([, progress]) => progress)).toEqual([{ done: 1 }, undefined]);
    expect(logged("warn")).toEqual(["The service refused the progress: There is no such field"]);
    await pass(60_000);
    expect(ctx.signal.aborted).toBe(false);
    work.open();
    await pass(10);
    expect(app.job(job.id).status).toBe("completed");
  });

  it("throws for what is no JSON, for null and for more than 4 KB, and sends nothing", async () => {
    const { line, ctx } = await running();
    const endless: unknown[] = [];
    endless.push(endless);
    for (const wrong of [undefined, null, () => {}, endless, 1n, "x".repeat(4_095)]) {
      expect(() => ctx.progress(wrong)).toThrow(ChronosConfigError);
    }
    await pass(5_000);
    expect(line.sentTo(HEARTBEAT)).toHaveLength(0);
    ctx.progress("x".repeat(4_094));
    await pass(10);
    expect(line.sentTo(HEARTBEAT)).toHaveLength(1);
  });

  it("sends the text of rawJson() as it is, and an execution shows it", async () => {
    const { chronos, line, ctx, job } = await running();
    ctx.progress(rawJson('{"row": 12345678901234567890}'));
    await pass(10);
    const shown = await chronos.jobs.executions(job.id).page();
    expect(shown.items[0]).toMatchObject({ progress: expect.anything(), progressText: expect.stringContaining("row") });
    expect(line.sentTo(HEARTBEAT)).toHaveLength(1);
  });

  it("after the end says nothing any more", async () => {
    const { line, ctx, work } = await running();
    work.open();
    await pass(10);
    ctx.progress(1);
    await pass(60_000);
    expect(line.sentTo(HEARTBEAT)).toHaveLength(0);
  });
});

it("leaves no timer behind, however the attempt ended", async () => {
  const { chronos, work, job } = await running();
  await chronos.jobs.cancel(job.id);
  await pass(10_000);
  work.open();
  await chronos.worker.stop();
  expect(vi.getTimerCount()).toBe(0);
});
