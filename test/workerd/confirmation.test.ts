// How the read model learns what an owner knows, and when the owner lets go (design, rules 2, 7 and 9).

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Report } from "../../src/store/report.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { HOUR, iso, NOON, SECOND, until } from "./harness/clock.ts";
import { JobUnderTest, newJob, unarmedJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** A job that has completed at noon. */
async function completedJob(): Promise<JobUnderTest> {
  receiver.answers(() => new Response("thanks", { headers: { "X-Trace": "abc" } }));
  const job = await newJob(account, { payload: { n: 1 }, idempotency_key: crypto.randomUUID() });
  await job.ring();
  return job;
}

const ENDS: Record<string, () => Promise<JobUnderTest>> = {
  "completed at the first attempt": completedJob,
  "failed after three attempts": async () => {
    receiver.answers(500, 503, () => new Response("no", { status: 400 }));
    const job = await newJob(account);
    await job.ring();
    await job.ringWhenSet();
    await job.ringWhenSet();
    return job;
  },
  "cancelled before its time": async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await job.cancel();
    return job;
  },
  "completed by a worker that returned something": async () => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
    await job.ring();
    const execution_id = (await job.executions())[0]?.id;
    const call = { key: account.key, body: { execution_id } };
    await api("POST", `/v1/worker/jobs/${job.id}/start`, { ...call, body: { execution_id, worker_id: "w" } });
    await api("POST", `/v1/worker/jobs/${job.id}/complete`, {
      ...call,
      body: { execution_id, result: { rows: [1, null] } },
    });
    return job;
  },
};

describe.each(Object.entries(ENDS))("a job %s", (_, made) => {
  it("reads the same from its owner, from its row, and in a list", async () => {
    post.stop();
    const job = await made();
    const [live, liveExecutions] = [await job.show(), await job.executions()];
    post.goOn();
    await job.ringUntilEmpty();
    const [recorded, executions] = [await job.show(), await job.executions()];
    expect(recorded).toEqual(live);
    expect(executions).toEqual(liveExecutions);
    const { body } = await api<unknown[]>("GET", "/v1/jobs", { key: account.key });
    expect(body.data).toEqual([live]);
  });

  it("has nothing for the sweeper to look after", async () => {
    const job = await made();
    await until(() => job.isEmpty());
    expect(await job.row()).toMatchObject({ reportDueAt: null });
  });
});

describe("an owner empties itself", () => {
  it("with the confirmation, before its alarm returns", async () => {
    expect(await (await completedJob()).isEmpty()).toBe(true);
  });

  it("at 35 s when its state was made from a row: an `arm` may still be under way until then", async () => {
    const job = await unarmedJob(account);
    await job.owner.wake(job.ref);
    await job.ring();
    expect((await job.stored())?.phase).toMatchObject({ name: "completed", confirmed: true });
    expect(await job.alarm()).toBe(NOON + 35 * SECOND);
    await job.ringAt(NOON + 35 * SECOND - 1);
    expect(await job.isEmpty()).toBe(false);
    await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(true);
    expect(post.takeJobs()).toHaveLength(1);
  });

  it("not before its end has reached the read model", async () => {
    post.stop();
    const job = await completedJob();
    for (let ring = 0; ring < 12; ring++) await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(false);
    expect(await job.show()).toMatchObject({ status: "completed" });
  });
});

describe("an end that nobody confirms", () => {
  const pauses = async (job: JobUnderTest, times: number) => {
    const [first] = post.take();
    const found: number[] = [];
    for (let before = NOON, n = 0; n < times; n++) {
      await job.ringWhenSet();
      found.push((Date.now() - before) / SECOND);
      before = Date.now();
      expect(post.take()).toEqual([first]);
    }
    return found;
  };

  it("is reported again within a minute, for as long as the database is away", async () => {
    post.stop();
    const job = await completedJob();
    expect(await pauses(job, 7)).toEqual([10, 20, 40, 60, 60, 60, 60]);
    post.goOn();
    await job.ringUntilEmpty();
    expect(logs.of("report_failed")).toHaveLength(8);
  });

  it("because the database refuses it is reported again up to hourly, and said out loud each time", async () => {
    const refusals = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: canary: SQLITE_CONSTRAINT"));
    const job = await completedJob();
    expect((await pauses(job, 12)).slice(-2)).toEqual([3_600, 3_600]);
    expect(logs.of("report_refused")).toHaveLength(13);
    expect(logs.of("report_refused")[0]).toMatchObject({ level: "error", account_id: account.id, job_id: job.id });
    expect(logs.lines.join()).not.toContain("canary");
    refusals.mockRestore();
    await job.ringUntilEmpty();
  });

  it("and whose erasure fails is erased the next time its alarm rings", async () => {
    const job = await newJob(account);
    await runInDurableObject(job.owner, (_, { storage }) => {
      vi.spyOn(storage, "deleteAll").mockRejectedValueOnce(new Error("no descriptors"));
    });
    await job.ring();
    expect(await job.isEmpty()).toBe(false);
    await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(true);
  });

  it("survives a death after the database has it: it is reported once more, and nothing runs again", async () => {
    post.stop();
    const job = await completedJob();
    expect(await post.deliver(post.take())).toEqual(["stored"]);
    await job.crash();
    post.goOn();
    await job.ringUntilEmpty();
    expect(receiver.received).toHaveLength(1);
    expect((await job.row())?.status).toBe("completed");
  });
});

describe("a confirmation", () => {
  it("of an end that was retried meanwhile says nothing of what followed", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    post.stop();
    await job.cancel();
    const [first] = post.take();
    await job.retry();
    await job.cancel();
    const [, second] = post.take();
    await post.deliver([second as Report, first as Report]);
    expect(await job.row()).toMatchObject({ status: "cancelled", revision: second?.revision });
    post.goOn();
    await job.ringUntilEmpty();
  });

  it("that comes while the job changes lets nothing go that has changed", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const [cancelled, retried] = await Promise.all([job.cancel(), job.retry()]);
    expect([cancelled.status, retried.status]).toEqual([200, 200]);
    expect(await job.show()).toMatchObject({ status: "pending" });
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });
});

describe("a row that is gone", () => {
  it("takes its ended job's owner with it", async () => {
    post.stop();
    const job = await completedJob();
    await job.deleteRow();
    post.goOn();
    await job.ringUntilEmpty();
    expect((await job.call("GET")).body.code).toBe("job_not_found");
    expect(await job.executionRows(), "no executions that nobody can find or delete").toEqual([]);
  });

  it("is written again by an owner whose job lives, with everything it had", async () => {
    receiver.answers(500);
    const job = await newJob(account, { payload: { n: 1 }, idempotency_key: "k", handler: "h" });
    post.stop();
    await job.ring();
    const live = await job.show();
    await job.deleteRow();
    post.goOn();
    await job.owner.wake(job.ref);
    await until(async () => (await job.row()) !== undefined);
    const { body } = await api<unknown[]>("GET", "/v1/jobs?idempotency_key=k", { key: account.key });
    expect(body.data).toEqual([live]);
    expect(await job.row()).toMatchObject({ revision: 3, reportDueAt: NOON + SECOND });
    receiver.answers(200);
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
    expect(await job.executions()).toMatchObject([{ status: "failed" }, { status: "completed" }]);
  });
});

describe("many large executions", () => {
  const LARGE = () => new Response("x".repeat(5_000), { status: 500, headers: { "X-Long": "v".repeat(4_000) } });

  it("reach the read model, and none stays in the owner of a job that lives on but the newest", async () => {
    receiver.answers(LARGE);
    const job = await newJob(account, { max_retries: 50 });
    await job.ring();
    for (let attempt = 2; attempt <= 20; attempt++) await job.ringWhenSet();
    expect((await job.stored())?.executions.length).toBeLessThanOrEqual(2);
    expect((await job.executions()).map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it("that the database could not take all reach it in one report when it is back", async () => {
    receiver.answers(LARGE);
    post.stop();
    const job = await newJob(account, { max_retries: 29, backoff: { type: "fixed", initial: 1, max: 1 } });
    await job.ring();
    while ((await job.show()).status !== "failed") await job.ringWhenSet();
    const [live, executions] = [await job.show(), await job.executions()];
    expect(live).toMatchObject({ status: "failed", attempts: 30 });
    post.goOn();
    await job.ringUntilEmpty();
    expect(await job.show()).toEqual(live);
    expect(await job.executions()).toEqual(executions);
    expect(await job.executionRows()).toHaveLength(30);
  });
});

describe("the pages of a job's executions", () => {
  async function fiveAttempts(): Promise<JobUnderTest> {
    post.stop();
    receiver.answers(500);
    const job = await newJob(account, { max_retries: 4 });
    await job.ring();
    while ((await job.show()).attempts < 5) await job.ringWhenSet();
    return job;
  }

  const WHERE: [string, (job: JobUnderTest) => Promise<void>][] = [
    ["in its owner's hands", async () => {}],
    [
      "in the read model",
      async (job) => {
        post.goOn();
        await job.ringUntilEmpty();
      },
    ],
  ];

  it.each(WHERE)("are oldest first and complete, with the executions %s", async (_, moved) => {
    const job = await fiveAttempts();
    await moved(job);
    const page = (query: string) => job.call<{ attempt: number }[]>("GET", `/executions${query}`);
    const attempts = async (query: string) => (await page(query)).body.data.map(({ attempt }) => attempt);
    expect(await attempts("")).toEqual([1, 2, 3, 4, 5]);
    expect(await attempts("?size=2")).toEqual([1, 2]);
    expect(await attempts("?size=2&page=3")).toEqual([5]);
    expect(await attempts("?size=2&page=4")).toEqual([]);
    expect((await page("?size=2&page=2")).body.meta.paging).toEqual({ page: 2, pages: 3, size: 2, total: 5 });
  });

  it("show every field there is", async () => {
    receiver.answers(() => new Response("no", { status: 404, headers: { "X-Trace": "abc" } }));
    const job = await newJob(account);
    await job.ringAt(NOON + 40);
    const error = { code: "http_status", message: expect.any(String) };
    expect(await job.executions()).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        job_id: job.id,
        attempt: 1,
        trigger: "scheduled",
        status: "failed",
        worker_id: null,
        due_at: iso(NOON),
        started_at: iso(NOON + 40),
        completed_at: iso(NOON + 40),
        lateness_ms: 40,
        response: {
          status: 404,
          headers: { "content-type": "text/plain;charset=UTF-8", "x-trace": "abc" },
          body: "no",
          truncated: false,
        },
        result: null,
        error,
        progress: null,
      },
    ]);
  });

  it.each(["?size=101", "?size=0", "?page=0", "?status=failed", "?cursor=x"])("refuse %s", async (query) => {
    const { status, body } = await new JobUnderTest(account, crypto.randomUUID()).call("GET", `/executions${query}`);
    expect([status, body.errors.length]).toEqual([422, 1]);
  });
});

describe("a state that a newer version of the service has written", () => {
  async function newerState() {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const newer = { ...(await job.stored()), v: 99, phase: { name: "dreaming" }, added: [1] };
    await job.store(newer);
    return { job, newer };
  }

  it("is left untouched by its alarm, which looks again later", async () => {
    const { job, newer } = await newerState();
    await job.ringAt(NOON + HOUR);
    expect(await job.stored()).toEqual(newer);
    expect(await job.alarm()).toBe(NOON + HOUR + 30 * SECOND);
    expect(receiver.received).toEqual([]);
  });

  it("is left untouched by every call, which is told to come back", async () => {
    const { job, newer } = await newerState();
    for (const call of [() => job.call("GET"), job.cancel, job.retry, () => job.call("GET", "/executions")]) {
      const { status, headers, body } = await call();
      expect([status, body.code]).toEqual([503, "unavailable"]);
      expect(headers.get("Retry-After")).toMatch(/^\d+$/);
    }
    await job.owner.wake(job.ref).catch(() => {});
    expect(await job.stored()).toEqual(newer);
  });
});

it("an owner that is evicted after each attempt keeps three of them, and the read model has them all", async () => {
  receiver.answers(500);
  const job = await newJob(account, {
    max_retries: 9,
    backoff: { type: "fixed", initial: 60, max: 60, jitter: false },
  });
  const kept: number[] = [];
  for (let attempt = 1; attempt < 10; attempt++) {
    await job.ringWhenSet();
    await until(async () => (await job.row())?.attempt === attempt);
    await job.evict();
    kept.push((await job.stored())?.executions.length ?? 0);
  }
  expect(Math.max(...kept)).toBeLessThanOrEqual(3);
  expect((await job.executions()).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
