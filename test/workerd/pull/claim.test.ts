// Claims (contract §5): of one job or up to a hundred, for one handler or many.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { claimWithin, MAX_ROUNDS } from "../../../src/objects/pull-queue/claim.ts";
import { NOMINATION_MS } from "../../../src/objects/pull-queue/nominations.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { advance, hurry, until } from "../harness/clock.ts";
import type { JobUnderTest } from "../harness/job.ts";
import { type Claimed, CountedQueues, claim, queuedJob } from "./worker.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** Jobs that became due one after the other. */
async function queuedJobs(handlers: readonly string[]): Promise<JobUnderTest[]> {
  const made: JobUnderTest[] = [];
  for (const handler of handlers) {
    made.push(await queuedJob(account, handler));
    advance(1);
  }
  return made;
}

const work = (count: number) => queuedJobs(Array<string>(count).fill("work"));
const ids = (jobs: readonly JobUnderTest[]) => jobs.map(({ id }) => id);
const idsOf = (claimed: readonly Claimed[]) => claimed.map(({ job_id }) => job_id);

describe("`max_jobs`", () => {
  it("left out: one job or null, as ever", async () => {
    const [job] = await work(2);
    const one = await claim<Claimed | null>(account, {});
    expect([one.body.message, one.body.data?.job_id]).toEqual(["Job claimed.", job?.id]);
    await claim(account, {});
    const none = await claim(account, {});
    expect([none.body.message, none.body.data]).toEqual(["No job was due.", null]);
  });

  it("1: an array all the same", async () => {
    const [job] = await work(2);
    expect(idsOf((await claim(account, { max_jobs: 1 })).body.data)).toEqual([job?.id]);
  });

  it("more than there are: all of them, oldest due first, each under its own lease", async () => {
    const jobs = await work(3);
    const { body } = await claim(account, { max_jobs: 100, worker_id: "w" });
    expect([body.message, idsOf(body.data)]).toEqual(["Jobs claimed.", ids(jobs)]);
    for (const job of jobs) {
      expect(await job.show()).toMatchObject({ status: "running", attempts: 1 });
      expect(await job.executions()).toMatchObject([{ worker_id: "w" }]);
    }
  });

  it("fewer than there are: the rest waits for the next claim", async () => {
    const jobs = await work(5);
    expect(idsOf((await claim(account, { max_jobs: 2 })).body.data)).toEqual(ids(jobs.slice(0, 2)));
    expect(idsOf((await claim(account, { max_jobs: 9 })).body.data)).toEqual(ids(jobs.slice(2)));
  });

  it("of nothing that is due: an empty array", async () => {
    const { status, body } = await claim(account, { max_jobs: 5 });
    expect([status, body.message, body.data]).toEqual([200, "No job was due.", []]);
  });

  it("of a poll that waits: answered as soon as there is one", async () => {
    const poll = claim(account, { max_jobs: 5, wait_time_seconds: 20 });
    await scheduler.wait(50);
    const job = await queuedJob(account);
    expect(idsOf((await poll).body.data)).toEqual([job.id]);
  });

  it.each([0, 101, 1.5, "5"])("may not be %j: 422", async (max_jobs) => {
    const { status, body } = await claim(account, { max_jobs });
    expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["max_jobs"]]);
  });
});

describe("a claim for several handlers", () => {
  it("takes the oldest due over all of them", async () => {
    const jobs = await queuedJobs(["c", "a", "b", "a", "c"]);
    const handlers = ["a", "b", "c"];
    expect(idsOf((await claim(account, { handlers, max_jobs: 3 })).body.data)).toEqual(ids(jobs.slice(0, 3)));
    expect(idsOf((await claim(account, { handlers, max_jobs: 9 })).body.data)).toEqual(ids(jobs.slice(3)));
  });

  it("takes from nobody what it does not need", async () => {
    const jobs = await queuedJobs(["a", "b", "b"]);
    await claim(account, { handlers: ["a", "b"], max_jobs: 1 });
    expect(idsOf((await claim(account, { handlers: ["b"], max_jobs: 9 })).body.data)).toEqual(ids(jobs.slice(1)));
  });

  it("named twice asks once", async () => {
    const queues = new CountedQueues();
    await claim(account, { handlers: ["work", "work"] }, queues);
    expect(queues.calls).toMatchObject({ nominate: 1, dueTimes: 0 });
  });

  it.each([2, 5])("waits at each of %i, and whichever has something first answers", async (count) => {
    const handlers = Array.from({ length: count }, (_, n) => `h${n}`);
    const queues = new CountedQueues();
    const poll = claim(account, { handlers, wait_time_seconds: 20, max_jobs: 5 }, queues);
    await until(() => queues.mostOpen === count);
    const job = await queuedJob(account, `h${count - 1}`);
    expect(idsOf((await poll).body.data)).toEqual([job.id]);
    expect(queues.calls.leave).toBe(count - 1);
  });

  it("waits at 23 in turns, with five open calls at most, and finds what is due at any", async () => {
    const handlers = Array.from({ length: 23 }, (_, n) => `h${n}`);
    for (const handler of ["h0", "h22"]) {
      const queues = new CountedQueues();
      const poll = claim(account, { handlers, wait_time_seconds: 20, max_jobs: 5 }, queues);
      await until(() => queues.calls.nominate > 10);
      const job = await queuedJob(account, handler);
      expect(idsOf((await poll).body.data)).toEqual([job.id]);
      expect(queues.mostOpen).toBe(5);
    }
  });

  it("gives back at once what came to it too late to be needed", async () => {
    const poll = claim(account, { handlers: ["a", "b"], wait_time_seconds: 20, max_jobs: 1 });
    await scheduler.wait(50);
    const both = await Promise.all([queuedJob(account, "a"), queuedJob(account, "b")]);
    const taken = idsOf((await poll).body.data);
    const rest = idsOf((await claim(account, { handlers: ["a", "b"], max_jobs: 9 })).body.data);
    expect([...taken, ...rest].sort()).toEqual(ids(both).sort());
  });

  it("one of whose PullQueues does not answer gets what the others have; 503 if none does", async () => {
    const job = await queuedJob(account, "a");
    const broken = (names: readonly string[]) => ({
      PULL_QUEUES: {
        getByName: (name: string) =>
          names.some((one) => name.endsWith(`/${one}`)) ? BROKEN : env.PULL_QUEUES.getByName(name),
      },
    });
    const claimed = await claim(account, { handlers: ["a", "b"], max_jobs: 2 }, broken(["b"]));
    expect(idsOf(claimed.body.data)).toEqual([job.id]);
    expect((await claim(account, { handlers: ["a", "b"] }, broken(["a", "b"]))).status).toBe(503);
    expect((await claim(account, { handlers: ["a"] }, broken(["a"]))).status).toBe(503);
  });

  const fails = () => Promise.reject(new Error("the object was reset"));
  const BROKEN = { nominate: fails, dueTimes: fails, leave: fails };
});

describe("entries that are over", () => {
  it("travel with the next claim", async () => {
    await work(3);
    const queues = new CountedQueues();
    await Promise.all([1, 2, 3].map(() => claim(account, {}, queues)));
    await claim(account, {}, queues);
    expect(queues.calls.remove).toBeLessThanOrEqual(1);
    advance(NOMINATION_MS);
    expect((await claim(account, {})).body.data).toBeNull();
  });

  it("are removed shortly after, when no claim follows", async () => {
    await work(2);
    const queues = new CountedQueues();
    await claim(account, { max_jobs: 2 }, queues);
    expect(queues.calls).toMatchObject({ nominate: 1, remove: 1, giveBack: 0 });
  });
});

describe("an owner", () => {
  /** The owners of these jobs are others. */
  const owners = (jobs: readonly JobUnderTest[], owner: (job: JobUnderTest) => object) => ({
    JOBS: {
      getByName(name: string) {
        const job = jobs.find(({ id }) => name.endsWith(id));
        return job ? owner(job) : env.JOBS.getByName(name);
      },
    },
  });

  it("whose answer comes too late keeps no lease for nobody: the job waits again", async () => {
    hurry();
    const job = await queuedJob(account);
    const slow = {
      lease: async (...args: Parameters<typeof job.owner.lease>) => {
        const answer = await job.owner.lease(...args);
        await scheduler.wait(200);
        return answer;
      },
      release: (id: string) => job.owner.release(id),
    };
    const { status, body } = await claim(
      account,
      { max_jobs: 1 },
      owners([job], () => slow),
    );
    expect([status, body.data]).toEqual([200, []]);
    expect(await job.show()).toMatchObject({ status: "queued", attempts: 0 });
    advance(NOMINATION_MS);
    expect(idsOf((await claim(account, { max_jobs: 1 })).body.data)).toEqual([job.id]);
  });

  it("in a crowd of bad ones costs a claim no more than its rounds, and the healthy job behind them gets through", async () => {
    const bad = await work(2 * MAX_ROUNDS);
    const healthy = await queuedJob(account);
    let leases = 0;
    const around = owners(bad, () => ({
      lease: async () => {
        leases += 1;
        return { ok: false, error: { code: "unavailable", retryAfterSeconds: 5 } };
      },
    }));
    expect((await claim(account, {}, around)).body.data).toBeNull();
    expect(leases).toBe(MAX_ROUNDS);
    await claim(account, {}, around);
    expect((await claim<Claimed>(account, {}, around)).body.data.job_id).toBe(healthy.id);
  });
});

describe("a client that has gone", () => {
  it("takes none of the jobs nominated to it, and they are another's at once", async () => {
    const jobs = await work(3);
    const left = new AbortController();
    const behind: Promise<unknown>[] = [];
    const asked = { accountId: account.id, handlers: ["work"], most: 3, workerId: null, pollId: crypto.randomUUID() };
    const isThere = async () => {
      left.abort();
      return false;
    };
    const claimed = await claimWithin(env, { ...asked, later: (work) => behind.push(work) }, 5_000, {
      gone: left.signal,
      isThere,
    });
    await Promise.all(behind);
    expect(claimed).toEqual({ ok: true, value: [] });
    for (const job of jobs) expect(await job.show()).toMatchObject({ status: "queued", attempts: 0 });
    expect(idsOf((await claim(account, { max_jobs: 9 })).body.data)).toEqual(ids(jobs));
  });

  it("while a slow owner gives the lease takes nothing: it is looked for again before it is answered", async () => {
    const job = await queuedJob(account);
    const left = new AbortController();
    const behind: Promise<unknown>[] = [];
    const lease = async (...args: Parameters<typeof job.owner.lease>) => {
      const answer = await job.owner.lease(...args);
      await scheduler.wait(80);
      left.abort();
      return answer;
    };
    const JOBS = { getByName: () => ({ lease, release: (id: string) => job.owner.release(id) }) };
    const asked = { accountId: account.id, handlers: ["work"], most: 1, workerId: null, pollId: "p" };
    const there = { gone: left.signal, isThere: async () => !left.signal.aborted };
    const around = { ...env, JOBS } as unknown as Cloudflare.Env;
    const claimed = await claimWithin(around, { ...asked, later: (work) => behind.push(work) }, 5_000, there);
    await Promise.all(behind);
    expect(claimed).toEqual({ ok: true, value: [] });
    expect(await job.show()).toMatchObject({ status: "queued", attempts: 0 });
  });

  it("while it waits at several handlers leaves them all: what is offered then is another's at once", async () => {
    const left = new AbortController();
    const behind: Promise<unknown>[] = [];
    const asked = { accountId: account.id, handlers: ["a", "b", "c"], most: 1, workerId: null, pollId: "p" };
    const there = { gone: left.signal, isThere: async () => !left.signal.aborted };
    const poll = claimWithin(env, { ...asked, later: (work) => behind.push(work) }, 20_000, there);
    await scheduler.wait(50);
    left.abort();
    expect(await poll).toEqual({ ok: true, value: [] });
    await Promise.all(behind);
    const job = await queuedJob(account, "b");
    expect(idsOf((await claim(account, { handlers: ["b"], max_jobs: 1 })).body.data)).toEqual([job.id]);
  });
});

it("a claimed job is completed as ever", async () => {
  const [job] = await work(1);
  const [claimed] = (await claim(account, { max_jobs: 1 })).body.data;
  const body = { execution_id: claimed?.execution_id };
  const done = await api("POST", `/v1/worker/jobs/${claimed?.job_id}/complete`, { key: account.key, body });
  expect([done.status, (await job?.show())?.status]).toEqual([200, "completed"]);
});
