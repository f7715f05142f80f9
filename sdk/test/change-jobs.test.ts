// Changing, running, deleting and replacing jobs: what is sent, and what a lost answer means.

import { describe, expect, it } from "vitest";
import { ChronosConnectionError, type JobChanges, type NewJob, PreconditionFailedError } from "../src/index.ts";
import { refuse } from "./answers.ts";
import { NOON, outcomeOf, pass, setUp } from "./setup.ts";

const ONE_JOB = /\/v1\/jobs\/[^/]+$/;
const JOBS = /\/v1\/jobs$/;
const HOUR = 3_600_000;
const later = { name: "One", handler: "a", scheduledFor: new Date(NOON + HOUR) } as const;

async function withJob(input: NewJob = later) {
  const kit = setUp();
  const job = await kit.chronos.jobs.create(input);
  kit.line.sent.length = 0;
  return { ...kit, job, jobs: kit.chronos.jobs };
}

describe("update()", () => {
  it("sends what is given in the API's names, null as null, and leaves out what is undefined", async () => {
    const { jobs, job, line } = await withJob();
    const changed = await jobs.update(job.id, {
      name: "Two",
      payload: { userName: "Ada" },
      delay: { value: 2, unit: "hour" },
      handler: undefined,
      timeout: 60,
      maxRetries: null,
      tags: ["a"],
      flow: null,
      backoff: { type: "list", delays: [1, 5] },
      expiresAfter: { value: 1, unit: "day" },
    });
    expect(line.sent).toMatchObject([{ method: "PATCH", path: `/v1/jobs/${job.id}`, ifMatch: undefined }]);
    expect(line.sent[0]?.body).toEqual({
      name: "Two",
      payload: { userName: "Ada" },
      delay: { value: 2, unit: "hour" },
      timeout: 60,
      max_retries: null,
      tags: ["a"],
      flow: null,
      backoff: { type: "list", delays: [1, 5] },
      expires_after: { value: 1, unit: "day" },
    });
    expect(changed).toMatchObject({ id: job.id, name: "Two", maxRetries: 3, scheduledFor: new Date(NOON + 2 * HOUR) });
  });

  it("moves a job to a time on the wall", async () => {
    const { jobs, job, line } = await withJob();
    await jobs.update(job.id, { scheduledFor: "2030-03-31T09:00", timezone: "Europe/London" });
    expect(line.sent[0]?.body).toEqual({ scheduled_for: "2030-03-31T09:00", timezone: "Europe/London" });
  });

  it("applies to the revision that was named, or to none, and shows what is now", async () => {
    const { jobs, job, line } = await withJob();
    const changed = await jobs.update(job.id, { timeout: 60 }, { ifMatch: job.revision });
    expect(line.sent[0]?.ifMatch).toBe(`"${job.revision}"`);
    const error = await outcomeOf(jobs.update(job.id, { timeout: 90 }, { ifMatch: job.revision }));
    expect(error).toBeInstanceOf(PreconditionFailedError);
    expect(error).toMatchObject({ status: 412, code: "precondition_failed", data: { id: job.id, timeout: 60 } });
    expect(error).toMatchObject({ data: { revision: changed.revision } });
  });

  it("says that a job which has started cannot be changed", async () => {
    const { jobs, job, app, line } = await withJob();
    app.job(job.id).status = "running";
    await expect(jobs.update(job.id, { timeout: 60 })).rejects.toMatchObject({ code: "job_not_editable", status: 409 });
    expect(line.sent).toHaveLength(1);
  });

  it.each(["lost", "unanswered", "unsure"] as const)("is repeated byte for byte after a fault: %s", async (fault) => {
    const { jobs, job, line } = await withJob();
    line.breaks(ONE_JOB, fault, 3);
    expect(await outcomeOf(jobs.update(job.id, { timeout: 60 }))).toMatchObject({ id: job.id, timeout: 60 });
    expect(new Set(line.sent.map(({ body, ifMatch }) => JSON.stringify([body, ifMatch]))).size).toBe(1);
    expect(line.sent).toHaveLength(4);
  });

  it("returns the job that a lost try of its own moved past the revision", async () => {
    const { jobs, job, line } = await withJob();
    line.breaks(ONE_JOB, "unanswered");
    const changes: JobChanges = { timeout: 60, tags: ["b", "a"], scheduledFor: new Date(NOON + 2 * HOUR) };
    expect(await outcomeOf(jobs.update(job.id, changes, { ifMatch: job.revision }))).toMatchObject({ timeout: 60 });
    expect(line.sent.map(({ method }) => method)).toEqual(["PATCH", "PATCH", "GET"]);
  });

  it("returns the job that a lost try of its own changed before it started", async () => {
    const { jobs, job, line, app } = await withJob();
    line.breaks(ONE_JOB, "unanswered");
    const call = jobs.update(job.id, { timeout: 60, payload: { a: 1 } });
    await pass(100);
    app.job(job.id).status = "running";
    expect(await outcomeOf(call)).toMatchObject({ status: "running", timeout: 60, payload: { a: 1 } });
  });

  const HELD: [string, JobChanges][] = [
    ["another timeout", { timeout: 61 }],
    ["another payload", { timeout: 60, payload: { a: 2 } }],
    ["no payload", { timeout: 60, payload: null }],
    ["another time", { timeout: 60, scheduledFor: new Date(NOON + HOUR + 1) }],
    ["another end", { timeout: 60, expiresAfter: { value: 2, unit: "hour" } }],
    ["a delay, which cannot be checked", { timeout: 60, delay: { value: 1, unit: "hour" } }],
  ];
  it.each(HELD)("throws the refusal after a lost try if the job does not read as asked: %s", async (_, changes) => {
    const { jobs, job, line, app } = await withJob({ ...later, payload: { a: 1 }, timeout: 60 });
    app.job(job.id).status = "running";
    line.breaks(ONE_JOB, "lost");
    expect(await outcomeOf(jobs.update(job.id, changes))).toMatchObject({ code: "job_not_editable" });
  });

  it("throws the refusal of the precondition after a lost try if somebody else made the change", async () => {
    const { jobs, job, line, app } = await withJob();
    Object.assign(app.job(job.id), { revision: 5, timeout: 10 });
    line.breaks(ONE_JOB, "lost");
    const error = await outcomeOf(jobs.update(job.id, { timeout: 60 }, { ifMatch: job.revision }));
    expect(error).toMatchObject({ code: "precondition_failed", data: { revision: 5 } });
  });
});

describe("run()", () => {
  it("makes a job due now, and is refused once it has started", async () => {
    const { jobs, job, line, app } = await withJob();
    expect(await jobs.run(job.id)).toMatchObject({ runAt: new Date(NOON), scheduledFor: later.scheduledFor });
    expect(line.sent).toMatchObject([{ method: "POST", path: `/v1/jobs/${job.id}/run` }]);
    app.job(job.id).status = "completed";
    await expect(jobs.run(job.id)).rejects.toMatchObject({ code: "job_not_runnable" });
  });

  it("is repeated only after 429: the job may have run, and its retry would come early", async () => {
    const { jobs, job, line } = await withJob();
    line.breaks(/run$/, () => refuse(429, "rate_limit_exceeded", "Later"));
    expect(await outcomeOf(jobs.run(job.id))).toMatchObject({ id: job.id });
    line.sent.length = 0;
    line.breaks(/run$/, "unanswered");
    expect(await outcomeOf(jobs.run(job.id))).toBeInstanceOf(ChronosConnectionError);
    expect(line.sent).toHaveLength(1);
  });
});

describe("delete()", () => {
  it("deletes an ended job, with its revision if one is given; one that has not ended stays", async () => {
    const { jobs, job, line, app } = await withJob();
    await expect(jobs.delete(job.id)).rejects.toMatchObject({ code: "job_not_deletable" });
    app.job(job.id).status = "completed";
    await expect(jobs.delete(job.id, { ifMatch: 7 })).rejects.toBeInstanceOf(PreconditionFailedError);
    expect(await jobs.delete(job.id, { ifMatch: job.revision })).toBeUndefined();
    expect(line.sent.map(({ method, ifMatch }) => [method, ifMatch])).toEqual([
      ["DELETE", undefined],
      ["DELETE", '"7"'],
      ["DELETE", '"1"'],
    ]);
    expect(app.jobs).toEqual([]);
  });

  it("says that there is none, unless a lost try of its own has deleted it", async () => {
    const { jobs, job, line, app } = await withJob();
    app.job(job.id).status = "completed";
    line.breaks(ONE_JOB, "unanswered");
    expect(await outcomeOf(jobs.delete(job.id))).toBeUndefined();
    expect(line.sent).toHaveLength(2);
    expect(await outcomeOf(jobs.delete(job.id))).toMatchObject({ code: "job_not_found" });
  });
});

describe('create() with onConflict: "replace"', () => {
  const replacing = { ...later, idempotencyKey: "k", onConflict: "replace" } as const;

  it("gives the job that now holds the key", async () => {
    const { jobs, job, app } = await withJob({ ...later, idempotencyKey: "k" });
    expect(await jobs.create({ ...replacing, payload: { edit: 2 } })).toMatchObject({
      id: job.id,
      payload: { edit: 2 },
    });
    app.job(job.id).status = "running";
    expect((await jobs.create(replacing)).id).not.toBe(job.id);
  });

  it("is repeated only after 429: the job of a lost try may have started, and another would follow", async () => {
    const { jobs, line, app } = await withJob();
    line.breaks(JOBS, () => refuse(429, "rate_limit_exceeded", "Later"));
    expect(await outcomeOf(jobs.create(replacing))).toMatchObject({ idempotencyKey: "k" });
    line.sent.length = 0;
    line.breaks(JOBS, "unanswered");
    expect(await outcomeOf(jobs.create(replacing))).toBeInstanceOf(ChronosConnectionError);
    expect(line.sent).toHaveLength(1);
    expect(app.jobs).toHaveLength(2);
  });
});

describe("create() with a time on the wall", () => {
  const inLondon = (scheduledFor: string) => ({
    name: "One",
    handler: "a",
    idempotencyKey: "k",
    scheduledFor,
    timezone: "Europe/London",
  });
  const KNOWN: [string, string, string][] = [
    ["an ordinary time", "2030-07-01T09:00", "2030-07-01T08:00:00.000Z"],
    ["one that a clock change skips", "2030-03-31T01:30", "2030-03-31T01:00:00.000Z"],
    ["the first of one that comes twice", "2030-10-27T01:30", "2030-10-27T00:30:00.000Z"],
    ["seconds", "2030-07-01T09:00:30.500", "2030-07-01T08:00:30.500Z"],
  ];
  it.each(KNOWN)("knows the job of a lost try by %s", async (_, asked, at) => {
    const { chronos, line, app } = setUp();
    line.breaks(JOBS, "unanswered");
    const call = chronos.jobs.create(inLondon(asked));
    await pass(100);
    Object.assign(app.jobs[0] ?? {}, { scheduled_for: at });
    expect(await outcomeOf(call)).toMatchObject({ idempotencyKey: "k" });
  });

  const OTHERS: [string, string, string][] = [
    ["an hour later", "2030-07-01T09:00", "2030-07-01T09:00:00.000Z"],
    ["a millisecond later", "2030-07-01T09:00", "2030-07-01T08:00:00.001Z"],
    ["a millisecond earlier", "2030-07-01T09:00", "2030-07-01T07:59:59.999Z"],
    ["after the end of a gap", "2030-03-31T01:30", "2030-03-31T01:30:00.000Z"],
  ];
  it.each(OTHERS)("throws the conflict after a lost try if the job is due %s", async (_, asked, at) => {
    const { chronos, line, app } = setUp();
    line.breaks(JOBS, "unanswered");
    const call = chronos.jobs.create(inLondon(asked));
    await pass(100);
    Object.assign(app.jobs[0] ?? {}, { scheduled_for: at });
    expect(await outcomeOf(call)).toMatchObject({ code: "idempotency_key_conflict" });
  });
});
