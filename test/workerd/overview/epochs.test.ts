// Counts on their way from the projector's memory to the overview: flushed once, or lost and recounted.

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, HOUR, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { answerLost, LOST } from "../harness/database.ts";
import { JobUnderTest, newJob } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { post } from "../harness/post.ts";
import { receiver } from "../harness/receiver.ts";
import { executionAt, factsAt, reportAt } from "../harness/reports.ts";
import { insertRows } from "../harness/rows.ts";
import {
  cron,
  flush,
  groupsOf,
  jobThatMeets,
  openEpochs,
  projector,
  recounted,
  rowsOf,
  sumsOf,
  truthOf,
} from "./counts.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await flush(); // what other tests have left
});

describe("a flush", () => {
  it("repeated adds nothing, and leaves no epoch", async () => {
    await jobThatMeets(account, 200);
    await flush();
    await flush();
    expect(await sumsOf(account)).toMatchObject({ started: 1 });
    expect(await openEpochs()).toBe(0);
  });

  it("whose answer is lost is sent again and adds once", async () => {
    await jobThatMeets(account, 404);
    const lost = answerLost('insert into "overview"', LOST);
    await flush();
    lost.end();
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 1, completed: 0, failed: 1, retried: 0 });
    expect(await groupsOf(account)).toMatchObject([{ count: 1 }]);
  });

  it("that never arrives is made up for by the recount", async () => {
    await jobThatMeets(account, 404);
    const batch = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: D1 DB is overloaded."));
    await flush();
    batch.mockRestore();
    expect(logs.of("overview_flush_failed")).toHaveLength(1);
    await jobThatMeets(account, 200); // counted in the next epoch
    await flush();
    expect(await sumsOf(account)).toMatchObject({ started: 1, completed: 1 });
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 1, retried: 0 });
    expect(logs.of("recount")).toEqual([{ level: "info", event: "recount", executions: 1 }]);
  });

  it("that a reader asks for is not made again within ten seconds", async () => {
    setClock(NOON + HOUR);
    await projector().flush(10 * SECOND);
    await jobThatMeets(account, 200);
    await projector().flush(10 * SECOND);
    expect(await rowsOf(account)).toEqual([]);
    advance(10 * SECOND);
    await projector().flush(10 * SECOND);
    expect(await sumsOf(account)).toMatchObject({ started: 1 });
  });
});

describe("what a projector held when it died", () => {
  it("is claimed by the next one, and counted by the cron within a minute", async () => {
    const job = await jobThatMeets(account, 500, 200);
    await abortAllDurableObjects();
    const next = await jobThatMeets(account, 200);
    await cron();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 0, retried: 1 });
    await flush();
    expect(await sumsOf(account)).toEqual(await truthOf(job, next));
    await recounted();
    expect(await sumsOf(account)).toEqual(await truthOf(job, next));
  });

  it("is claimed when somebody looks, if there is nothing to report", async () => {
    await jobThatMeets(account, 200);
    await abortAllDurableObjects();
    await flush();
    await cron();
    expect(await sumsOf(account)).toMatchObject({ started: 1 });
  });

  it("is counted after ten minutes if no projector comes after it", async () => {
    await jobThatMeets(account, 200);
    await abortAllDurableObjects();
    setClock(NOON + 10 * MINUTE);
    await cron();
    expect(await rowsOf(account)).toEqual([]);
    setClock(NOON + 10 * MINUTE + 1);
    await cron();
    expect(await sumsOf(account)).toMatchObject({ started: 1 });
  });

  it("is counted once, although its executions have moved out of their jobs' rows since", async () => {
    receiver.answers(500, 500, 200);
    const job = await newJob(account);
    await job.ring(); // stamped by the first projector, in the row
    await job.crash();
    await job.ringWhenSet(); // the first attempt takes its stamp along, the second is stamped by the next
    await flush();
    await job.crash();
    await job.ringWhenSet();
    await recounted();
    expect(await job.executionRows()).toHaveLength(2);
    expect(await sumsOf(account)).toEqual({ started: 3, completed: 1, failed: 0, retried: 2 });
  });

  it("is counted as it was, whatever has become of the job since", async () => {
    receiver.answers(500);
    const job = await newJob(account);
    await job.ring();
    await job.crash();
    await job.cancel();
    receiver.answers(200);
    await job.retry(); // as if the first attempt had ended the job
    await job.ringWhenSet();
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 0, retried: 1 });
  });
});

describe("a batch", () => {
  it("whose answer is lost is left to the recount, with all of its epoch", async () => {
    await jobThatMeets(account, 404);
    const lost = answerLost('update "jobs"', LOST);
    const job = await jobThatMeets(account, 200);
    lost.end();
    expect(await job.row()).toMatchObject({ status: "completed" });
    await flush(); // nothing is held any more, and what was left is claimed
    expect(await rowsOf(account)).toEqual([]);
    await cron();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 1, retried: 0 });
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 1, retried: 0 });
  });

  it("with the stamp of an epoch that was claimed applies nothing of it, and comes again with another", async () => {
    await jobThatMeets(account, 200);
    await env.DB.prepare("UPDATE tally_epochs SET claimed_at = ?").bind(Date.now()).run();
    const job = await jobThatMeets(account, 404);
    expect(await job.isEmpty()).toBe(true); // its report was stored
    await flush();
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 1, retried: 0 });
  });

  it("that an owner writes itself is counted when its minute is over", async () => {
    post.stop("busy");
    const job = await jobThatMeets(account, 500, 200);
    await flush();
    expect(await rowsOf(account)).toEqual([]);
    setClock(Date.now() + 2 * MINUTE + 1);
    await cron();
    expect(await sumsOf(account)).toEqual(await truthOf(job));
  });

  it("that an owner writes too late for its minute is refused, and repeated", async () => {
    const job = await newJob(account);
    post.stop("busy");
    await env.DB.prepare("INSERT INTO tally_epochs (id, opened_at, claimed_at) VALUES (?, 0, 1)")
      .bind(NOON / MINUTE)
      .run();
    await job.ring();
    expect(await job.row()).toMatchObject({ status: "pending" });
    await job.ringAt(NOON + MINUTE);
    expect(await job.row()).toMatchObject({ status: "completed" });
    await recounted();
    expect(await sumsOf(account)).toMatchObject({ started: 1, completed: 1 });
  });

  it("with a report that D1 refuses counts all the others", async () => {
    const ids = await insertRows(account, [{ revision: 0 }, { revision: 0 }, { revision: 0 }]);
    const reports = ids.map((id, i) =>
      reportAt(new JobUnderTest(account, id), 1, i === 1 ? { facts: factsAt(1, { status: null as never }) } : {}),
    );
    const batch = vi.spyOn(env.DB, "batch");
    const held = projector().report(reportAt(new JobUnderTest(account, "none"), 1), 10); // the others gather behind it
    const answers = await Promise.all(reports.map((report) => projector().report(report, 1_000)));
    await held;
    batch.mockRestore();
    expect(answers).toEqual(["stored", "refused", "stored"]);
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 0, failed: 0, retried: 2 });
  });

  it("of several attempts at once counts them all", async () => {
    const [id = ""] = await insertRows(account, [{ revision: 0 }]);
    const job = new JobUnderTest(account, id);
    const apart = [executionAt(1, 2), executionAt(2, 4, { trigger: "manual_retry" })];
    await projector().report(reportAt(job, 6, { facts: factsAt(6, { attempt: 3 }), apart }), 1_000);
    await flush();
    expect(await sumsOf(account)).toEqual({ started: 3, completed: 0, failed: 1, retried: 2 });
  });
});

describe("the projector's alarm", () => {
  const alarm = () => runInDurableObject(projector(), (_, { storage }) => storage.getAlarm());

  beforeEach(() => abortAllDurableObjects());

  it("flushes in a lull, and sets itself no more", async () => {
    await jobThatMeets(account, 200);
    expect(await alarm()).toBe(NOON + 8 * SECOND);
    setClock(NOON + 8 * SECOND);
    await runDurableObjectAlarm(projector());
    expect(await rowsOf(account)).toEqual([]);
    expect(await alarm()).toBe(NOON + 16 * SECOND);
    setClock(NOON + 16 * SECOND);
    await runDurableObjectAlarm(projector());
    expect(await sumsOf(account)).toMatchObject({ started: 1 });
    expect(await alarm()).toBeNull();
  });

  it("waits while there is work, a minute at the longest", async () => {
    let rings = 0;
    while ((await rowsOf(account)).length === 0 && rings < 20) {
      await jobThatMeets(account, 200);
      const at = (await alarm()) ?? 0;
      setClock(at - SECOND);
      await jobThatMeets(account, 200);
      setClock(at);
      await runDurableObjectAlarm(projector());
      rings += 1;
    }
    expect(rings).toBe(8);
    expect(Date.now()).toBe(NOON + 64 * SECOND);
    expect(await sumsOf(account)).toMatchObject({ started: 16 });
  });

  it("of an instance that has counted nothing claims what the one before has left", async () => {
    await jobThatMeets(account, 200);
    await abortAllDurableObjects();
    await runDurableObjectAlarm(projector());
    await cron();
    expect(await sumsOf(account)).toMatchObject({ started: 1 });
  });
});
