// Another account's job does not exist (contract §1): every route answers as for an id that nobody holds, and nothing
// is changed or even stored.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { newJobId } from "../../src/objects/new-id.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, MINUTE } from "./harness/clock.ts";
import { type JobUnderTest, newJob, unarmedJob } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";

let owner: Account;
let stranger: Account;
beforeEach(async () => {
  owner = await newAccount("the owner");
  stranger = await newAccount("a stranger");
});

/** The states a job can be found in. */
const STATES: Record<string, () => Promise<JobUnderTest>> = {
  "that was never armed": () => unarmedJob(owner),
  "that waits": () => newJob(owner, { delay: { value: 1, unit: "day" } }),
  "that waits for a worker": async () => {
    const job = await newJob(owner, { handler: "h", delivery: { type: "pull" } });
    await job.ring();
    return job;
  },
  "that has failed": async () => {
    receiver.answers(400);
    const job = await newJob(owner);
    await job.ring();
    return job;
  },
  "that has completed and is forgotten by its owner": async () => {
    const job = await newJob(owner);
    await job.ring();
    advance(MINUTE);
    return job;
  },
};

const EXECUTION = "11111111-1111-4111-8111-111111111111";
const report = { execution_id: EXECUTION };

const ROUTES: [string, string, (id: string) => [string, string, unknown?]][] = [
  ["reading it", "job_not_found", (id) => ["GET", `/v1/jobs/${id}`]],
  ["its executions", "job_not_found", (id) => ["GET", `/v1/jobs/${id}/executions`]],
  ["cancel", "job_not_found", (id) => ["POST", `/v1/jobs/${id}/cancel`]],
  ["retry", "job_not_found", (id) => ["POST", `/v1/jobs/${id}/retry`]],
  ["start", "job_not_found", (id) => ["POST", `/v1/worker/jobs/${id}/start`, report]],
  ["complete", "job_not_found", (id) => ["POST", `/v1/worker/jobs/${id}/complete`, report]],
  ["fail", "job_not_found", (id) => ["POST", `/v1/worker/jobs/${id}/fail`, { ...report, error: { message: "x" } }]],
  ["heartbeat", "job_not_found", (id) => ["POST", `/v1/worker/jobs/${id}/heartbeat`, report]],
];

describe.each(Object.entries(STATES))("a job %s", (_, made) => {
  it.each(ROUTES)("is not there for another account: %s", async (_, code, route) => {
    const job = await made();
    const before = [await job.row(), await job.executionRows(), await job.stored(), await job.alarm()];
    const call = (id: string) => {
      const [method, path, body] = route(id);
      return api(method, path, { key: stranger.key, body });
    };
    const answer = await call(job.id);
    const nobodys = await call(newJobId(Date.now()));
    expect([answer.status, answer.body.code]).toEqual([404, code]);
    expect(answer.body).toEqual(nobodys.body);
    expect([await job.row(), await job.executionRows(), await job.stored(), await job.alarm()]).toEqual(before);
    const theirs = env.JOBS.getByName(`${stranger.id}/${job.id}`);
    const stored = await runInDurableObject(theirs, async (_, { storage }) => ({
      keys: [...storage.kv.list()],
      alarm: await storage.getAlarm(),
    }));
    expect(stored).toEqual({ keys: [], alarm: null });
  });
});

describe("an id that cannot be a job's", () => {
  const IMPOSSIBLE = "ffffffff-ffff-4fff-8fff-ffffffffffff";

  const ALL: typeof ROUTES = [
    ...ROUTES,
    [
      "a batch of reports",
      "job_not_found",
      (id) => ["POST", "/v1/worker/jobs/report", { reports: [{ ...report, job_id: id, status: "completed" }] }],
    ],
  ];

  it.each(ALL)("is not found, and no object is asked: %s", async (_, code, route) => {
    const asked: string[] = [];
    const getByName = (name: string) => {
      asked.push(name);
      return env.JOBS.getByName(name);
    };
    const [method, path, body] = route(IMPOSSIBLE);
    const answer = await api(method, path, { key: owner.key, body, env: { JOBS: { getByName } } });
    expect(answer.text).toContain(`"${code}"`);
    expect(asked).toEqual([]);
  });
});

describe("a list", () => {
  it("holds none of another account's jobs, whatever it is asked for", async () => {
    const job = await newJob(owner, { handler: "h", idempotency_key: "k" });
    const cursor = btoa("2.ffffffff-ffff-4fff-bfff-ffffffffffff").replaceAll("=", "");
    for (const query of [
      "",
      "?status=pending",
      "?handler=h",
      "?idempotency_key=k",
      "?schedule_id=null",
      "?created_after=2020-01-01T00:00:00Z",
      `?cursor=${cursor}`,
    ]) {
      const { body } = await api<unknown[]>("GET", `/v1/jobs${query}`, { key: stranger.key });
      expect([query, body.data, body.meta.paging.total]).toEqual([query, [], 0]);
    }
    expect((await api<unknown[]>("GET", "/v1/jobs", { key: owner.key })).body.data).toMatchObject([{ id: job.id }]);
  });

  it("counts the account's own jobs only", async () => {
    await Promise.all([newJob(owner), newJob(owner), newJob(stranger)]);
    const { body } = await api<unknown[]>("GET", "/v1/jobs", { key: stranger.key });
    expect(body.meta.paging.total).toBe(1);
  });
});

it("a worker's claim never gets another account's job", async () => {
  const job = await newJob(owner, { handler: "h", delivery: { type: "pull" } });
  const taken: unknown[] = [];
  await env.PULL_QUEUES.getByName(`${owner.id}/h`).offer([
    { jobId: job.id, executionId: EXECUTION, dueAt: Date.now() },
  ]);
  const { body } = await api("POST", "/v1/worker/jobs/claim", {
    key: stranger.key,
    body: { handlers: ["h"], wait_time_seconds: 0 },
  });
  expect([body.data, taken]).toEqual([null, []]);
});
