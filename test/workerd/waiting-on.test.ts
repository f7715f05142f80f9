// `waiting_on` of GET /v1/jobs/:id (contract §10): each reason is made true, shown, and resolved.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { showWaitingJob, showWaitingOn } from "../../src/domain/show-job.ts";
import { type Account, newAccount, resume, suspend } from "./harness/account.ts";
import { type Answer, api, must } from "./harness/api.ts";
import { advance, DAY, HOUR, hurry, iso, MINUTE, NOON, SECOND, setClock } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { type JobUnderTest, newJob, unarmedJob } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";
import { CountedQueues, claim, queuedJob } from "./pull/worker.ts";

type WaitingOnJson = ReturnType<typeof showWaitingOn>;
type Shown = ReturnType<typeof showWaitingJob>;

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const get = (job: JobUnderTest, around: object = {}): Promise<Answer<Shown>> =>
  job.call<Shown>("GET", "", undefined, { env: around });
const waitingOn = async (job: JobUnderTest, around: object = {}) => (await must(get(job, around))).waiting_on;
const reasonOf = async (job: JobUnderTest, around: object = {}) => (await waitingOn(job, around))?.reason ?? null;
const queue = (handler = "work") => env.PULL_QUEUES.getByName(`${account.id}/${handler}`);

/** A poll of a worker that finds nothing for it: another handler is asked for as well, but not this one. */
const poll = (handler = "work", more: object = {}) => claim(account, { handlers: [handler], ...more });

const expectOn = (found: WaitingOnJson | null, expected: Partial<Record<keyof WaitingOnJson, unknown>>) =>
  expect(found).toMatchObject(expected);

describe("not_due", () => {
  it("of a job within the hour, until it runs", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    advance(SECOND);
    const times = { since: iso(NOON), until: iso(NOON + HOUR) };
    expectOn(await waitingOn(job), { reason: "not_due", ...times, message: expect.stringContaining("13:00:00 UTC") });
    await job.ringWhenSet();
    expect(await waitingOn(job)).toBeNull();
  });

  it("of a job far ahead is said by its row, and makes no object; run now, it waits no more", async () => {
    const job = await newJob(account, {
      scheduled_for: iso(NOON + 2 * DAY),
      handler: "work",
      delivery: { type: "pull" },
    });
    const asked = [vi.spyOn(env.JOBS, "getByName"), vi.spyOn(env.PULL_QUEUES, "getByName")];
    expectOn(await waitingOn(job), { reason: "not_due", since: iso(NOON), until: iso(NOON + 2 * DAY) });
    for (const spy of asked) expect(spy).not.toHaveBeenCalled();
    await job.run();
    expectOn(await waitingOn(job), { reason: "not_due", message: expect.stringContaining("about to start") });
    await job.ring();
    expect(await reasonOf(job)).toBe("no_worker");
  });
});

describe("backoff", () => {
  it("from the failure to the next attempt, and nothing once that has succeeded", async () => {
    receiver.answers(503, 200);
    const job = await newJob(account);
    await job.ring();
    const { run_at } = await job.show();
    expectOn(await waitingOn(job), {
      reason: "backoff",
      since: iso(NOON),
      until: run_at,
      message: expect.stringMatching(/^Attempt 1 failed \(http_status: .*503.*\)\. Attempt 2 starts at /),
    });
    await job.ringWhenSet();
    expect(await waitingOn(job)).toBeNull();
    expect(await job.show()).toMatchObject({ status: "completed" });
  });
});

describe("no_worker", () => {
  it("of a handler that nobody has ever asked for, until a worker takes the job", async () => {
    const [job] = [await queuedJob(account), await queuedJob(account)];
    expectOn(await waitingOn(job), {
      reason: "no_worker",
      since: iso(NOON),
      until: null,
      message: expect.stringMatching(
        /^No worker has asked for `work` in the last 7 days; 2 jobs wait\. Start a worker/,
      ),
    });
    const taken = (await claim(account, { max_jobs: 9 })).body.data;
    expect(taken).toHaveLength(2);
    expect(await waitingOn(job)).toBeNull();
  });

  it("after a minute without a poll, and not a millisecond earlier; the next poll resolves it", async () => {
    await poll();
    const job = await queuedJob(account);
    setClock(NOON + MINUTE - 1);
    expect(await reasonOf(job)).toBe("waiting_for_worker");
    setClock(NOON + MINUTE);
    expectOn(await waitingOn(job), {
      reason: "no_worker",
      message: expect.stringMatching(/^No worker has asked for `work` since 2030-01-01 12:00:00 UTC; 1 job waits\./),
    });
    await queue().dueTimes(1); // a claim for several handlers asks this first
    expect(await reasonOf(job)).toBe("waiting_for_worker");
  });

  it("is not said for the polls of another handler, or of another account", async () => {
    const job = await queuedJob(account);
    await poll("another");
    await claim(await newAccount(), {});
    expect(await reasonOf(job)).toBe("no_worker");
  });

  it("is not said too early after the loss of PullQueue's instance", async () => {
    await poll();
    advance(29 * SECOND);
    await poll(); // not written any more
    const job = await queuedJob(account);
    await evictDurableObject(queue());
    setClock(NOON + 89 * SECOND);
    expect(await reasonOf(job)).toBe("waiting_for_worker");
    advance(SECOND);
    expect(await reasonOf(job)).toBe("no_worker");
  });

  it("names the moment at which the job expires, and ends with it", async () => {
    const job = await newJob(account, {
      handler: "work",
      delivery: { type: "pull" },
      expires_after: { value: 1, unit: "hour" },
    });
    await job.ring();
    expectOn(await waitingOn(job), { until: iso(NOON + HOUR), message: expect.stringContaining("`expired`") });
    advance(HOUR);
    expect(await waitingOn(job)).toBeNull();
    expect(await job.show()).toMatchObject({ status: "failed", last_error: { code: "expired" } });
  });
});

describe("waiting_for_worker", () => {
  it("while workers ask, and until one takes it", async () => {
    const first = await queuedJob(account);
    advance(SECOND);
    const job = await queuedJob(account);
    await queue().dueTimes(1);
    expectOn(await waitingOn(job), {
      reason: "waiting_for_worker",
      since: iso(NOON + SECOND),
      until: null,
      message: expect.stringMatching(/2 jobs wait, the oldest since 2030-01-01 12:00:00 UTC\./),
    });
    expect((await poll()).body.data).toMatchObject({ job_id: first.id });
    expectOn(await waitingOn(job), { message: expect.stringContaining("; 1 job waits.") });
    await poll();
    expect(await waitingOn(job)).toBeNull();
  });

  it("is answered within a second when PullQueue is silent, and says that it could not be asked", async () => {
    const job = await queuedJob(account);
    const hurried = hurry();
    const around = { PULL_QUEUES: { getByName: () => ({ view: () => new Promise(() => {}) }) } };
    expectOn(await waitingOn(job, around), {
      reason: "waiting_for_worker",
      since: iso(NOON),
      message: expect.stringContaining("could not be found out in time"),
    });
    hurried.end();
  });

  it("of a named queue that has taken it, until its consumer starts it", async () => {
    bind();
    const job = await imageJob();
    await job.ring();
    expectOn(await waitingOn(job), { reason: "waiting_for_worker", message: expect.stringContaining("its consumer") });
    const [execution] = await job.executions();
    await must(
      api("POST", `/v1/worker/jobs/${job.id}/start`, { key: account.key, body: { execution_id: execution?.id } }),
    );
    expect(await waitingOn(job)).toBeNull();
  });
});

/** Binds the queue `images` to the service. @returns what is sent to it */
function bind(): unknown[] {
  const sent: unknown[] = [];
  Object.assign(env, { QUEUE_IMAGES: { send: async (message: unknown) => void sent.push(message) } });
  return sent;
}
const unbind = () => Reflect.deleteProperty(env, "QUEUE_IMAGES");
afterEach(unbind);

const imageJob = () => newJob(account, { handler: "work", delivery: { type: "pull", queue: "images" } });

describe("queue_not_bound", () => {
  it("of a queue whose binding is gone, until it is bound again and the job is sent", async () => {
    bind();
    const job = await imageJob();
    unbind();
    await job.ring();
    expectOn(await waitingOn(job), {
      reason: "queue_not_bound",
      since: iso(NOON),
      until: null,
      message: expect.stringMatching(
        /^Queue `images` is not bound to this service: bind it as QUEUE_IMAGES and deploy\./,
      ),
    });
    const sent = bind();
    expectOn(await waitingOn(job), { reason: "overdue", until: iso(NOON + 30 * SECOND) });
    await job.ringAt(NOON + 30 * SECOND);
    expect(sent).toHaveLength(1);
    expect(await reasonOf(job)).toBe("waiting_for_worker");
  });

  it("of one that was unbound after it took the job, until the job is cancelled", async () => {
    bind();
    const job = await imageJob();
    await job.ring();
    unbind();
    expectOn(await waitingOn(job), {
      reason: "queue_not_bound",
      message: expect.stringContaining("was sent to the queue"),
    });
    await job.cancel();
    expect(await waitingOn(job)).toBeNull();
  });
});

describe("account_suspended", () => {
  it("between the resume and the job's next look, since it was due; then the job runs", async () => {
    const job = await newJob(account);
    await suspend(account);
    advance(SECOND);
    await job.ring();
    expect((await get(job)).status).toBe(403);
    await resume(account);
    const looksAt = NOON + SECOND + MINUTE + 500;
    expectOn(await waitingOn(job), {
      reason: "account_suspended",
      since: iso(NOON),
      until: iso(looksAt),
      message: expect.stringContaining("It looks again at 2030-01-01 12:01:01 UTC"),
    });
    await job.ringAt(looksAt);
    expect(await waitingOn(job)).toBeNull();
    expect(await job.show()).toMatchObject({ status: "completed" });
  });

  it("is resolved at once by the call that its message names", async () => {
    const job = await newJob(account);
    await suspend(account);
    await job.ring();
    await resume(account);
    expectOn(await waitingOn(job), { message: expect.stringContaining(`\`POST /v1/jobs/${job.id}/run\``) });
    await must(job.run());
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed" });
  });
});

describe("overdue", () => {
  it("of a job whose alarm does not ring, after a few seconds of grace", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + MINUTE) });
    setClock(NOON + MINUTE + 4_999);
    expect(await reasonOf(job)).toBe("not_due");
    advance(1);
    expectOn(await waitingOn(job), { reason: "overdue", since: iso(NOON + MINUTE), until: null });
    await job.ring();
    expect(await waitingOn(job)).toBeNull();
  });

  it("of a job that was never armed is said by its row", async () => {
    const job = await unarmedJob(account);
    advance(MINUTE);
    expectOn(await waitingOn(job), { reason: "overdue", since: iso(NOON) });
    await job.owner.wake(job.ref);
    await job.ring();
    expect(await waitingOn(job)).toBeNull();
  });

  it("of a queued job that its PullQueue has lost, until it is offered again", async () => {
    const job = await queuedJob(account);
    const [execution] = await job.executions();
    await queue().remove([{ jobId: job.id, executionId: execution?.id ?? "", dueAt: NOON }]);
    advance(5 * SECOND);
    await poll();
    expectOn(await waitingOn(job), { reason: "overdue", since: iso(NOON), until: iso(NOON + MINUTE) });
    await job.ringAt(NOON + MINUTE);
    await queue().dueTimes(1);
    expect(await reasonOf(job)).toBe("waiting_for_worker");
  });

  it("of a request that cannot be signed", async () => {
    const job = await newJob(account);
    const key = env.MASTER_KEY;
    Object.assign(env, { MASTER_KEY: "" });
    await job.ring();
    Object.assign(env, { MASTER_KEY: key });
    expectOn(await waitingOn(job), { reason: "overdue", until: iso(NOON + MINUTE) });
    expectOn(await waitingOn(job), { message: expect.stringContaining("cannot be signed") });
    await job.ringWhenSet();
    expect(await waitingOn(job)).toBeNull();
  });
});

describe("a job that is read", () => {
  it("while it runs, and once it has ended, waits on nothing", async () => {
    const held = receiver.holds();
    const job = await newJob(account);
    const ring = job.ring();
    await held.arrived();
    expect(await must(get(job))).toMatchObject({ status: "running", waiting_on: null });
    held.release(200);
    await ring;
    expect(await must(get(job))).toMatchObject({ status: "completed", waiting_on: null });
  });

  it("asks PullQueue only while it is queued for a worker", async () => {
    const counted = new CountedQueues();
    const push = await newJob(account, { scheduled_for: iso(NOON + MINUTE) });
    await waitingOn(push, counted);
    const job = await queuedJob(account);
    expect(counted.calls.view).toBe(0);
    await waitingOn(job, counted);
    await poll();
    await waitingOn(job, counted);
    expect(counted.calls.view).toBe(1);
  });

  it("says what it waits on while the database is down", async () => {
    const job = await queuedJob(account);
    const outage = databaseDown();
    expect(await reasonOf(job)).toBe("no_worker");
    outage.end();
  });

  it("of an owner or a PullQueue of an older deployment is answered without what that does not tell", async () => {
    const job = await queuedJob(account);
    const { wait: _, ...view } = (await job.owner.get()) ?? {};
    const JOBS = { getByName: () => ({ get: async () => view }) };
    expect(await must(get(job, { JOBS }))).toMatchObject({ status: "queued", waiting_on: null });
    const PULL_QUEUES = { getByName: () => ({}) };
    expect(await reasonOf(job, { PULL_QUEUES })).toBe("waiting_for_worker");
  });

  it("says it nowhere else: neither in lists nor in the answer to a change", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const [listed] = await must(api<object[]>("GET", "/v1/jobs", { key: account.key }));
    expect(listed).not.toHaveProperty("waiting_on");
    expect(await must(job.edit({ name: "new" }))).not.toHaveProperty("waiting_on");
  });
});
