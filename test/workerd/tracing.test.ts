// The trace of the request that creates a job (W3C `traceparent`) is there again at every attempt, and in no answer about the job.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api, type JobJson, must } from "./harness/api.ts";
import { HOUR, iso, NOON } from "./harness/clock.ts";
import { JobUnderTest, PUSH } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const PULL = { handler: "work", delivery: { type: "pull" } };

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const post = <T = JobJson>(path: string, body: object, traceparent?: string) =>
  api<T>("POST", path, { key: account.key, body, headers: traceparent === undefined ? {} : { traceparent } });

async function made(body: object, traceparent?: string): Promise<JobUnderTest> {
  return new JobUnderTest(account, (await must(post("/v1/jobs", { name: "a job", ...body }, traceparent))).id);
}

const pushed = () => receiver.received.map(({ headers }) => headers.get("traceparent"));

/** The trace that a worker is told, if any. */
const traceIn = (given: object | null): unknown[] =>
  Object.entries(given ?? {}).flatMap(([name, value]) => (name === "traceparent" ? [value] : []));

const claimed = async (): Promise<unknown[]> =>
  traceIn(await must(post<object | null>("/v1/worker/jobs/claim", { handlers: ["work"], wait_time_seconds: 0 })));

describe("goes out", () => {
  it("in the header of a push, the same with each attempt and after a manual retry", async () => {
    receiver.answers(500, 400, 200);
    const job = await made({ delivery: PUSH }, TRACE);
    await job.ring();
    await job.ringWhenSet();
    await job.retry();
    await job.ringWhenSet();
    expect(pushed()).toEqual([TRACE, TRACE, TRACE]);
  });

  it("in the answers to claim and start, which say nothing of it where there is none", async () => {
    for (const traceparent of [TRACE, undefined]) {
      await (await made(PULL, traceparent)).ring();
      expect(await claimed()).toEqual(traceparent === undefined ? [] : [traceparent]);
      const job = await made(PULL, traceparent);
      await job.ring();
      const [execution] = await job.executions();
      const started = await must(post<object>(`/v1/worker/jobs/${job.id}/start`, { execution_id: execution?.id }));
      expect(traceIn(started)).toEqual(traceparent === undefined ? [] : [traceparent]);
    }
  });

  it("in the message on a queue, which says nothing of it where there is none", async () => {
    const sent: unknown[] = [];
    Object.assign(env, { QUEUE_IMAGES: { send: async (message: unknown) => void sent.push(message) } });
    try {
      for (const traceparent of [TRACE, undefined])
        await (await made({ handler: "work", delivery: { type: "pull", queue: "images" } }, traceparent)).ring();
    } finally {
      Reflect.deleteProperty(env, "QUEUE_IMAGES");
    }
    expect(sent).toEqual([expect.objectContaining({ timeout: 30, traceparent: TRACE }), expect.anything()]);
    expect(Object.keys(sent[1] as object)).not.toContain("traceparent");
  });

  it("for every job of a batch", async () => {
    const jobs = [1, 2, 3].map((n) => ({ name: `${n}`, delivery: PUSH }));
    const entries = await must(post<{ job: JobJson }[]>("/v1/jobs/batch", { jobs }, TRACE));
    for (const { job } of entries) await new JobUnderTest(account, job.id).ring();
    expect(pushed()).toEqual([TRACE, TRACE, TRACE]);
  });

  it("for a job that a schedule was asked for, and not for those of its ticks", async () => {
    const body = { name: "s", cron: "0 13 * * *", delivery: PUSH };
    const { id } = await must(post<{ id: string }>("/v1/schedules", body, OTHER));
    const triggered = await must(post(`/v1/schedules/${id}/trigger`, {}, TRACE));
    await new JobUnderTest(account, triggered.id).ring();
    expect(pushed()).toEqual([TRACE]);
    expect(await new JobUnderTest(account, triggered.id).row()).toMatchObject({ traceparent: TRACE });
  });

  it("for a job that is only a row until its time comes near", async () => {
    const job = await made({ delivery: PUSH, scheduled_for: iso(NOON + 24 * HOUR) }, TRACE);
    await job.edit({ name: "another" });
    expect(await job.row()).toMatchObject({ name: "another", traceparent: TRACE, revision: -1 });
    vi.setSystemTime(NOON + 24 * HOUR - 1_000);
    await job.owner.wake(job.ref);
    await job.ringAt(NOON + 24 * HOUR);
    expect(pushed()).toEqual([TRACE]);
  });
});

it("a job's own `traceparent` header is the one that goes out, in whatever spelling", async () => {
  for (const name of ["traceparent", "Traceparent", "TRACEPARENT"]) {
    const delivery = { ...PUSH, http: { ...PUSH.http, headers: { [name]: OTHER } } };
    await (await made({ delivery }, TRACE)).ring();
  }
  expect(pushed()).toEqual([OTHER, OTHER, OTHER]);
});

it.each([
  ["none", undefined],
  ["a malformed one", "00-xyz"],
  ["one whose trace id is zeros", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
  ["one whose parent id is zeros", `00-0af7651916cd43dd8448eb211c80319c-${"0".repeat(16)}-01`],
])("%s is ignored: the job is made, and goes out without", async (_, traceparent) => {
  const job = await made({ delivery: PUSH }, traceparent);
  await job.ring();
  expect(receiver.received[0]?.headers.has("traceparent")).toBe(false);
});

it("is shown by no answer about the job", async () => {
  const { text } = await post("/v1/jobs", { name: "a job", ...PULL }, TRACE);
  const listed = await api("GET", "/v1/jobs", { key: account.key });
  for (const answer of [text, listed.text]) expect(answer).not.toContain("traceparent");
});

it("of a replaced job is that of the request that replaced it; a change leaves it alone", async () => {
  const body = { delivery: PUSH, delay: { value: 10, unit: "minute" }, idempotency_key: "k" };
  const job = await made(body, TRACE);
  await job.edit({ name: "another" }, { headers: { traceparent: OTHER } });
  expect(await job.stored()).toMatchObject({ traceparent: TRACE });
  const replace = { ...body, on_conflict: "replace" };
  expect((await made(replace, OTHER)).id).toBe(job.id);
  expect([await job.stored(), await job.row()]).toMatchObject([{ traceparent: OTHER }, { traceparent: OTHER }]);
  expect((await made(replace)).id).toBe(job.id);
  expect([await job.stored(), await job.row()]).toMatchObject([{ traceparent: null }, { traceparent: null }]);
});
