// A deployment reaches Workers and objects at different moments: for a while old code speaks to new code. What one side
// does not know yet is refused with 503, to be tried again, and changes nothing.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type JobSpec, specOf } from "../../../src/domain/job.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { HOUR, iso, NOON } from "../../workerd/harness/clock.ts";
import { JobUnderTest, newJob, PUSH, unarmedJob } from "../../workerd/harness/job.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { newSchedule } from "../../workerd/schedules/schedule.ts";

const IN_AN_HOUR = { scheduled_for: iso(NOON + HOUR) };

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

type Calls = Record<string, (...told: unknown[]) => Promise<unknown>>;

/** Objects of yesterday: every method we call is one that they do not have. */
const yesterdays = (objects: { getByName(name: string): unknown }) => ({
  getByName: (name: string) =>
    new Proxy({} as Calls, {
      get:
        (_, method: string) =>
        (...told: unknown[]) =>
          (objects.getByName(name) as Calls)[`${method}OfTomorrow`]?.(...told),
    }),
});

describe("a Worker of today and objects of yesterday", () => {
  const around = () => ({ JOBS: yesterdays(env.JOBS), SCHEDULES: yesterdays(env.SCHEDULES) });

  it.each(["/cancel", "/retry"])("POST /v1/jobs/:id%s is 503, and the job goes on", async (action) => {
    const job = await newJob(account, IN_AN_HOUR);
    const path = `/v1/jobs/${job.id}${action}`;
    const { status, headers, body } = await api("POST", path, { key: account.key, env: around() });
    expect([status, body.code]).toEqual([503, "unavailable"]);
    expect(Number(headers.get("Retry-After"))).toBeGreaterThan(0);
    await job.ringAt(NOON + HOUR);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it.each(["start", "heartbeat", "complete", "fail"])("a worker's %s is 503, and may be said again", async (word) => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
    await job.ring();
    const execution_id = (await job.executions())[0]?.id;
    const body = { execution_id, ...(word === "fail" && { error: { message: "x" } }) };
    const say = (objects?: object) =>
      api("POST", `/v1/worker/jobs/${job.id}/${word}`, { key: account.key, body, ...(objects && { env: objects }) });
    if (word !== "start")
      await api("POST", `/v1/worker/jobs/${job.id}/start`, { key: account.key, body: { execution_id } });
    expect((await say(around())).status).toBe(503);
    expect((await say()).status).toBe(200);
  });

  it("a change of a schedule and its archiving are 503, and it stays as it is", async () => {
    const schedule = await newSchedule(account);
    const before = await schedule.stored();
    for (const [method, action, body] of [
      ["PATCH", "", { name: "new" }],
      ["POST", "/archive", undefined],
    ] as const) {
      const call = { key: account.key, body, env: around() };
      expect((await api(method, `/v1/schedules/${schedule.id}${action}`, call)).status).toBe(503);
    }
    expect(await schedule.stored()).toEqual(before);
  });

  it("a new job whose owner cannot be armed yet is 201: its row is taken up", async () => {
    const made = await api<{ id: string }>("POST", "/v1/jobs", {
      key: account.key,
      body: { name: "a job", delivery: PUSH },
      env: around(),
    });
    expect(made.status).toBe(201);
    const job = new JobUnderTest(account, made.body.data.id);
    await job.owner.wake(job.ref);
    await job.ring();
    expect(receiver.received).toHaveLength(1);
  });
});

describe("owners of today and a projector of yesterday", () => {
  it("report all the same: they write their row themselves", async () => {
    const projectors = yesterdays(env.PROJECTORS) as unknown as typeof env.PROJECTORS;
    vi.spyOn(env.PROJECTORS, "getByName").mockImplementation((name) => projectors.getByName(name));
    const job = await newJob(account);
    await job.ring();
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 1 });
    expect(await job.isEmpty()).toBe(true);
  });
});

describe("a Worker of tomorrow and objects of today", () => {
  it("an arm that says more than they know makes the same job", async () => {
    const [job, other] = [await unarmedJob(account), await newJob(account)];
    const known = await other.stored();
    if (!known) throw new Error("there is none");
    const spec: JobSpec = { ...specOf(known), id: job.id };
    const more = { priority: 9, labels: { team: "growth" } };
    await job.owner.arm({ ...spec, ...more }, { signingVersion: 1, overlapEndsAt: null, ...more } as never);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
    expect(await job.show()).not.toHaveProperty("priority");
    expect(receiver.received).toHaveLength(1);
  });
});
