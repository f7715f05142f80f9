// Schedules in real time: exactly one job per tick, on the same path as everyone's jobs (contract §6).

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Job, Schedule, Tenant } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

const everySeconds = (value: number) => ({ name: "a schedule", interval: { value, unit: "second" } });

const jobsOf = (tenant: Tenant, scheduleId: string | null) =>
  tenant.get<Job[]>(`/v1/jobs?schedule_id=${scheduleId}&size=100`);

it.concurrent("makes exactly five jobs of an interval of two seconds with five runs, and counts what it missed", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  const schedule = { ...everySeconds(2), ...target.delivery(), runs: 5, payload: { from: "the schedule" } };
  const { id, created_at } = await tenant.post<Schedule>("/v1/schedules", schedule);
  const oneOff = await tenant.create({ handler: "h", delay: { value: 1, unit: "hour" } });
  await target.receives(5, 30_000);
  const read = () => tenant.get<Schedule>(`/v1/schedules/${id}`);
  await until(
    async () => (await read()).status !== "active",
    15_000,
    () => "The schedule does not end",
    250,
  );
  const ended = await read();
  expect(ended).toMatchObject({ status: "completed", run_count: 5, next_run_at: null });

  const ticks = (await jobsOf(tenant, id)).reverse();
  const times = ticks.map(({ scheduled_for }) => Date.parse(scheduled_for));
  const runs = times.map((at) => (at - Date.parse(created_at)) / 2_000);
  expect(runs).toHaveLength(5);
  // On an idle machine 1, 2, 3, 4, 5: a busy one may be too late for a tick.
  expect(runs).toEqual([...new Set(runs.map(Math.round))].sort((a, b) => a - b));
  expect(runs.at(-1)).toBe(5 + ended.missed_runs);
  expect(ticks.map(({ idempotency_key }) => idempotency_key)).toEqual(times.map((at) => `${id}.${at}`));
  expect(ticks.every(({ schedule_id }) => schedule_id === id)).toBe(true);
  expect(target.deliveries.map(({ json }) => json.job_id)).toEqual(ticks.map((job) => job.id));
  for (const { at, json } of target.deliveries) {
    const index = target.deliveries.findIndex((one) => one.at === at);
    expect(at).toBeGreaterThanOrEqual(times[index] ?? 0);
    expect(json.payload).toEqual({ from: "the schedule" });
  }
  expect((await jobsOf(tenant, null)).map((job) => job.id)).toEqual([oneOff.id]);
  expect(await tenant.get<Job[]>("/v1/jobs")).toHaveLength(6);
});

it.concurrent("cancels the waiting jobs of a schedule that is archived, and makes no more", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.post<Schedule>("/v1/schedules", { ...everySeconds(1), handler: "tick" });
  const bystander = await tenant.create({ handler: "tick" });
  const made = async () => (await jobsOf(tenant, id)).length >= 2;
  await until(made, 30_000, () => "The schedule made no jobs", 250);
  const archived = await tenant.post<Schedule>(`/v1/schedules/${id}/archive`);
  expect(archived).toMatchObject({ status: "archived", next_run_at: null });

  const jobs = await jobsOf(tenant, id);
  const present = await Promise.all(jobs.map((job) => tenant.job(job.id)));
  expect(new Set(present.map(({ status }) => status))).toEqual(new Set(["cancelled"]));
  expect(await tenant.claim("tick", 3)).toMatchObject({ job_id: bystander.id });
  expect(await jobsOf(tenant, id)).toHaveLength(jobs.length);
  const change = await tenant.call("PATCH", `/v1/schedules/${id}`, { name: "again" });
  expect(change).toMatchObject({ status: 409, body: { code: "schedule_archived" } });
});

it.concurrent("takes a change from the next run on, and misses none for it", async () => {
  const tenant = await service.newTenant();
  const [before, after] = [receiver.target(), receiver.target()];
  const made = { ...everySeconds(1), ...before.delivery() };
  const { id, created_at } = await tenant.post<Schedule>("/v1/schedules", made);
  await before.receives(1);
  expect((await tenant.call("PATCH", `/v1/schedules/${id}`, after.delivery())).status).toBe(200);
  await after.receives(2);
  await tenant.post(`/v1/schedules/${id}/archive`);
  const jobs = await jobsOf(tenant, id);
  const { missed_runs } = await tenant.get<Schedule>(`/v1/schedules/${id}`);
  const ticks = (Date.parse(jobs[0]?.scheduled_for ?? "") - Date.parse(created_at)) / 1_000;
  expect(jobs.length + missed_runs).toBe(ticks); // none is missed unless the machine is very busy
  const runs = [...before.deliveries, ...after.deliveries].map(({ json }) => json.job_id);
  expect(new Set(runs).size).toBe(runs.length);
});

it.concurrent("makes no job while it is paused but those that are triggered, and goes on in its grid", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  const { id, created_at } = await tenant.post<Schedule>("/v1/schedules", { ...everySeconds(1), ...target.delivery() });
  await target.receives(1);
  const paused = await tenant.post<Schedule>(`/v1/schedules/${id}/pause`);
  expect(paused).toMatchObject({ status: "paused", next_run_at: null });
  const triggered = await tenant.post<Job>(`/v1/schedules/${id}/trigger`);
  await tenant.whenIt("completed", triggered.id);
  await sleep(2_500); // two ticks of a pause go by
  const resumed = await tenant.post<Schedule>(`/v1/schedules/${id}/resume`);
  const [from, to] = [Date.parse(paused.updated_at), Date.parse(resumed.updated_at)];
  expect(resumed).toMatchObject({ status: "active", missed_runs: paused.missed_runs });
  await until(
    async () => Date.parse((await tenant.get<Schedule>(`/v1/schedules/${id}`)).last_run_at ?? created_at) > to,
    15_000,
    () => "The schedule does not go on",
    250,
  );
  await tenant.post(`/v1/schedules/${id}/archive`);
  const ticks = (await jobsOf(tenant, id)).filter((job) => job.id !== triggered.id);
  const times = ticks.map(({ scheduled_for }) => Date.parse(scheduled_for));
  expect(times.filter((at) => at > from && at <= to)).toEqual([]);
  expect(times.map((at) => (at - Date.parse(created_at)) % 1_000)).toEqual(times.map(() => 0));
});

it.concurrent("with `skip` makes one job at a time, and one schedule for one idempotency key", async () => {
  const tenant = await service.newTenant();
  const schedule = { ...everySeconds(1), handler: "slow", overlap: "skip", idempotency_key: "one" };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => tenant.call<Schedule>("POST", "/v1/schedules", schedule)),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(9).fill(409)]);
  const ids = new Set(answers.map(({ body }) => body.data.id));
  expect(ids.size).toBe(1);
  const [id = ""] = ids;
  const read = () => tenant.get<Schedule>(`/v1/schedules/${id}`);
  const skips = async (more: number) => {
    const { skipped_runs } = await read();
    await until(
      async () => (await read()).skipped_runs >= skipped_runs + more,
      30_000,
      () => "No run is skipped",
      250,
    );
  };
  await skips(2);
  expect(await jobsOf(tenant, id)).toHaveLength(1);
  expect((await tenant.say("complete", await tenant.mustClaim("slow"))).status).toBe(200);
  await until(
    async () => (await read()).run_count === 2,
    15_000,
    () => "The next run makes no job",
    250,
  );
  await skips(1);
  expect(await read()).toMatchObject({ run_count: 2 });
  expect(await jobsOf(tenant, id)).toHaveLength(2);
  await tenant.post(`/v1/schedules/${id}/archive`);
});
