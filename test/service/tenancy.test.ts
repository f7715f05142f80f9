// What belongs to one account does not exist for another (contract §1): the same 404 as for an id that nobody holds,
// nothing in any list, and nothing changed.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { hang, Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Claimed, Envelope, Schedule, Tenant } from "../harness/tenant.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

type Call = [method: string, path: string, body?: object];

const onJob = (id: string, execution_id: string): Call[] => [
  ["GET", `/v1/jobs/${id}`],
  ["GET", `/v1/jobs/${id}/executions`],
  ["POST", `/v1/jobs/${id}/cancel`],
  ["POST", `/v1/jobs/${id}/retry`],
  ["POST", `/v1/worker/jobs/${id}/start`, { execution_id }],
  ["POST", `/v1/worker/jobs/${id}/heartbeat`, { execution_id }],
  ["POST", `/v1/worker/jobs/${id}/complete`, { execution_id, result: "stolen" }],
  ["POST", `/v1/worker/jobs/${id}/fail`, { execution_id, error: { message: "sabotage" } }],
];

const onSchedule = (id: string): Call[] => [
  ["GET", `/v1/schedules/${id}`],
  ["GET", `/v1/schedules/${id}/preview`],
  ["PATCH", `/v1/schedules/${id}`, { name: "mine now" }],
  ["POST", `/v1/schedules/${id}/archive`],
];

async function expectHidden(stranger: Tenant, calls: Call[], nobodys: Call[]): Promise<void> {
  const ask = (all: Call[]) => Promise.all(all.map(([method, path, body]) => stranger.call(method, path, body)));
  const [theirs, unknown] = await Promise.all([ask(calls), ask(nobodys)]);
  const shown = (answers: { status: number; body: Envelope<unknown> }[]) =>
    answers.map(({ status, body }, i) => [calls[i]?.slice(0, 2), status, body]);
  expect(theirs.map(({ status }) => status)).toEqual(calls.map(() => 404));
  expect(shown(theirs)).toEqual(shown(unknown));
}

/** A job in each state, with the execution it has, if any. */
async function jobsInEveryState(owner: Tenant): Promise<[jobId: string, executionId: string][]> {
  const later = { delay: { value: 1, unit: "hour" } };
  const [pending, cancelled, claimed, queued, running, failed] = await Promise.all([
    owner.create({ handler: "h", idempotency_key: "k", ...later }),
    owner.create({ handler: "h", ...later }),
    owner.create({ handler: "claimed", timeout: 300 }),
    owner.create({ handler: "h" }),
    owner.create({ ...receiver.target(hang).delivery(), timeout: 300 }),
    owner.create(receiver.target(404).delivery()),
  ]);
  const [{ execution_id }] = await Promise.all([
    owner.mustClaim("claimed"),
    owner.post(`/v1/jobs/${cancelled.id}/cancel`),
    owner.whenIt("queued", queued.id),
    owner.whenIt("running", running.id),
    owner.whenIt("failed", failed.id),
  ]);
  const executionOf = async (id: string) => (await owner.executions(id))[0]?.id ?? randomUUID();
  const others = [pending, cancelled, queued, running, failed].map(
    async ({ id }): Promise<[string, string]> => [id, await executionOf(id)],
  );
  return [[claimed.id, execution_id], ...(await Promise.all(others))];
}

it.concurrent("answers 404 on every path with another account's job, whatever state it is in", async () => {
  const [owner, stranger] = await Promise.all([service.newTenant("owner"), service.newTenant("stranger")]);
  const jobs = await jobsInEveryState(owner);
  const before = await Promise.all(jobs.map(([id]) => owner.job(id)));
  for (const [id, executionId] of jobs) {
    const asker = await stranger.anotherKey();
    await expectHidden(asker, onJob(id, executionId), onJob(randomUUID(), executionId));
  }
  expect(await Promise.all(jobs.map(([id]) => owner.job(id)))).toEqual(before);
});

it.concurrent("does not let an account report its own job by another account's execution", async () => {
  const [owner, stranger] = await Promise.all([service.newTenant("owner"), service.newTenant("stranger")]);
  const [theirs, own] = await Promise.all([owner.create({ handler: "h" }), stranger.create({ handler: "h" })]);
  const claimed = await owner.mustClaim("h");
  await stranger.mustClaim("h");
  const mixed = { job_id: own.id, execution_id: claimed.execution_id };
  expect(await stranger.say("complete", mixed)).toMatchObject({ status: 409, body: { code: "lease_lost" } });
  expect((await owner.say("complete", claimed)).status).toBe(200);
  expect((await owner.job(theirs.id)).status).toBe("completed");
});

it.concurrent("answers 404 on every path with another account's schedule, and leaves it as it is", async () => {
  const [owner, stranger] = await Promise.all([service.newTenant("owner"), service.newTenant("stranger")]);
  const daily = { name: "daily", handler: "h", cron: "0 9 * * *" };
  const { id } = await owner.post<Schedule>("/v1/schedules", daily);
  await expectHidden(stranger, onSchedule(id), onSchedule(randomUUID()));
  expect(await owner.get<Schedule>(`/v1/schedules/${id}`)).toMatchObject({ name: "daily", status: "active" });
});

it.concurrent("shows nothing of another account in any list, and gives none of its jobs to a worker", async () => {
  const [owner, stranger] = await Promise.all([service.newTenant("owner"), service.newTenant("stranger")]);
  await owner.post("/v1/schedules", { name: "daily", handler: "h", cron: "0 9 * * *" });
  const [job] = await Promise.all([
    owner.create({ handler: "h", idempotency_key: "k" }),
    owner.create({ handler: "h", delay: { value: 1, unit: "hour" } }),
  ]);
  await owner.whenIt("queued", job.id);
  const filters = ["", "?handler=h", "?idempotency_key=k", "?schedule_id=null", "?status=pending&status=queued"];
  const lists = ["/v1/schedules", "/v1/schedules?handler=h", ...filters.map((filter) => `/v1/jobs${filter}`)];
  for (const list of lists) {
    const { status, body } = await stranger.call<unknown[]>("GET", list);
    expect([list, status, body.data, body.meta.paging.total]).toEqual([list, 200, [], 0]);
  }
  expect(await stranger.claim("h", 0)).toBeNull();
  expect(await owner.claim("h", 1)).toMatchObject({ job_id: job.id });
});

it.concurrent("does not let an account delete another account's key", async () => {
  const [owner, stranger] = await Promise.all([service.newTenant("owner"), service.newTenant("stranger")]);
  const spare = await owner.post<{ id: string }>("/v1/api-keys", { name: "spare" });
  expect((await stranger.call("DELETE", `/v1/api-keys/${spare.id}`)).status).toBe(404);
  expect((await owner.call("DELETE", `/v1/api-keys/${spare.id}`)).status).toBe(200);
});

it.concurrent("answers an operator's paths to nobody else", async () => {
  const stranger = await service.newTenant("stranger");
  expect((await stranger.call("GET", "/v1/admin/accounts")).status).toBe(401);
  expect((await stranger.call("POST", `/v1/admin/accounts/${stranger.id}/suspend`)).status).toBe(401);
  const claimed: Claimed | null = await stranger.claim("h", 0);
  expect(claimed).toBeNull();
});
