// How the read model learns what an owner knows, and when the owner lets go (design, rules 2, 9 and 14).

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "./harness/clock.ts";
import { JobUnderTest, newJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** A job that has completed at noon, its report on the way. */
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
    const job = await made();
    const [live, executions] = [await job.show(), await job.executions()];
    await post.deliver();
    setClock(NOON + 2 * HOUR);
    await job.ring();
    expect(await job.isEmpty()).toBe(true);
    expect(await job.show()).toEqual(live);
    expect(await job.executions()).toEqual(executions);
    const { body } = await api<unknown[]>("GET", "/v1/jobs", { key: account.key });
    expect(body.data).toEqual([live]);
  });

  it("has nothing for the sweeper to look after", async () => {
    const job = await made();
    await post.deliver();
    expect(await job.row()).toMatchObject({ attentionAt: null });
  });
});

describe("an owner empties itself", () => {
  it("with the confirmation, once 35 seconds have passed since the creation", async () => {
    const job = await completedJob();
    setClock(NOON + 35 * SECOND);
    await post.deliver();
    expect(await job.isEmpty()).toBe(true);
  });

  it("not with a confirmation a millisecond earlier: then the confirmed state stays until they are over", async () => {
    const job = await completedJob();
    setClock(NOON + 35 * SECOND - 1);
    await post.deliver();
    expect((await job.stored())?.phase).toMatchObject({ name: "completed", confirmed: true });
    expect((await job.stored())?.executions).toEqual([]);
    await job.ring();
    expect(await job.isEmpty()).toBe(false);
    await job.ringWhenSet();
    expect(Date.now()).toBe(NOON + 35 * SECOND);
    expect(await job.isEmpty()).toBe(true);
  });

  it("reports nothing more once it is confirmed", async () => {
    const job = await completedJob();
    await post.deliver();
    await job.ringAt(NOON + MINUTE);
    expect(post.sent).toEqual([]);
  });

  it("not before its end has reached the read model", async () => {
    const job = await completedJob();
    post.take();
    for (let ring = 0; ring < 12; ring++) await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(false);
    expect(await job.show()).toMatchObject({ status: "completed" });
  });
});

describe("an end that nobody confirms", () => {
  it("is reported again after 35 seconds, then doubling up to every 15 minutes", async () => {
    const job = await completedJob();
    const first = post.take();
    const pauses: number[] = [];
    for (let before = NOON, n = 0; n < 7; n++) {
      await job.ringWhenSet();
      pauses.push((Date.now() - before) / SECOND);
      before = Date.now();
      expect(post.take()).toEqual(first);
    }
    expect(pauses).toEqual([35, 60, 120, 240, 480, 900, 900]);
  });

  it("of a short push is reported again by the alarm that watched over it: it is not set again, which would be a row", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const push = receiver.holds();
    const rung = job.ringAt(NOON + HOUR);
    await push.arrived();
    expect(await job.alarm()).toBe(NOON + HOUR + 35 * SECOND);
    push.release(200);
    await rung;
    expect(await job.alarm()).toBe(NOON + HOUR + 35 * SECOND);
  });

  it("that took a job 6 seconds is reported again 30 seconds later", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const push = receiver.holds();
    const rung = job.ringAt(NOON + HOUR);
    await push.arrived();
    setClock(NOON + HOUR + 6 * SECOND);
    push.release(200);
    await rung;
    post.take();
    await job.ringAt(NOON + HOUR + 35 * SECOND); // the watch over the push: nothing to do yet
    expect(post.take()).toEqual([]);
    expect(await job.alarm()).toBe(NOON + HOUR + 36 * SECOND);
    await job.ringWhenSet();
    expect(post.take()).toMatchObject([{ jobId: job.id, confirm: true }]);
  });

  it("and whose erasure fails is erased the next time its alarm rings", async () => {
    const job = await newJob(account);
    await job.ring();
    await post.deliver();
    await runInDurableObject(job.owner, (_, { storage }) => {
      vi.spyOn(storage, "deleteAll").mockRejectedValueOnce(new Error("no descriptors"));
    });
    await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(false);
    await job.ringWhenSet();
    expect(await job.isEmpty()).toBe(true);
  });

  it("is confirmed by a report sent again after the first receipt was lost", async () => {
    const job = await completedJob();
    const confirm = vi.spyOn(env.JOBS, "getByName").mockImplementation(() => {
      throw new Error("overloaded");
    });
    await post.deliver();
    confirm.mockRestore();
    expect(logs.of("receipt_lost")).toMatchObject([{ level: "warn", account_id: account.id, job_id: job.id }]);
    expect((await job.stored())?.phase).toMatchObject({ confirmed: false });
    await job.ringWhenSet();
    await post.deliver();
    expect(await job.isEmpty()).toBe(true);
  });

  it("survives a queue that does not take it", async () => {
    vi.spyOn(env.SNAPSHOTS, "send").mockRejectedValueOnce(new Error("Queue is overloaded"));
    const job = await completedJob();
    expect(post.sent).toEqual([]);
    expect(logs.of("report_failed")).toHaveLength(1);
    expect(await job.show()).toMatchObject({ status: "completed" });
    await job.ringWhenSet();
    await post.deliver();
    expect(await job.isEmpty()).toBe(true);
  });
});

describe("a confirmation", () => {
  it("of an older revision confirms nothing", async () => {
    const job = await completedJob();
    const { revision = 0 } = (await job.stored()) ?? {};
    setClock(NOON + MINUTE);
    await job.owner.confirm(revision - 1, 0);
    expect((await job.stored())?.phase).toMatchObject({ name: "completed", confirmed: false });
  });

  it("of an end that was retried says nothing of the end that followed", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await job.cancel();
    const first = post.take();
    await job.retry();
    await job.cancel();
    setClock(NOON + MINUTE);
    await post.deliver(first);
    expect((await job.stored())?.phase).toMatchObject({ name: "cancelled", confirmed: false });
    await post.deliver();
    expect(await job.isEmpty()).toBe(true);
  });

  it("that names fewer executions than there are confirms nothing of the rest", async () => {
    const job = await completedJob();
    const { revision = 0 } = (await job.stored()) ?? {};
    setClock(NOON + MINUTE);
    await job.owner.confirm(revision, 0);
    expect(await job.stored()).toMatchObject({ phase: { confirmed: false }, executions: [{ attempt: 1 }] });
  });

  it("said twice, or to an empty owner, does nothing", async () => {
    const job = await completedJob();
    const reports = [...post.sent];
    setClock(NOON + MINUTE);
    await post.deliver();
    await post.deliver(reports);
    expect(await job.isEmpty()).toBe(true);
    expect(await job.show()).toMatchObject({ status: "completed" });
  });
});

describe("a row that is gone", () => {
  it("takes its ended job's owner with it", async () => {
    const job = await completedJob();
    await job.deleteRow();
    await post.deliver();
    expect(await job.isEmpty()).toBe(true);
    expect((await job.call("GET")).body.code).toBe("job_not_found");
  });

  it("is written again by an owner whose job lives, with everything it had", async () => {
    receiver.answers(500);
    const job = await newJob(account, { payload: { n: 1 }, idempotency_key: "k", handler: "h" });
    await job.ring();
    const live = await job.show();
    await job.deleteRow();
    await post.deliver();
    const { body } = await api<unknown[]>("GET", "/v1/jobs?idempotency_key=k", { key: account.key });
    expect(body.data).toEqual([live]);
    expect(await job.row()).toMatchObject({ revision: 3, attentionAt: NOON + SECOND });
    receiver.answers(200);
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });

  // Known: the executions of a snapshot are written although its job's row is gone, and nothing ever deletes them.
  it("is not followed by executions that nobody can find or delete", async () => {
    const job = await completedJob();
    await job.deleteRow();
    await post.deliver();
    expect(await job.executionRows()).toEqual([]);
  });
});

describe("many large executions", () => {
  it("reach the read model in parts a queue can carry, the end last, and nothing is lost", async () => {
    receiver.answers(() => new Response("x".repeat(5_000), { status: 500, headers: { "X-Long": "v".repeat(4_000) } }));
    const job = await newJob(account, { max_retries: 29 });
    await job.ring();
    for (let attempt = 2; attempt <= 30; attempt++) await job.ringWhenSet();
    const [live, executions] = [await job.show(), await job.executions()];
    expect(live).toMatchObject({ status: "failed", attempts: 30 });
    expect(executions).toHaveLength(20);
    post.take();
    await job.ringWhenSet();
    let parts = 0;
    for (; post.sent.length > 0; parts++) {
      const [part] = post.sent;
      expect(JSON.stringify(part).length).toBeLessThanOrEqual(100_000);
      await post.deliver();
      await until(async () => post.sent.length > 0 || (await job.isEmpty()));
    }
    expect(parts).toBeGreaterThanOrEqual(3);
    expect(await job.isEmpty()).toBe(true);
    expect(await job.show()).toEqual(live);
    expect(await job.executions()).toEqual(executions);
    expect(await job.executionRows()).toHaveLength(30);
  });

  it("do not pile up in the owner of a job that lives on: it asks for a receipt and lets them go", async () => {
    receiver.answers(() => new Response("x".repeat(5_000), { status: 500, headers: { "X-Long": "v".repeat(4_000) } }));
    const job = await newJob(account, { max_retries: 50 });
    await job.ring();
    for (let attempt = 2; attempt <= 20; attempt++) {
      await post.deliver();
      await job.ringWhenSet();
    }
    expect((await job.stored())?.executions.length).toBeLessThanOrEqual(6);
    expect((await job.executions()).map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });
});

describe("the pages of a job's executions", () => {
  async function fiveAttempts(): Promise<JobUnderTest> {
    receiver.answers(500);
    const job = await newJob(account, { max_retries: 4 });
    await job.ring();
    for (let n = 1; n < 5; n++) await job.ringWhenSet();
    return job;
  }

  const WHERE: [string, (job: JobUnderTest) => Promise<void>][] = [
    ["in its owner's hands", async () => {}],
    [
      "in the read model",
      async (job) => {
        advance(MINUTE);
        await post.deliver();
        expect(await job.isEmpty()).toBe(true);
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
    for (const word of [() => job.owner.poke(job.ref), () => job.owner.confirm(99, 99), () => job.owner.missing()])
      await word().catch(() => {});
    expect(await job.stored()).toEqual(newer);
  });
});

describe("the queue's consumer", () => {
  it("acknowledges every snapshot it can read, applied or not", async () => {
    const job = await completedJob();
    await job.deleteRow();
    const { explicitAcks, retryMessages } = await post.deliver();
    expect([explicitAcks, retryMessages]).toEqual([["m0"], []]);
  });

  it("leaves a snapshot of a newer version on the queue, and applies its neighbours", async () => {
    const job = await completedJob();
    const [snapshot] = post.take();
    const newer = { ...snapshot, v: 99, revision: 99, facts: { status: "dreaming" } };
    const result = await post.deliver([newer as never, snapshot as never]);
    expect(result.explicitAcks).toEqual(["m1"]);
    expect(result.retryMessages).toMatchObject([{ msgId: "m0" }]);
    expect(await job.row()).toMatchObject({ status: "completed" });
  });
});

it("without anybody's help the queue brings the end to the read model", async () => {
  vi.restoreAllMocks();
  logs.reset();
  receiver.reset();
  const job = await newJob(account);
  await job.ring();
  await until(async () => (await job.row())?.status === "completed");
  expect(await job.executionRows()).toMatchObject([{ status: "completed" }]);
});
