// Reports that come together (contract §5): each is answered as if it had come alone.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api, type JobJson } from "../harness/api.ts";
import type { JobUnderTest } from "../harness/job.ts";
import { type Claimed, claim, queuedJob } from "./worker.ts";

interface Reported {
  readonly status: number;
  readonly code?: string;
  readonly job?: JobJson;
}

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

async function running(count: number): Promise<{ jobs: JobUnderTest[]; claimed: Claimed[] }> {
  const jobs: JobUnderTest[] = [];
  for (let n = 0; n < count; n++) jobs.push(await queuedJob(account));
  const { data } = (await claim(account, { max_jobs: 100 })).body;
  return { jobs, claimed: jobs.map(({ id }) => data.find(({ job_id }) => job_id === id) as Claimed) };
}

const refOf = ({ job_id, execution_id }: Claimed) => ({ job_id, execution_id });
const completed = (claimed: Claimed, more: object = {}) => ({ ...refOf(claimed), status: "completed", ...more });
const failed = (claimed: Claimed, more: object = {}) => ({
  ...refOf(claimed),
  status: "failed",
  error: { message: "no" },
  ...more,
});

const report = (reports: unknown, around: object = {}, key = account.key) =>
  api<Reported[]>("POST", "/v1/worker/jobs/report", { key, body: { reports }, env: around });

const codesOf = (answers: readonly Reported[]) => answers.map(({ status, code }) => [status, code]);

describe("reports", () => {
  it("are answered in order, each with its job", async () => {
    const { jobs, claimed } = await running(4);
    const [a, b, c, d] = claimed as [Claimed, Claimed, Claimed, Claimed];
    const { status, body } = await report([
      completed(a, { result: { n: 1 } }),
      failed(b, { error: { name: "TypeError", message: "no size" } }),
      failed(c, { retryable: false }),
      completed(d),
    ]);
    expect(status).toBe(200);
    expect(body.data).toMatchObject([
      { status: 200, job: { id: jobs[0]?.id, status: "completed", result: { n: 1 } } },
      {
        status: 200,
        job: { status: "retrying", last_error: { code: "handler_error", message: "TypeError: no size" } },
      },
      { status: 200, job: { status: "failed" } },
      { status: 200, job: { id: jobs[3]?.id, status: "completed", result: null } },
    ]);
    expect(body.data.map((one) => "code" in one)).toEqual([false, false, false, false]);
    expect(await jobs[0]?.show()).toEqual(body.data[0]?.job);
  });

  it("of which some are refused: those alone", async () => {
    const { claimed } = await running(2);
    const [a, b] = claimed as [Claimed, Claimed];
    const { body } = await report([
      completed({ ...a, job_id: crypto.randomUUID() }),
      completed({ ...a, execution_id: crypto.randomUUID() }),
      completed(b),
    ]);
    expect(codesOf(body.data)).toEqual([
      [404, "job_not_found"],
      [409, "lease_lost"],
      [200, undefined],
    ]);
    expect(body.data.map(({ job }) => job?.id)).toEqual([undefined, undefined, b.job_id]);
  });

  it("of another account's jobs are 404 each, and change nothing", async () => {
    const { jobs, claimed } = await running(1);
    const stranger = await newAccount();
    const { body } = await report(
      claimed.map((one) => completed(one)),
      {},
      stranger.key,
    );
    expect(codesOf(body.data)).toEqual([[404, "job_not_found"]]);
    expect(await jobs[0]?.show()).toMatchObject({ status: "running" });
  });

  it("of one job behave as if sent one after the other", async () => {
    const { jobs, claimed } = await running(2);
    const [a, b] = claimed as [Claimed, Claimed];
    const { body } = await report([completed(a, { result: 1 }), failed(b), failed(a), completed(a), completed(b)]);
    expect(codesOf(body.data)).toEqual([
      [200, undefined],
      [200, undefined],
      [409, "lease_lost"],
      [200, undefined],
      [409, "lease_lost"],
    ]);
    expect(await jobs[0]?.show()).toMatchObject({ status: "completed", result: 1, attempts: 1 });
    expect(await jobs[1]?.show()).toMatchObject({ status: "retrying", attempts: 1 });
  });

  it("repeated are answered like the first time", async () => {
    const { claimed } = await running(3);
    const [a, b, c] = claimed as [Claimed, Claimed, Claimed];
    const all = [completed(a), failed(b), completed(c)];
    const [first, second] = [await report(all), await report(all)];
    expect(codesOf(second.body.data)).toEqual(codesOf(first.body.data));
  });

  it("half of whose owners do not answer: 503 for those, and the others are done", async () => {
    const { jobs, claimed } = await running(4);
    const silent = new Set(jobs.slice(0, 2).map(({ id }) => `${account.id}/${id}`));
    const broken = { complete: () => Promise.reject(new Error("the object was reset")) };
    const JOBS = { getByName: (name: string) => (silent.has(name) ? broken : env.JOBS.getByName(name)) };
    const all = claimed.map((one) => completed(one));
    const half = await report(all, { JOBS });
    expect([half.status, codesOf(half.body.data)]).toEqual([
      200,
      [
        [503, "unavailable"],
        [503, "unavailable"],
        [200, undefined],
        [200, undefined],
      ],
    ]);
    expect(codesOf((await report(all)).body.data)).toEqual(all.map(() => [200, undefined]));
    for (const job of jobs) expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("may be a hundred", async () => {
    const { jobs, claimed } = await running(100);
    const { body } = await report(claimed.map((one, n) => completed(one, { result: n })));
    expect(body.data.map(({ job }) => [job?.id, job?.result])).toEqual(jobs.map(({ id }, n) => [id, n]));
  });
});

describe("a batch that the schema refuses changes nothing", () => {
  const ref = { job_id: crypto.randomUUID(), execution_id: crypto.randomUUID() };
  it.each([
    ["without a report", [], "reports"],
    ["of 101", Array(101).fill({ ...ref, status: "completed" }), "reports"],
    ["with a status there is not", [{ ...ref, status: "cancelled" }], "reports.0.status"],
    ["with an error of a success", [{ ...ref, status: "completed", error: { message: "x" } }], "reports.0.error"],
    [
      "with a result of a failure",
      [{ ...ref, status: "failed", error: { message: "x" }, result: 1 }],
      "reports.0.result",
    ],
    ["with a failure that has no error", [{ ...ref, status: "failed" }], "reports.0.error"],
    ["with an id that is none", [{ ...ref, job_id: "x", status: "completed" }], "reports.0.job_id"],
    [
      "with a result of 65,537 bytes",
      [{ ...ref, status: "completed", result: "x".repeat(65_535) }],
      "reports.0.result",
    ],
  ])("%s: 422", async (_, reports, field) => {
    const { jobs, claimed } = await running(1);
    const { status, body } = await report(
      reports.length > 0 && reports.length < 100 ? [...reports, ...claimed.map((one) => completed(one))] : reports,
    );
    expect([status, body.errors.map((error) => error.field)]).toEqual([422, [field]]);
    expect(await jobs[0]?.show()).toMatchObject({ status: "running" });
  });
});

describe("the size of a batch", () => {
  const sized = (bytes: number) =>
    api("POST", "/v1/worker/jobs/report", {
      key: account.key,
      raw: `{"reports":[{"job_id":"${crypto.randomUUID()}","execution_id":"${crypto.randomUUID()}","status":"completed"}]}`.padEnd(
        bytes,
      ),
    });

  it("may be 1,048,576 bytes", async () => {
    expect((await sized(1_048_576)).status).toBe(200);
  });

  it("may not be one byte more: 413, and the message says how many", async () => {
    const { status, body } = await sized(1_048_577);
    expect([status, body.code, body.message]).toEqual([413, "payload_too_large", expect.stringContaining("1048576")]);
  });

  it("is no larger elsewhere", async () => {
    const { status, body } = await api("POST", "/v1/worker/jobs/claim", {
      key: account.key,
      raw: "{}".padEnd(262_145),
    });
    expect([status, body.message]).toEqual([413, expect.stringContaining("262144")]);
  });
});
