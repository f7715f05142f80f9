// Workers that poll (contract §5), in real time: who gets a job, how long it stays theirs, and what becomes of a report.

import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Claimed, Tenant } from "../harness/tenant.ts";

let service: Service;
beforeAll(async () => {
  service = await sharedService();
});

interface Heartbeat {
  readonly lease_expires_at: string;
  readonly cancel_requested: boolean;
}

const LEASE_LOST = { status: 409, body: { code: "lease_lost" } };

/** A job that waits for a worker. */
async function queued(tenant: Tenant, more: object = {}) {
  const { id } = await tenant.create({ handler: "h", ...more });
  return tenant.whenIt("queued", id);
}

/** By then the service knows of any client that it has gone (http/long-answer.ts). */
const NEWS_MS = 1_500;

/** A poll that is given up by its client; resolves once it has been. */
async function abandonedPoll(tenant: Tenant, afterMs: number): Promise<void> {
  const body = { handlers: ["h"], wait_time_seconds: 20 };
  const leaving = AbortSignal.timeout(afterMs);
  await expect(tenant.call("POST", "/v1/worker/jobs/claim", body, leaving)).rejects.toThrow();
}

it.concurrent("hands each job to a poll that waits for it, and not before its time", async () => {
  const tenant = await service.newTenant();
  const first = Date.now() + 3_000;
  const times = [0, 1, 2, 3, 4].map((i) => new Date(first + i * 300).toISOString());
  await Promise.all(times.map((scheduled_for) => tenant.create({ handler: "h", scheduled_for })));
  const poll = async () => {
    const { scheduled_for } = await tenant.mustClaim("h");
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(scheduled_for));
    return scheduled_for;
  };
  expect((await Promise.all(times.map(poll))).sort()).toEqual(times);
});

it.concurrent("gives what a worker needs, and null to a poll in whose time nothing was due", async () => {
  const tenant = await service.newTenant();
  const from = Date.now();
  expect(await tenant.claim("h", 1)).toBeNull();
  expect(Date.now() - from).toBeGreaterThanOrEqual(1_000);
  const job = await tenant.create({ handler: "h", payload: { to: "ada" }, timeout: 60 });
  const claimed = await tenant.mustClaim("h");
  const [execution] = await tenant.executions(job.id);
  expect(claimed).toEqual({
    job_id: job.id,
    execution_id: execution?.id,
    handler: "h",
    attempt: 1,
    scheduled_for: job.scheduled_for,
    payload: { to: "ada" },
    timeout: 60,
    lease_expires_at: new Date(Date.parse(execution?.started_at ?? "") + 60_000).toISOString(),
  });
  expect((await tenant.job(job.id)).status).toBe("running");
});

it.concurrent("never gives one job to two of ten pollers", async () => {
  const tenant = await service.newTenant();
  const creators = [tenant, await tenant.anotherKey()];
  const taken: Claimed[] = [];
  const poller = async () => {
    for (let claimed = await tenant.claim("h", 5); claimed; claimed = await tenant.claim("h", 2)) {
      taken.push(claimed);
      expect((await tenant.say("complete", claimed, { result: claimed.job_id })).status).toBe(200);
    }
  };
  const pollers = Array.from({ length: 10 }, poller);
  const create = (i: number) => creators[i % 2]?.create({ handler: "h" });
  const jobs = await Promise.all(Array.from({ length: 100 }, (_, i) => create(i)));
  await Promise.all(pollers);
  expect(taken.map(({ job_id }) => job_id).sort()).toEqual(jobs.map((job) => job?.id).sort());
  expect(taken.every(({ attempt }) => attempt === 1)).toBe(true);
});

it.concurrent("lets a poll whose client has gone take nothing with it", async () => {
  const tenant = await service.newTenant();
  await Promise.all([100, 200, 300].map((afterMs) => abandonedPoll(tenant, afterMs)));
  await sleep(NEWS_MS);
  const job = await tenant.create({ handler: "h" });
  const claimed = await tenant.mustClaim("h");
  expect(claimed).toMatchObject({ job_id: job.id, attempt: 1 });
  expect((await tenant.say("complete", claimed)).status).toBe(200);
  expect(await tenant.job(job.id)).toMatchObject({ status: "completed", attempts: 1, last_error: null });
  expect(await tenant.executions(job.id)).toHaveLength(1);
});

it.concurrent("gives nothing to a client that left a moment ago, before the service has heard of it", async () => {
  const tenant = await service.newTenant();
  const rounds = [1_100, 1_150, 1_200, 1_300].map(async (afterMs) => {
    const handler = `left-${afterMs}`;
    const body = { handlers: [handler], wait_time_seconds: 20 };
    const poll = tenant.call("POST", "/v1/worker/jobs/claim", body, AbortSignal.timeout(afterMs));
    await expect(poll).rejects.toThrow();
    await sleep(150);
    await tenant.create({ handler });
    expect(await tenant.mustClaim(handler)).toMatchObject({ attempt: 1 });
  });
  await Promise.all(rounds);
});

// Nobody can know whether an answer on its way still finds its client: then the lease runs out, as for any dead worker.
it.concurrent("loses no job to a client that goes about when it is due, and no retry to one that had gone", async () => {
  const tenant = await service.newTenant();
  const rounds = [0, 5, 10, 15, 20, 30, 40, 60].map(async (afterMs, i) => {
    const handler = `h${i}`;
    const dueAt = Date.now() + 4_000;
    const { id } = await tenant.create({ handler, timeout: 10, scheduled_for: new Date(dueAt).toISOString() });
    const body = { handlers: [handler], wait_time_seconds: 20 };
    const leaving = AbortSignal.timeout(Math.max(1, dueAt + afterMs - Date.now()));
    const answer = await tenant.call<Claimed>("POST", "/v1/worker/jobs/claim", body, leaving).catch(() => null);
    const leftAt = Date.now();
    const claimed = answer?.body.data ?? (await tenant.mustClaim(handler));
    expect(claimed.job_id).toBe(id);
    const { status, body: said } = await tenant.say("complete", claimed);
    expect([status, said.code]).toEqual([200, undefined]);
    const [first] = await tenant.executions(id);
    // Leased while it was still there, or in the moment that the news took.
    if (claimed.attempt > 1) expect(Date.parse(first?.started_at ?? "")).toBeLessThan(leftAt + 100);
  });
  await Promise.all(rounds);
});

it.concurrent("never hands out a job that was cancelled while it was queued", async () => {
  const tenant = await service.newTenant();
  const cancelled = await queued(tenant);
  const kept = await queued(tenant);
  await tenant.post(`/v1/jobs/${cancelled.id}/cancel`);
  expect(await tenant.claim("h", 5)).toMatchObject({ job_id: kept.id });
  expect(await tenant.claim("h", 1)).toBeNull();
  expect(await tenant.job(cancelled.id)).toMatchObject({ status: "cancelled", attempts: 0 });
  const [execution] = await tenant.executions(cancelled.id);
  const stale = { job_id: cancelled.id, execution_id: execution?.id ?? "" };
  expect(await tenant.say("start", stale)).toMatchObject(LEASE_LOST);
});

it.concurrent("times a silent worker out, tries again, and refuses its late report", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.create({ handler: "h", timeout: 8, max_retries: 1 });
  const first = await tenant.mustClaim("h");
  const second = await tenant.mustClaim("h");
  expect([second.job_id, second.attempt]).toEqual([id, 2]);
  const read = () => Promise.all([tenant.job(id), tenant.executions(id)]);
  const before = await read();
  const late = (["complete", "fail", "heartbeat", "start"] as const).map((what) => tenant.say(what, first));
  for (const answer of await Promise.all(late)) expect(answer).toMatchObject(LEASE_LOST);
  expect(await read()).toEqual(before);
  expect(await tenant.say("complete", second, { result: "the second" })).toMatchObject({ status: 200 });
  expect(await tenant.job(id)).toMatchObject({ status: "completed", attempts: 2, result: "the second" });
  expect(await tenant.executions(id)).toMatchObject([
    { attempt: 1, trigger: "scheduled", status: "timed_out", error: { code: "lease_expired" }, result: null },
    { attempt: 2, trigger: "system_retry", status: "completed", result: "the second" },
  ]);
});

it.concurrent("answers a repeated report like the first, and refuses the other kind", async () => {
  const tenant = await service.newTenant();
  const [completed, failed] = [
    await tenant.create({ handler: "completes" }),
    await tenant.create({ handler: "fails", max_retries: 0 }),
  ];
  const [completing, failing] = [await tenant.mustClaim("completes"), await tenant.mustClaim("fails")];

  for (const _ of [1, 2, 3])
    expect(await tenant.say("complete", completing, { result: 1 })).toMatchObject({ status: 200 });
  expect(await tenant.say("fail", completing)).toMatchObject(LEASE_LOST);
  expect(await tenant.job(completed.id)).toMatchObject({ status: "completed", result: 1, attempts: 1 });

  for (const _ of [1, 2, 3]) expect(await tenant.say("fail", failing)).toMatchObject({ status: 200 });
  expect(await tenant.say("complete", failing)).toMatchObject(LEASE_LOST);
  expect(await tenant.job(failed.id)).toMatchObject({ status: "failed", attempts: 1 });
});

it.concurrent("retries what a worker failed, unless the worker says it is of no use", async () => {
  const tenant = await service.newTenant();
  const [again, never] = [await tenant.create({ handler: "again" }), await tenant.create({ handler: "never" })];
  const error = { message: "no such user", name: "UserError" };
  const refused = await tenant.say("fail", await tenant.mustClaim("again"), { error });
  expect(refused.body.data).toMatchObject({ status: "retrying", last_error: { code: "handler_error" } });
  const final = await tenant.say("fail", await tenant.mustClaim("never"), { error, retryable: false });
  expect(final.body.data).toMatchObject({ status: "failed", run_at: null });
  expect(await tenant.mustClaim("again")).toMatchObject({ job_id: again.id, attempt: 2 });
  expect(await tenant.executions(never.id)).toHaveLength(1);
});

it.concurrent("keeps a lease beyond its timeout for a worker whose heart beats", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.create({ handler: "h", timeout: 8, max_retries: 0 });
  const claimed = await tenant.mustClaim("h");
  let leaseEndsAt = Date.parse(claimed.lease_expires_at);
  for (let beat = 0; beat < 5; beat++) {
    await sleep(2_000);
    const { status, body } = await tenant.say<Heartbeat>("heartbeat", claimed);
    expect([status, body.data]).toEqual([200, { lease_expires_at: expect.any(String), cancel_requested: false }]);
    expect(Date.parse(body.data.lease_expires_at)).toBeGreaterThan(leaseEndsAt);
    leaseEndsAt = Date.parse(body.data.lease_expires_at);
  }
  expect(Date.now()).toBeGreaterThan(Date.parse(claimed.lease_expires_at) + 1_000);
  expect((await tenant.say("complete", claimed)).status).toBe(200);
  expect(await tenant.job(id)).toMatchObject({ status: "completed", attempts: 1 });
});

it.concurrent("tells a running worker by its heartbeat that the job was cancelled", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.create({ handler: "h" });
  const claimed = await tenant.mustClaim("h");
  await tenant.post(`/v1/jobs/${id}/cancel`);
  const beat = await tenant.say("heartbeat", claimed);
  expect([beat.status, beat.body.data]).toEqual([200, { lease_expires_at: null, cancel_requested: true }]);
  expect(await tenant.say("complete", claimed)).toMatchObject(LEASE_LOST);
  expect(await tenant.job(id)).toMatchObject({ status: "cancelled", result: null });
  expect(await tenant.executions(id)).toMatchObject([{ status: "cancelled" }]);
});

it.concurrent("serves the job that has been due longest first, across the handlers a poll names", async () => {
  const tenant = await service.newTenant();
  const first = await queued(tenant, { handler: "b" });
  const second = await queued(tenant, { handler: "a" });
  const poll = () =>
    tenant.post<Claimed>("/v1/worker/jobs/claim", { handlers: ["a", "b"], wait_time_seconds: 5, worker_id: "w1" });
  expect([(await poll()).job_id, (await poll()).job_id]).toEqual([first.id, second.id]);
  expect(await tenant.executions(first.id)).toMatchObject([{ worker_id: "w1", status: "running" }]);
});
