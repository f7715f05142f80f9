// Payload and result are carried as the text they were sent as (contract §1): through every answer, push, claim, queue message
// and tick, read from an owner or from the read model.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api, type Call, type JobJson, must } from "./harness/api.ts";
import { HOUR, NOON, until } from "./harness/clock.ts";
import { JobUnderTest } from "./harness/job.ts";
import { receiver, TARGET } from "./harness/receiver.ts";
import { type ScheduleJson, ScheduleUnderTest } from "./schedules/schedule.ts";

/** Values that would not come back the same if anybody parsed them on the way. */
const HOSTILE = [
  "9007199254740993",
  "-12345678901234567890123",
  "0.1234567890123456789",
  "1.0",
  "-0",
  "0e0",
  "1E5",
  "1e-400",
  "1e400",
  "-1E+999",
  '{"a":1,"a":2}',
  '{"b":1,"10":2,"9":3,"a":4}',
  '{"__proto__":{"x":1.0},"constructor":1,"toString":"x","":[],"toJSON":"x"}',
  '"\\u0041\\/\\u00e9\\ud83d\\ude00\\u0000"',
  '"\\"}],\\\\"',
  '"é😀\u2028\u007f"',
  '" two  spaces\\t"',
  `${"[".repeat(150)}1.0${"]".repeat(150)}`,
] as const;

/** The same payload with white space between its tokens. */
const spaced = (text: string) => `\n { \t"v" :\r\n${text} ,"again": [ ] , "again":[ 1.0, -0 ]\n} `;
const payloadOf = (text: string) => `{"v":${text},"again":[],"again":[1.0,-0]}`;

const PUSH = JSON.stringify({ type: "push", http: { url: TARGET, method: "POST" } });

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const call = <T>(method: string, path: string, more: Call = {}) => api<T>(method, path, { key: account.key, ...more });
const textOf = async (path: string): Promise<string> => (await call("GET", path)).text;

async function created(fields: string): Promise<{ job: JobUnderTest; text: string }> {
  const { status, body, text } = await call<JobJson>("POST", "/v1/jobs", { raw: `{"name":"a job",${fields}}` });
  expect(status, text).toBe(201);
  return { job: new JobUnderTest(account, body.data.id), text };
}

/** What all that has reached the read model says, once the owner has gone. */
async function settled(job: JobUnderTest): Promise<void> {
  await until(() => job.isEmpty());
}

describe.each(HOSTILE)("%s", (value) => {
  const payload = `"payload":${payloadOf(value)},`;

  it("in a payload is pushed as it was sent, and shown so at every moment", async () => {
    const { job, text } = await created(`"delivery":${PUSH},"payload":${spaced(value)},"idempotency_key":"once"`);
    expect(text).toContain(payload);
    expect(await textOf(`/v1/jobs/${job.id}`)).toContain(payload);
    expect(await textOf("/v1/jobs")).toContain(payload);
    const again = await call("POST", "/v1/jobs", { raw: `{"name":"x","handler":"h","idempotency_key":"once"}` });
    expect([again.status, again.text]).toEqual([409, expect.stringContaining(payload)]);
    await job.ring();
    expect(receiver.received[0]?.body.endsWith(`"payload":${payloadOf(value)}}`)).toBe(true);
    await settled(job);
    expect(await textOf(`/v1/jobs/${job.id}`)).toContain(payload);
    expect(await textOf("/v1/jobs")).toContain(payload);
  });

  it("in payload and result of a pulled job reaches its worker, and is shown, as it was sent", async () => {
    const { job } = await created(`"handler":"h","payload":${spaced(value)}`);
    await job.ring();
    const [execution] = await job.executions();
    const worker = (action: string, more = "") =>
      call("POST", `/v1/worker/jobs/${job.id}/${action}`, { raw: `{"execution_id":"${execution?.id}"${more}}` });
    expect((await worker("start")).text).toContain(payload);
    const result = `"result":${value},`;
    const report = `,"result":1,"re\\u0073ult" :\n ${value} `;
    for (const answer of [await worker("complete", report), await worker("complete", report)]) {
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(result)]);
      expect(answer.text).toContain(payload);
    }
    const paths = [`/v1/jobs/${job.id}`, `/v1/jobs/${job.id}/executions`];
    for (const path of paths) expect(await textOf(path)).toContain(result);
    await settled(job);
    for (const path of [...paths, "/v1/jobs"]) expect(await textOf(path)).toContain(result);
  });

  it("in a result among a batch of reports is shown as it was sent", async () => {
    const { job } = await created(`"handler":"h"`);
    await job.ring();
    const execution = (await job.executions())[0]?.id;
    await call("POST", `/v1/worker/jobs/${job.id}/start`, { body: { execution_id: execution } });
    const report = `"job_id":"${job.id}","execution_id":"${execution}","status":"completed","result":${spaced(value)}`;
    const answer = await call("POST", "/v1/worker/jobs/report", { raw: `{"reports":[{${report}}]}` });
    const result = `"result":${payloadOf(value)},`;
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(result)]);
    await settled(job);
    expect(await textOf(`/v1/jobs/${job.id}`)).toContain(result);
  });

  it("in a schedule's payload is shown, and carried by its ticks, as it was sent", async () => {
    const { status, body, text } = await call<ScheduleJson>("POST", "/v1/schedules", {
      raw: `{"name":"s","interval":{"value":1,"unit":"hour"},"delivery":${PUSH},"payload":${spaced(value)}}`,
    });
    expect([status, text]).toEqual([201, expect.stringContaining(payload)]);
    const schedule = new ScheduleUnderTest(account, body.data.id);
    await schedule.ringAt(NOON + HOUR);
    expect(await textOf(`/v1/schedules/${schedule.id}`)).toContain(payload);
    expect(await textOf("/v1/schedules")).toContain(payload);
    const [tick] = await must(call<JobJson[]>("GET", `/v1/jobs?schedule_id=${schedule.id}`));
    expect(await textOf(`/v1/jobs/${tick?.id}`)).toContain(payload);
    await new JobUnderTest(account, tick?.id ?? "").ring();
    expect(receiver.received[0]?.body).toContain(`"payload":${payloadOf(value)}}`);
    const patch = await call("PATCH", `/v1/schedules/${schedule.id}`, { raw: `{"payload":{"n":${value}}}` });
    expect([patch.status, patch.text]).toEqual([200, expect.stringContaining(`"payload":{"n":${value}},`)]);
  });

  it("in the message on a Cloudflare Queue is the value that JSON.parse makes of it", async () => {
    // The platform writes the message's body as JSON and parses it for the consumer.
    let message = "";
    const send = vi.fn(async (body: unknown, options: unknown) => {
      expect(options).toEqual({ contentType: "json" });
      message = JSON.stringify(body);
    });
    Object.assign(env, { QUEUE_EMAILS: { send } });
    try {
      const { job } = await created(
        `"handler":"h","delivery":{"type":"pull","queue":"emails"},"timeout":7,"payload":${spaced(value)}`,
      );
      await job.ring();
      const [execution] = await job.executions();
      expect(JSON.parse(message)).toEqual({
        job_id: job.id,
        handler: "h",
        execution_id: execution?.id,
        scheduled_for: new Date(NOON).toISOString(),
        attempt: 1,
        payload: JSON.parse(payloadOf(value)),
        timeout: 7,
      });
      if (/^[-\d]/.test(value)) expect(message).toContain(`"v":${value},`);
    } finally {
      Reflect.deleteProperty(env, "QUEUE_EMAILS");
    }
  });
});

describe("a field that is no payload", () => {
  it.each([
    ["timeout", '{"name":"x","handler":"h","timeout":1e400}'],
    ["max_retries", '{"name":"x","handler":"h","max_retries":-1e999}'],
    ["delay.value", '{"name":"x","handler":"h","delay":{"value":1e400,"unit":"day"}}'],
    ["name", '{"name":1e400,"handler":"h"}'],
    [
      "delivery.http.headers.payload",
      `{"name":"x","delivery":${PUSH.replace("}}", ',"headers":{"payload":1e400}}}')}}`,
    ],
  ])("%s may not be a number that no double holds", async (field, raw) => {
    const { status, body } = await call("POST", "/v1/jobs", { raw });
    expect([status, body.errors.map((error) => error.field)]).toEqual([422, [field]]);
  });
});

describe("half of a surrogate pair, which strict parsers refuse together with all around it, is 422", () => {
  it.each([
    ["the first half", '{"a":"\\ud800"}'],
    ["the second half", '{"a":"\\uDC00x"}'],
    ["two halves in the wrong order", '{"a":"\\udc00\\ud800"}'],
    ["a half before another escape", '{"a":"\\ud83d\\u0041"}'],
    ["a half behind a backslash", '{"a":"\\\\\\ud83d"}'],
    ["a half in a key", '{"\\ud83d":1}'],
    ["a half in a member that occurs again", '{"a":"\\ud83d","a":1}'],
  ])("%s", async (_, value) => {
    const { status, body } = await call("POST", "/v1/jobs", { raw: `{"name":"x","handler":"h","payload":${value}}` });
    expect([status, body.errors]).toEqual([
      422,
      [{ field: expect.stringMatching(/^payload/), message: expect.any(String) }],
    ]);
  });
});

it("of two payloads in one body the last one counts, and alone is checked", async () => {
  const { text } = await created('"handler":"h","payload":[],"p\\u0061yload":{"first":1},"payload":{"last":1.0}');
  expect(text).toContain('"payload":{"last":1.0},');
  expect((await created('"handler":"h","payload":{"a":1},"payload":null')).text).toContain('"payload":null,');
});
