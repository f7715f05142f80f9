// DELETE /v1/jobs/:id (contract §2): an ended job is gone at once, and nothing that comes late brings any of it back.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OfferMessage } from "../../../src/delivery/enqueue.ts";
import { specOf } from "../../../src/domain/job.ts";
import worker from "../../../src/index.ts";
import type { JobReport } from "../../../src/store/report.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { JobUnderTest, newJob, postJob, unarmedJob } from "../harness/job.ts";
import { post } from "../harness/post.ts";
import { receiver } from "../harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const PULL = { handler: "h", delivery: { type: "pull" } };
const KEY = { idempotency_key: "k" };
const cron = () => worker.scheduled(createScheduledController(), env);

/** Nothing of it is left, nowhere, and nobody runs it again. */
async function isGone(job: JobUnderTest): Promise<void> {
  const sent = receiver.received.length;
  for (const action of ["", "/executions"]) expect((await job.call("GET", action)).status).toBe(404);
  for (let ring = 0; ring < 5 && (await job.alarm()) !== null; ring++)
    await job.ringAt(Math.max((await job.alarm()) ?? 0, Date.now()));
  expect([await job.row(), await job.executionRows(), await job.isEmpty()]).toEqual([undefined, [], true]);
  expect(receiver.received.length).toBe(sent);
}

const ends: Record<string, () => Promise<JobUnderTest>> = {
  completed: async () => {
    const job = await newJob(account, KEY);
    await job.ring();
    return job;
  },
  "failed after a retry": async () => {
    receiver.answers(500, 400);
    const job = await newJob(account, KEY);
    await job.ring();
    await job.ringWhenSet();
    return job;
  },
  cancelled: async () => {
    const job = await newJob(account, { ...KEY, delay: { value: 1, unit: "minute" } });
    await job.cancel();
    return job;
  },
  "cancelled far ahead": async () => {
    const job = await newJob(account, { ...KEY, delay: { value: 1, unit: "day" } });
    await job.cancel();
    return job;
  },
  "cancelled, made from its row": async () => {
    const job = await unarmedJob(account, { ...KEY, delay: { value: 1, unit: "minute" } });
    await job.cancel();
    return job;
  },
  "completed long ago": async () => {
    const job = await newJob(account, KEY);
    await job.ring();
    setClock(NOON + DAY);
    return job;
  },
  "completed, and its end has not been heard of": async () => {
    const job = await newJob(account, KEY);
    post.stop();
    await job.ring();
    post.goOn();
    return job;
  },
};

describe("a job that has ended is gone with its executions and its key", () => {
  it.each(Object.entries(ends))("%s", async (_, ended) => {
    const job = await ended();
    const { status, body } = await job.remove();
    expect([status, body.data]).toEqual([200, null]);
    expect((await job.call("GET")).status).toBe(404);
    expect((await postJob(account, { ...KEY, delay: { value: 1, unit: "day" } })).status).toBe(201);
    expect((await job.remove()).status).toBe(404);
    await isGone(job);
  });

  it.each(Object.entries(ends))("%s: of many at once one is 200, all others are 404", async (_, ended) => {
    const job = await ended();
    const answers = await Promise.all(Array.from({ length: 10 }, () => job.remove()));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses.every((status) => status === 200 || status === 404)).toBe(true);
    await isGone(job);
  });
});

describe("a job that lives is 409 job_not_deletable and goes on", () => {
  const lives: Record<string, () => Promise<JobUnderTest>> = {
    pending: () => newJob(account),
    "far ahead": () => newJob(account, { delay: { value: 1, unit: "day" } }),
    "never armed": () => unarmedJob(account),
    retrying: async () => {
      receiver.answers(500, 200);
      const job = await newJob(account);
      await job.ring();
      return job;
    },
    "taken back to life": async () => {
      receiver.answers(400, 200);
      const job = await newJob(account);
      await job.ring();
      setClock(NOON + DAY);
      await job.retry();
      return job;
    },
    "taken back to life by its owner, whose row does not know it": async () => {
      receiver.answers(400, 200);
      const job = await unarmedJob(account);
      await job.owner.wake(job.ref);
      await job.ring();
      post.stop();
      await job.retry();
      post.goOn();
      return job;
    },
  };

  it.each(Object.entries(lives))("%s", async (_, made) => {
    const job = await made();
    const before = await job.show();
    const { status, body } = await job.remove();
    expect([status, body.code]).toEqual([409, "job_not_deletable"]);
    expect(await job.show()).toEqual(before);
    setClock(Date.parse(before.run_at ?? ""));
    if ((await job.alarm()) === null) await job.owner.wake(job.ref);
    await job.ringWhenSet();
    expect((await job.show()).status).toBe("completed");
  });
});

describe("on a condition", () => {
  it("that does not hold it is 412 with the job as it is, and stays", async () => {
    const job = await newJob(account);
    await job.ring();
    for (const waited of [0, DAY]) {
      advance(waited);
      const { status, body } = await job.remove({ headers: { "If-Match": '"1"' } });
      expect([status, body.code, body.data]).toEqual([412, "precondition_failed", await job.show()]);
    }
    const { revision } = await job.show();
    expect((await job.remove({ headers: { "If-Match": `"${revision}"` } })).status).toBe(200);
    await isGone(job);
  });

  it("that no longer holds when the row is deleted, it stays", async () => {
    receiver.answers(400);
    const job = await newJob(account);
    await job.ring();
    setClock(NOON + DAY);
    const { revision } = await job.show();
    const batch = env.DB.batch.bind(env.DB);
    const spy = vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      await job.retry();
      await job.ringUntilEmpty();
      return batch<never>(statements);
    });
    const { status, body } = await job.remove({ headers: { "If-Match": `"${revision}"` } });
    expect(spy).toHaveBeenCalled();
    expect([status, body.code]).toEqual([412, "precondition_failed"]);
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 2 });
  });
});

describe("against", () => {
  it("a manual retry: the job is gone, or it lives and runs, never half of it", async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      receiver.answers(400, 200);
      const job = await newJob(account);
      await job.ring();
      if (round % 2) advance(HOUR);
      const [removed, retried] = await Promise.all(
        round % 4 < 2
          ? [job.remove(), scheduler.wait(round % 5).then(() => job.retry())]
          : [scheduler.wait(round % 5).then(() => job.remove()), job.retry()],
      );
      seen.add(`${removed.status} ${retried.status}`);
      if (retried.status === 200 && removed.status !== 200) {
        await job.ringUntilEmpty();
        expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
        expect(removed.body.code).toBe("job_not_deletable");
      } else {
        expect([removed.status, retried.status]).toEqual([200, 404]);
        await isGone(job);
      }
    }
    expect([...seen].sort()).toEqual(["200 404", "409 200"]);
  });

  it("a report of it that comes late: no row, no execution", async () => {
    receiver.answers(500, 400);
    const job = await newJob(account);
    await job.ring();
    await job.ringWhenSet();
    const reports: JobReport[] = post.takeJobs();
    expect(reports.length).toBeGreaterThan(1);
    await job.remove();
    expect(await post.deliver(reports)).toEqual(reports.map(() => "missing"));
    await isGone(job);
  });

  it("an arm that comes late: the state that an arm must find stays until none is believed", async () => {
    const job = await unarmedJob(account);
    const like = await (await newJob(account, { delay: { value: 1, unit: "minute" } })).stored();
    if (!like) throw new Error("there is none");
    await job.owner.wake(job.ref);
    await job.ring();
    expect((await job.remove()).status).toBe(200);
    const arm = () => job.owner.arm({ ...specOf(like), id: job.id }, null);
    await arm();
    await job.owner.wake(job.ref); // from a sweep that began before
    await arm();
    setClock(NOON + 10 * SECOND);
    await arm();
    setClock(NOON + 10 * SECOND + 1);
    await arm();
    expect(receiver.received).toHaveLength(1);
    await isGone(job);
  });

  it("a worker's report, and an offer, that come late: 404, and nothing is made", async () => {
    const offers: OfferMessage[] = [];
    vi.spyOn(env.EXECUTIONS, "send").mockImplementation(async (one) => void offers.push(one as OfferMessage) as never);
    const job = await newJob(account, PULL);
    await job.ring();
    const execution_id = (await job.executions())[0]?.id;
    const say = (word: string) =>
      api("POST", `/v1/worker/jobs/${job.id}/${word}`, { key: account.key, body: { execution_id } });
    await say("start");
    await say("complete");
    await until(() => job.isEmpty()); // its end is reported behind the answer
    expect((await job.remove()).status).toBe(200);
    for (const word of ["start", "heartbeat", "complete"]) expect((await say(word)).status).toBe(404);
    await job.owner.release(execution_id ?? "");
    expect((await job.owner.lease(job.ref, execution_id ?? "", null)).ok).toBe(false);
    advance(MINUTE);
    await cron();
    await isGone(job);
  });
});

describe("when D1 fails", () => {
  it("it is 503 and the job stays, and the next one deletes it", async () => {
    const job = await newJob(account);
    await job.ring();
    for (const waited of [0, DAY]) {
      advance(waited);
      const down = databaseDown();
      expect((await job.remove()).status).toBe(503);
      down.end();
      expect((await job.show()).status).toBe("completed");
    }
    expect((await job.remove()).status).toBe(200);
  });

  it("although it has deleted the job, the next one is told that there is none", async () => {
    const job = await newJob(account);
    await job.ring();
    const batch = env.DB.batch.bind(env.DB);
    vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      await batch(statements);
      throw new Error("D1_ERROR: D1 DB is overloaded.");
    });
    expect((await job.remove()).status).toBe(503);
    expect((await job.remove()).status).toBe(404);
    await isGone(job);
  });

  it("and says so at once when only the answer was lost", async () => {
    const job = await newJob(account);
    await job.ring();
    const batch = env.DB.batch.bind(env.DB);
    vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      await batch(statements);
      throw new Error("Network connection lost.");
    });
    expect((await job.remove()).status).toBe(200);
    await isGone(job);
  });
});

it("another account's job is 404 and stays", async () => {
  const job = await newJob(account);
  await job.ring();
  const stranger = new JobUnderTest(await newAccount(), job.id);
  expect((await stranger.remove()).status).toBe(404);
  expect((await job.show()).completed_at).toBe(iso(NOON));
});
