// What is counted, and that it is counted once, however often it is reported.

import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount, remove } from "../harness/account.ts";
import { HOUR, MINUTE, NOON, SECOND, until } from "../harness/clock.ts";
import { JobUnderTest, newJob } from "../harness/job.ts";
import { post } from "../harness/post.ts";
import { receiver } from "../harness/receiver.ts";
import { reportAt } from "../harness/reports.ts";
import { insertRows } from "../harness/rows.ts";
import { claim } from "../pull/worker.ts";
import { newWebhook } from "../webhooks/webhook.ts";
import { cron, flush, groupsOf, jobThatMeets, projector, recounted, rowsOf, sumsOf, truthOf } from "./counts.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await flush(); // what other tests have left
});

describe("the projector counts", () => {
  it("what completed, failed, and is tried again, in its minutes", async () => {
    const [well, badly, again] = [
      await jobThatMeets(account, 200),
      await jobThatMeets(account, 404),
      await jobThatMeets(account, 500, 200),
    ];
    await flush();
    expect(await sumsOf(account)).toEqual({ started: 4, completed: 2, failed: 1, retried: 1 });
    expect(await sumsOf(account)).toEqual(await truthOf(well, badly, again));
    expect(await groupsOf(account)).toMatchObject([{ error_code: "http_status", host: "hooks.example.com", count: 2 }]);
  });

  it("a start by its own minute, and how late it was", async () => {
    const job = await newJob(account);
    await job.ringAt(NOON + MINUTE - 1);
    await flush();
    expect(await rowsOf(account)).toMatchObject([
      { minute: 0, started: 1, completed: 1, late_sum: MINUTE - 1, late_max: MINUTE - 1, late_60000: 1 },
      { minute: NOON, started: 1, completed: 1 },
    ]);
  });

  it("nothing that is under way, and a cancelled attempt as a start alone", async () => {
    const job = await newJob(account, { handler: "work", delivery: { type: "pull" } });
    const waiting = await newJob(account, { handler: "work", delivery: { type: "pull" } });
    await job.ring();
    await claim(account, {});
    await flush();
    expect(await rowsOf(account)).toEqual([]);
    await job.cancel();
    await waiting.cancel();
    await flush();
    expect(await sumsOf(account)).toEqual({ started: 1, completed: 0, failed: 0, retried: 0 });
  });

  it("nothing again after a manual retry: what happened stays", async () => {
    const job = await jobThatMeets(account, 404);
    await flush();
    receiver.answers(200);
    await job.retry();
    await job.ringWhenSet();
    await flush();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 1, retried: 0 });
  });

  it("nothing of a job whose end is held back until somebody is told, not even what an older report brings", async () => {
    await newWebhook(account, "job.cancelled");
    const stored = () => env.DB.prepare("SELECT attempt FROM executions WHERE account_id = ?").bind(account.id).all();
    post.stop();
    receiver.answers(() => new Response("x".repeat(4_000), { status: 500 }));
    const job = await newJob(account, { backoff: { type: "fixed", initial: 3_600 } });
    await job.ring();
    await job.ringWhenSet(); // its report
    await job.cancel();
    const receipts = await post.deliver(post.takeJobs());
    expect(receipts.at(-1)).toBe("announce");
    expect((await stored()).results).toEqual([]);
    post.goOn();
    await job.ringUntilEmpty();
    await recounted();
    expect((await stored()).results).toHaveLength(1);
    expect(await sumsOf(account)).toEqual({ started: 1, completed: 0, failed: 0, retried: 1 });
  });

  it("no delivery of an event", async () => {
    const [id = ""] = await insertRows(account, [{ revision: 0, origin: "event" }]);
    await projector().report(reportAt(new JobUnderTest(account, id), 1), 1_000);
    await flush();
    expect(await rowsOf(account)).toEqual([]);
    expect(await groupsOf(account)).toEqual([]);
  });

  it("nothing of an account that is gone", async () => {
    await jobThatMeets(account, 404);
    await env.DB.prepare("DELETE FROM accounts WHERE id = ?").bind(account.id).run();
    await flush();
    expect([await rowsOf(account), await groupsOf(account)]).toEqual([[], []]);
  });

  it("a report once, however often it comes, in one batch or in several", async () => {
    await jobThatMeets(account, 500, 200);
    const sent = post.takeJobs();
    const again = [...sent, ...sent].map((report) => projector().report(report, 1_000));
    expect(new Set(await Promise.all(again))).toEqual(new Set(["stored"]));
    await flush();
    for (const report of sent) await projector().report(report, 1_000);
    await flush();
    expect(await sumsOf(account)).toEqual({ started: 2, completed: 1, failed: 0, retried: 1 });
  });

  it("an execution whose response is too large for the row once, though it is in two places", async () => {
    const large = () => new Response("x".repeat(4_000), { status: 404 });
    receiver.answers(large);
    const job = await newJob(account);
    await job.ring();
    expect(await job.executionRows()).toHaveLength(1);
    await abortAllDurableObjects();
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 1, completed: 0, failed: 1, retried: 0 });
  });
});

describe("a job that fails because its time ran out", () => {
  const expiring = () =>
    newJob(account, { handler: "work", delivery: { type: "pull" }, expires_after: { value: 1, unit: "minute" } });

  it("is counted as failed at once, without a start, and once", async () => {
    const job = await expiring();
    await job.ring();
    await job.ringAt(NOON + MINUTE);
    const sent = post.takeJobs();
    expect(await sumsOf(account)).toEqual({ started: 0, completed: 0, failed: 1, retried: 0 });
    for (const report of sent) await projector().report(report, 1_000);
    await Promise.all(sent.map((report) => projector().report(report, 1_000)));
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 0, completed: 0, failed: 1, retried: 0 });
    expect(await groupsOf(account)).toMatchObject([
      { error_code: "expired", handler: "work", host: "", count: 1, job_id: job.id },
    ]);
  });

  it("counts again when it is retried and expires again, beside the attempt it had", async () => {
    receiver.answers(500);
    const job = await newJob(account, { expires_after: { value: 2, unit: "second" }, max_retries: 5 });
    await job.ring();
    await job.ringAt(NOON + 2 * SECOND);
    await job.retry();
    receiver.answers(500);
    await job.ringAt(NOON + HOUR);
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 1, completed: 0, failed: 2, retried: 1 });
  });

  it("is counted by whoever writes its report", async () => {
    post.stop("busy");
    const job = await expiring();
    await job.ring();
    await job.ringAt(NOON + MINUTE);
    expect(await sumsOf(account)).toMatchObject({ failed: 1 });
    await recounted();
    expect(await sumsOf(account)).toMatchObject({ failed: 1 });
  });
});

it("the counts of a deleted account go with it", async () => {
  await jobThatMeets(account, 404);
  await flush();
  expect((await rowsOf(account)).length).toBeGreaterThan(0);
  await remove(account);
  await env.DB.prepare("DELETE FROM retention_walk").run();
  await until(async () => {
    await cron();
    return (await rowsOf(account)).length === 0;
  });
  expect(await groupsOf(account)).toEqual([]);
});
