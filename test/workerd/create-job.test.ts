// POST /v1/jobs (contract §2): what each field may be, on both sides of every limit.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api, type JobJson } from "./harness/api.ts";
import { HOUR, iso, MINUTE, NOON, SECOND } from "./harness/clock.ts";
import { JobUnderTest } from "./harness/job.ts";
import { receiver, TARGET } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

type Body = Record<string, unknown>;

const PULL: Body = { name: "a job", handler: "h" };
const HTTP: Body = { url: TARGET, method: "POST" };
const push = (http: Body = {}, more: Body = {}): Body => ({
  name: "a job",
  delivery: { type: "push", http: { ...HTTP, ...http } },
  ...more,
});

const create = (body: Body | string, env: Record<string, unknown> = {}) =>
  api<JobJson>("POST", "/v1/jobs", { key: account.key, ...(typeof body === "string" ? { raw: body } : { body }), env });

/** Which fields an answer blames; none for a success. */
async function blamed(body: Body | string, env: Record<string, unknown> = {}): Promise<readonly string[]> {
  const { status, body: answer } = await create(body, env);
  if (status === 201) return [];
  expect([status, answer.code]).toEqual([422, "validation_error"]);
  return answer.errors.map(({ field }) => field);
}

/** A case whose values would drown its name. */
interface Case {
  readonly name: string;
  readonly body: Body | string;
}
const cases = (all: Record<string, Body | string>): Case[] =>
  Object.entries(all).map(([name, body]) => ({ name, body }));
const accepts = (all: Record<string, Body | string>) =>
  it.each(cases(all))("takes $name", async ({ body }) => expect(await blamed(body)).toEqual([]));
const refuses = (field: string, all: Record<string, Body | string>) =>
  it.each(cases(all))(`refuses $name, on \`${field}\``, async ({ body }) =>
    expect(await blamed(body)).toEqual([field]),
  );

const at = (ms: number): string => iso(ms);
const FIVE_YEARS = Date.UTC(2035, 0, 1, 12);

describe("a job that says only what it must", () => {
  it("gets the documented defaults, and runs as soon as possible", async () => {
    const { status, body } = await create(PULL);
    expect(status).toBe(201);
    expect(body.data).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      schedule_id: null,
      name: "a job",
      handler: "h",
      status: "pending",
      payload: null,
      delivery: { type: "pull" },
      timeout: 30,
      max_retries: 3,
      backoff: null,
      tags: [],
      flow: null,
      callbacks: null,
      origin: "api",
      expires_at: null,
      revision: 1,
      idempotency_key: null,
      scheduled_for: "2030-01-01T12:00:00.000Z",
      run_at: "2030-01-01T12:00:00.000Z",
      attempts: 0,
      last_error: null,
      result: null,
      created_at: "2030-01-01T12:00:00.000Z",
      updated_at: "2030-01-01T12:00:00.000Z",
      completed_at: null,
    });
  });

  it("and one that says everything is given back as it was sent", async () => {
    const asked = {
      name: "Willkommen",
      handler: "welcome",
      payload: { deep: [{ er: null }], text: "é\u0000𝒳" },
      idempotency_key: "order-1",
      scheduled_for: "2030-06-01T00:00:00.000Z",
      delivery: { type: "push", http: { url: `${TARGET}?a=1#b`, method: "PATCH", headers: { "X-Mine": "yes" } } },
      timeout: 600,
      max_retries: 0,
    };
    const { body } = await create(asked);
    expect(body.data).toMatchObject(asked);
    expect(await new JobUnderTest(account, body.data.id).show()).toEqual(body.data);
  });

  it("is the same when every optional field is null", async () => {
    const { body: bare } = await create(push());
    const { body } = await create(
      push(
        { headers: null },
        {
          handler: null,
          payload: null,
          delay: null,
          scheduled_for: null,
          idempotency_key: null,
          timeout: null,
          max_retries: null,
          backoff: null,
          tags: null,
          flow: null,
          callbacks: null,
          expires_after: null,
          timezone: null,
          on_conflict: null,
        },
      ),
    );
    expect({ ...body.data, id: "" }).toEqual({ ...bare.data, id: "" });
    const { body: pull } = await create({ ...PULL, delivery: null });
    expect(pull.data.delivery).toEqual({ type: "pull" });
    const { body: queue } = await create({ ...PULL, delivery: { type: "pull", queue: null } });
    expect(queue.data.delivery).toEqual({ type: "pull" });
  });
});

it.each(["a\u0000b", "\ufeffx", "\u202e", "e\u0301", " x ", "null", "'; DROP TABLE jobs; --", '{"a":1}'])(
  "a text comes back from its owner and from a list as it was sent: %j",
  async (text) => {
    const asked = { name: text, handler: text, idempotency_key: text, payload: { [text]: text } };
    const { body } = await create({ ...asked, delay: { value: 1, unit: "day" } });
    expect(body.data).toMatchObject(asked);
    expect(await new JobUnderTest(account, body.data.id).show()).toEqual(body.data);
    const query = `?handler=${encodeURIComponent(text)}&idempotency_key=${encodeURIComponent(text)}`;
    const { body: list } = await api("GET", `/v1/jobs${query}`, { key: account.key });
    expect(list.data).toEqual([body.data]);
  },
);

describe("name", () => {
  accepts({
    "1 character": { ...PULL, name: "x" },
    "255 characters": { ...PULL, name: "x".repeat(255) },
    "255 characters that take two code units each": { ...PULL, name: "😀".repeat(255) },
  });
  refuses("name", {
    "its absence": { handler: "h" },
    null: { ...PULL, name: null },
    "an empty text": { ...PULL, name: "" },
    "256 characters": { ...PULL, name: "x".repeat(256) },
    "256 characters that take two code units each": { ...PULL, name: "😀".repeat(256) },
    "a number": { ...PULL, name: 1 },
    "half a surrogate pair": '{"name":"\\ud800","handler":"h"}',
  });
});

describe("handler", () => {
  accepts({
    "its absence on a push job": push(),
    "255 characters": { ...PULL, handler: "x".repeat(255) },
  });
  refuses("handler", {
    "its absence on a pull job": { name: "a job" },
    "null on a pull job": { name: "a job", handler: null },
    "its absence on a job that names pull": { name: "a job", delivery: { type: "pull" } },
    "an empty text": { ...PULL, handler: "" },
    "an empty text on a push job": push({}, { handler: "" }),
    "256 characters": { ...PULL, handler: "x".repeat(256) },
    "a list": { ...PULL, handler: ["h"] },
  });
});

describe("payload", () => {
  const OVERHEAD = JSON.stringify({ text: "" }).length;
  const sized = (bytes: number) => ({ text: "x".repeat(bytes - OVERHEAD) });

  accepts({
    "exactly 65,536 bytes": { ...PULL, payload: sized(65_536) },
    "65,536 bytes that take more to send": JSON.stringify({ ...PULL, payload: sized(65_536) }, null, 8),
    "a surrogate pair in escapes": '{"name":"a job","handler":"h","payload":{"a":"\\ud83d\\uDE00"}}',
    "the text of an escape": '{"name":"a job","handler":"h","payload":{"a":"\\\\ud83d"}}',
  });
  refuses("payload", {
    "one byte more": { ...PULL, payload: sized(65_537) },
    "65,537 bytes of fewer characters": { ...PULL, payload: { text: `${"é".repeat(32_763)}x` } },
    "an empty object": { ...PULL, payload: {} },
    "a list": { ...PULL, payload: [1] },
    "a text": { ...PULL, payload: "x" },
    "a number": { ...PULL, payload: 0 },
    false: { ...PULL, payload: false },
    "a number that no double holds": '{"name":"a job","handler":"h","payload":1e400}',
  });

  it("counts bytes and not characters", async () => {
    expect(await blamed({ ...PULL, payload: { text: "é".repeat((65_536 - OVERHEAD - 1) / 2) } })).toEqual([]);
  });

  it("comes back and is delivered as it was sent, whatever its fields are called", async () => {
    const payload = '{"__proto__":{"admin":true},"constructor":1,"toString":"x","":[],"a.b":{"$":null}}';
    const { body } = await create(
      `{"name":"a job","payload":${payload},"delivery":${JSON.stringify(push().delivery)}}`,
    );
    expect(JSON.stringify(body.data.payload)).toBe(payload);
    const job = new JobUnderTest(account, body.data.id);
    expect((await job.call("GET")).text).toContain(`"payload":${payload}`);
    await job.ring();
    expect(receiver.received[0]?.body).toContain(`"payload":${payload}`);
  });
});

describe("delay", () => {
  it.each([
    [{ value: 1, unit: "second" }, 1_000],
    [{ value: 2, unit: "minute" }, 120_000],
    [{ value: 3, unit: "hour" }, 10_800_000],
    [{ value: 4, unit: "day" }, 345_600_000],
    [{ value: 5, unit: "week" }, 3_024_000_000],
    [{ value: 1_826, unit: "day" }, FIVE_YEARS - NOON],
  ])("of %j counts from now", async (delay, ms) => {
    const { body } = await create({ ...PULL, delay });
    expect(body.data).toMatchObject({ scheduled_for: at(NOON + ms), run_at: at(NOON + ms) });
  });

  refuses("delay", {
    "a moment more than five years": { ...PULL, delay: { value: 1_826 * 86_400 + 1, unit: "second" } },
    "more than a Date can hold": { ...PULL, delay: { value: Number.MAX_SAFE_INTEGER, unit: "week" } },
    "a number": { ...PULL, delay: 5 },
    "a text": { ...PULL, delay: "5 minutes" },
  });
  refuses("delay.value", {
    zero: { ...PULL, delay: { value: 0, unit: "second" } },
    "a negative value": { ...PULL, delay: { value: -1, unit: "second" } },
    "half a second": { ...PULL, delay: { value: 0.5, unit: "second" } },
    "a value as text": { ...PULL, delay: { value: "5", unit: "second" } },
    "a missing value": { ...PULL, delay: { unit: "second" } },
  });
  refuses("delay.unit", {
    "a unit it does not know": { ...PULL, delay: { value: 1, unit: "month" } },
    "a unit in the plural": { ...PULL, delay: { value: 1, unit: "seconds" } },
    "a missing unit": { ...PULL, delay: { value: 1 } },
  });
  refuses("delay.from", { "a field it does not know": { ...PULL, delay: { value: 1, unit: "second", from: 1 } } });
});

describe("scheduled_for", () => {
  it.each([
    ["2030-01-01T12:00:00.001Z", "2030-01-01T12:00:00.001Z"],
    ["2030-01-01T13:00Z", "2030-01-01T13:00:00.000Z"],
    ["2030-01-01T15:30:00+02:00", "2030-01-01T13:30:00.000Z"],
    ["2030-01-01T08:00:00.5-05:00", "2030-01-01T13:00:00.500Z"],
    ["2030-01-01T18:00:00+0530", "2030-01-01T12:30:00.000Z"],
    ["2032-02-29T00:00:00Z", "2032-02-29T00:00:00.000Z"],
    ["2035-01-01T12:00:00.000Z", "2035-01-01T12:00:00.000Z"],
  ])("%s is read with its offset and shown in UTC with milliseconds", async (asked, shown) => {
    const { body } = await create({ ...PULL, scheduled_for: asked });
    expect(body.data).toMatchObject({ scheduled_for: shown, run_at: shown });
  });

  refuses("scheduled_for", {
    "this very moment": { ...PULL, scheduled_for: at(NOON) },
    "the past": { ...PULL, scheduled_for: at(NOON - 1) },
    "the past behind an offset": { ...PULL, scheduled_for: "2030-01-01T13:00:00+01:30" },
    "a millisecond beyond five years": { ...PULL, scheduled_for: at(FIVE_YEARS + 1) },
    "a time without an offset": { ...PULL, scheduled_for: "2030-06-01T00:00:00" },
    "a date": { ...PULL, scheduled_for: "2030-06-01" },
    "30 February": { ...PULL, scheduled_for: "2031-02-30T00:00:00Z" },
    "epoch milliseconds": { ...PULL, scheduled_for: NOON + 1_000 },
    "an empty text": { ...PULL, scheduled_for: "" },
    "a delay beside it": { ...PULL, scheduled_for: at(NOON + 1_000), delay: { value: 1, unit: "second" } },
  });

  it("stands beside a delay of null", async () => {
    expect(await blamed({ ...PULL, scheduled_for: at(NOON + 1_000), delay: null })).toEqual([]);
  });
});

describe("idempotency_key", () => {
  const UUID = "6F1A5E0C-0f6b-4a34-9d4b-0a3c1d2e3f40";
  accepts({
    "255 characters": { ...PULL, idempotency_key: "k".repeat(255) },
    "a UUID": { ...PULL, idempotency_key: UUID },
    "a UUID with a word": { ...PULL, idempotency_key: `${UUID}.a1` },
    "a UUID and digits within something longer": { ...PULL, idempotency_key: `x${UUID}.1` },
  });
  refuses("idempotency_key", {
    "256 characters": { ...PULL, idempotency_key: "k".repeat(256) },
    "an empty text": { ...PULL, idempotency_key: "" },
    "a number": { ...PULL, idempotency_key: 1 },
    "the form of a schedule's keys": { ...PULL, idempotency_key: `${UUID}.1893499200000` },
    "the same with one digit, in lower case": { ...PULL, idempotency_key: `${UUID.toLowerCase()}.0` },
  });
});

describe("delivery", () => {
  refuses("delivery", {
    "a text": { ...PULL, delivery: "pull" },
    "a number": { ...PULL, delivery: 1 },
  });
  refuses("delivery.type", {
    "an unknown type": { ...PULL, delivery: { type: "fax" } },
    "a missing type": { ...PULL, delivery: {} },
  });
  refuses("delivery.http", {
    "push without http": { name: "a job", delivery: { type: "push" } },
    "http with pull": { ...PULL, delivery: { type: "pull", http: HTTP } },
    "http as text": { name: "a job", delivery: { type: "push", http: TARGET } },
  });
  refuses("delivery.queue", {
    "a queue nobody bound": { ...PULL, delivery: { type: "pull", queue: "emails" } },
    "a queue with push": { name: "a job", delivery: { type: "push", http: HTTP, queue: "emails" } },
    "a number as queue": { ...PULL, delivery: { type: "pull", queue: 1 } },
  });
  refuses("delivery.http.method", {
    "a missing method": { name: "a job", delivery: { type: "push", http: { url: TARGET } } },
    "a method in lower case": push({ method: "post" }),
    "another method": push({ method: "HEAD" }),
  });

  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"])("takes the method %s", async (method) => {
    expect(await blamed(push({ method }))).toEqual([]);
  });

  it("names the queues there are when it does not know one", async () => {
    const env = { QUEUE_EMAILS: {}, QUEUE_IMAGE_RESIZE: {} };
    const { body } = await create({ ...PULL, delivery: { type: "pull", queue: "email" } }, env);
    expect(body.errors).toEqual([
      { field: "delivery.queue", message: expect.stringContaining("emails, image-resize") },
    ]);
  });

  it("takes a queue that is bound, and shows it", async () => {
    const delivery = { type: "pull", queue: "image-resize" };
    const { body } = await create({ ...PULL, delivery, delay: { value: 1, unit: "day" } }, { QUEUE_IMAGE_RESIZE: {} });
    expect(body.data.delivery).toEqual(delivery);
  });
});

describe("delivery.http.url", () => {
  accepts({
    "a port, a path and a query": push({ url: "https://hooks.example.com:8443/a/b?c=d" }),
    "an international host": push({ url: "https://bücher.example/x" }),
    "a public address": push({ url: "https://93.184.216.34/x" }),
    "8,192 characters": push({ url: `${TARGET}?`.padEnd(8_192, "x") }),
  });
  refuses("delivery.http.url", {
    "its absence": { name: "a job", delivery: { type: "push", http: { method: "POST" } } },
    "a number": push({ url: 1 }),
    "no URL": push({ url: "example.com" }),
    "8,193 characters": push({ url: `${TARGET}?`.padEnd(8_193, "x") }),
    "a tab": push({ url: "https://hooks.example.com/a\tb" }),
    "a line break": push({ url: "https://hooks.exam\nple.com/" }),
    "a line break at its end": push({ url: `${TARGET}\r\n` }),
    "a blank before it": push({ url: ` ${TARGET}` }),
    "a cluster's own name": push({ url: "https://kubernetes.default.svc/" }),
    "Azure's host": push({ url: "https://168.63.129.16/" }),
    http: push({ url: "http://hooks.example.com/" }),
    ftp: push({ url: "ftp://hooks.example.com/" }),
    "credentials in it": push({ url: "https://user:word@hooks.example.com/" }),
    localhost: push({ url: "https://localhost/" }),
    "a name under localhost": push({ url: "https://a.localhost/" }),
    "a name without a dot": push({ url: "https://intranet/" }),
    "a .local name with a final dot": push({ url: "https://printer.local./" }),
    "an .internal name": push({ url: "https://metadata.google.internal/" }),
    loopback: push({ url: "https://127.0.0.1/" }),
    "loopback as one number": push({ url: "https://2130706433/" }),
    "loopback in octal": push({ url: "https://0177.0.0.1/" }),
    "loopback cut short": push({ url: "https://127.1/" }),
    "a private network": push({ url: "https://10.0.0.1/" }),
    another: push({ url: "https://172.31.255.255/" }),
    "a third": push({ url: "https://192.168.1.1/" }),
    "link-local": push({ url: "https://169.254.169.254/latest/meta-data" }),
    "a carrier's own network": push({ url: "https://100.64.0.1/" }),
    "no host at all": push({ url: "https://0.0.0.0/" }),
    "IPv6 loopback": push({ url: "https://[::1]/" }),
    "IPv6 unique-local": push({ url: "https://[fd00::1]/" }),
    "IPv6 link-local": push({ url: "https://[fe80::1]/" }),
    "an IPv4 address mapped into IPv6": push({ url: "https://[::ffff:10.0.0.1]/" }),
    "a NAT64 address": push({ url: "https://[64:ff9b::a00:1]/" }),
    "the service itself": push({ url: "https://chronos.test/v1/jobs" }),
    "the service itself in other letters, with a final dot": push({ url: "https://CHRONOS.test./v1/jobs" }),
  });

  it("may not be one of PUBLIC_HOSTS", async () => {
    const env = { PUBLIC_HOSTS: "jobs.example.net, Chronos.example.com" };
    expect(await blamed(push({ url: "https://chronos.example.com/x" }), env)).toEqual(["delivery.http.url"]);
    expect(await blamed(push({ url: "https://other.example.com/x" }), env)).toEqual([]);
  });

  it("may be local in development only", async () => {
    const env = { ALLOW_LOCAL_TARGETS: "true" };
    expect(await blamed(push({ url: "http://localhost:8080/x" }), env)).toEqual([]);
    for (const off of ["false", "", "1", undefined])
      expect(await blamed(push({ url: "http://localhost:8080/x" }), { ALLOW_LOCAL_TARGETS: off })).not.toEqual([]);
  });
});

describe("delivery.http.headers", () => {
  const many = (n: number): Body => Object.fromEntries(Array.from({ length: n }, (_, i) => [`X-${i}`, "v"]));
  const PRINTABLE = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i));
  const weighing = (bytes: number): Body => ({ "X-A": "v".repeat(bytes - 3) });

  accepts({
    none: push({ headers: {} }),
    "50 of them": push({ headers: many(50) }),
    "8,192 bytes": push({ headers: weighing(8_192) }),
    "an empty value": push({ headers: { "X-A": "" } }),
    "an Authorization": push({ headers: { Authorization: "Bearer x" } }),
    "a value of every printable ASCII character": push({ headers: { "X-A": PRINTABLE } }),
    "a tab and a blank within a value": push({ headers: { "X-A": "a\t b" } }),
    "a name of letters, digits, - and _": push({ headers: { "x_A-1": "v" } }),
  });
  refuses("delivery.http.headers", {
    "51 of them": push({ headers: many(51) }),
    "one byte more than 8 KB": push({ headers: weighing(8_193) }),
    "a list": push({ headers: [["X-A", "v"]] }),
    "a text": push({ headers: "X-A: v" }),
    "the same name twice in other letters": push({ headers: { "X-A": "1", "x-a": "2" } }),
  });
  refuses("delivery.http.headers.X-A", {
    "a number": push({ headers: { "X-A": 1 } }),
    null: push({ headers: { "X-A": null } }),
    "a list of values": push({ headers: { "X-A": ["v"] } }),
    "a line break in a value": push({ headers: { "X-A": "v\r\nX-B: w" } }),
    "a bare newline in a value": push({ headers: { "X-A": "v\nw" } }),
    "a NUL in a value": push({ headers: { "X-A": "v\u0000" } }),
    "a value in Latin-1": push({ headers: { "X-A": "é" } }),
    "a value beyond Latin-1": push({ headers: { "X-A": "日" } }),
    "a DEL in a value": push({ headers: { "X-A": "v\u007f" } }),
    "a blank before a value": push({ headers: { "X-A": " v" } }),
    "a blank behind a value": push({ headers: { "X-A": "v " } }),
    "a tab behind a value": push({ headers: { "X-A": "v\t" } }),
    "a blank alone": push({ headers: { "X-A": " " } }),
  });

  it.each([
    "Host",
    "content-length",
    "Content-Type",
    "USER-AGENT",
    "Connection",
    "Keep-Alive",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "X-Chronos-Signature",
    "x-chronos-anything",
    "Webhook-Id",
    "webhook-signature",
    "CF-Connecting-IP",
    "cf-worker",
    "CF-",
    "Cf-Anything",
    "CDN-Loop",
    "X.A",
    "X~A",
    "",
    "X A",
    "X:A",
    "X-A\r\nX-B",
    "Ü",
  ])("refuses the name %j, on its own path", async (name) => {
    expect(await blamed(push({ headers: { [name]: "v" } }))).toEqual([`delivery.http.headers.${name}`]);
  });

  // valibot's `record` skips the first three: they are refused.
  it.each(["constructor", "__proto__", "prototype"])("does not lose the strange but valid name %s", keepsHeader);
  it.each(["toString", "valueOf"])("does not lose the strange but valid name %s", keepsHeader);

  async function keepsHeader(name: string) {
    const http = `{"url":"${TARGET}","method":"POST","headers":{"${name}":"v"}}`;
    const { body } = await create(`{"name":"a job","delivery":{"type":"push","http":${http}}}`);
    if (!body.success) return expect(body.code).toBe("validation_error");
    await new JobUnderTest(account, body.data.id).ring();
    expect(receiver.received[0]?.headers.get(name)).toBe("v");
  }
});

describe("timeout", () => {
  accepts({
    "1 second": { ...PULL, timeout: 1 },
    "600 seconds of push": push({}, { timeout: 600 }),
    "86,400 seconds of pull": { ...PULL, timeout: 86_400 },
  });
  refuses("timeout", {
    zero: { ...PULL, timeout: 0 },
    "a negative number": { ...PULL, timeout: -1 },
    "a fraction": { ...PULL, timeout: 1.5 },
    "a text": { ...PULL, timeout: "30" },
    "601 seconds of push": push({}, { timeout: 601 }),
    "86,401 seconds of pull": { ...PULL, timeout: 86_401 },
  });
});

describe("max_retries", () => {
  accepts({ zero: { ...PULL, max_retries: 0 }, "50": { ...PULL, max_retries: 50 } });
  refuses("max_retries", {
    "a negative number": { ...PULL, max_retries: -1 },
    "51": { ...PULL, max_retries: 51 },
    "a fraction": { ...PULL, max_retries: 0.5 },
    "a text": { ...PULL, max_retries: "3" },
  });
});

describe("backoff", () => {
  accepts({
    "exponential, with what is left out": { ...PULL, backoff: { type: "exponential" } },
    "a fixed wait of a day": { ...PULL, backoff: { type: "fixed", initial: 86_400 } },
    "50 delays": { ...PULL, backoff: { type: "list", delays: Array.from({ length: 50 }, () => 1) } },
  });
  refuses("backoff.type", { "another kind": { ...PULL, backoff: { type: "linear" } } });
  refuses("backoff.initial", {
    zero: { ...PULL, backoff: { type: "fixed", initial: 0 } },
    "more than a day": { ...PULL, backoff: { type: "exponential", initial: 86_401 } },
    "a fraction": { ...PULL, backoff: { type: "fixed", initial: 1.5 } },
  });
  refuses("backoff.max", {
    "less than the first wait": { ...PULL, backoff: { type: "fixed", initial: 60, max: 59 } },
    "more than a day": { ...PULL, backoff: { type: "exponential", max: 86_401 } },
  });
  refuses("backoff.jitter", { "a text": { ...PULL, backoff: { type: "fixed", jitter: "yes" } } });
  refuses("backoff.delays", {
    none: { ...PULL, backoff: { type: "list", delays: [] } },
    "51": { ...PULL, backoff: { type: "list", delays: Array.from({ length: 51 }, () => 1) } },
    missing: { ...PULL, backoff: { type: "list" } },
  });
  refuses("backoff.delays.1", { "a delay of zero": { ...PULL, backoff: { type: "list", delays: [1, 0] } } });

  it.each([
    [{ type: "exponential" }, { type: "exponential", initial: 1, max: 3_600, jitter: true }, 1, 2],
    [
      { type: "fixed", initial: 7_200, jitter: false },
      { type: "fixed", initial: 7_200, max: 7_200, jitter: false },
      7_200,
      7_200,
    ],
    [{ type: "list", delays: [5, 60] }, { type: "list", delays: [5, 60] }, 5, 5],
  ])("is shown with its defaults, and waits so: %j", async (backoff, shown, least, most) => {
    receiver.answers(500);
    const { body } = await create(push({}, { backoff }));
    const job = new JobUnderTest(account, body.data.id);
    await job.ring();
    const { run_at, backoff: seen, status } = await job.show();
    expect([seen, status]).toEqual([shown, "retrying"]);
    const waits = Date.parse(run_at ?? "") - NOON;
    expect(waits).toBeGreaterThanOrEqual(least * SECOND);
    expect(waits).toBeLessThanOrEqual(most * SECOND);
  });
});

describe("tags", () => {
  const ten = Array.from({ length: 10 }, (_, i) => `${i}`);
  accepts({
    none: { ...PULL, tags: [] },
    "10": { ...PULL, tags: ten },
    "64 characters": { ...PULL, tags: ["x".repeat(64)] },
  });
  refuses("tags", {
    "11": { ...PULL, tags: [...ten, "x"] },
    "one twice": { ...PULL, tags: ["a", "b", "a"] },
    "a text": { ...PULL, tags: "a" },
  });
  refuses("tags.0", {
    "an empty one": { ...PULL, tags: [""] },
    "65 characters": { ...PULL, tags: ["x".repeat(65)] },
    "a number": { ...PULL, tags: [1] },
  });
});

describe("flow", () => {
  accepts({ "1 character": { ...PULL, flow: "x" }, "255": { ...PULL, flow: "x".repeat(255) } });
  refuses("flow", { "an empty one": { ...PULL, flow: "" }, "256": { ...PULL, flow: "x".repeat(256) } });
});

describe("expires_after", () => {
  accepts({
    "a second": { ...PULL, expires_after: { value: 1, unit: "second" } },
    "five years": { ...PULL, expires_after: { value: 1_825, unit: "day" } },
  });
  refuses("expires_after", {
    "more than five years": { ...PULL, expires_after: { value: 1_826, unit: "day" } },
    "a number": { ...PULL, expires_after: 5 },
  });
  refuses("expires_after.value", { zero: { ...PULL, expires_after: { value: 0, unit: "second" } } });

  it("counts from the nominal time", async () => {
    const { body } = await create({
      ...PULL,
      delay: { value: 1, unit: "hour" },
      expires_after: { value: 2, unit: "minute" },
    });
    expect(body.data.expires_at).toBe(at(NOON + HOUR + 2 * MINUTE));
  });
});

describe("timezone", () => {
  const local = (scheduled_for: string, timezone?: string | null) => ({ ...PULL, scheduled_for, timezone });
  refuses("scheduled_for", {
    "neither offset nor zone": local("2030-03-31T09:00"),
    "a time of the past": local("2030-01-01T12:59", "Europe/Berlin"),
    "a date that is none": local("2030-02-30T09:00", "Europe/Berlin"),
    "more than five years ahead": local("2035-01-02T09:00", "Europe/Berlin"),
  });
  refuses("timezone", {
    "beside an offset": local("2030-03-31T09:00:00Z", "Europe/Berlin"),
    "without a time": { ...PULL, timezone: "Europe/Berlin" },
    "beside a delay": { ...PULL, delay: { value: 1, unit: "hour" }, timezone: "Europe/Berlin" },
    "one that is none": local("2030-03-31T09:00", "Europe/Paradise"),
  });

  it.each([
    ["2030-01-01T13:01", "Europe/Berlin", "2030-01-01T12:01:00.000Z"],
    ["2030-03-31T02:30", "Europe/Berlin", "2030-03-31T01:00:00.000Z"], // skipped: the first moment after
    ["2030-10-27T02:30", "Europe/Berlin", "2030-10-27T00:30:00.000Z"], // twice: the first
    ["2030-07-01T09:00:30.250", "America/New_York", "2030-07-01T13:00:30.250Z"],
  ])("%s in %s", async (scheduled_for, timezone, utc) => {
    const { status, body } = await create({ ...PULL, scheduled_for, timezone });
    expect([status, body.data.scheduled_for]).toEqual([201, utc]);
  });
});

describe("a field nobody knows is refused, so that a typo does not vanish", () => {
  refuses("priority", { "at the top": { ...PULL, priority: 1 } });
  refuses("toString", { "one that every object has": { ...PULL, toString: "x" } });
  refuses("__proto__", { "the prototype": '{"name":"a job","handler":"h","__proto__":{"timeout":1}}' });
  refuses("constructor", { "the constructor": '{"name":"a job","handler":"h","constructor":{}}' });
  refuses("schedule_id", { "one that answers have": { ...PULL, schedule_id: null } });
  refuses("delivery.url", { "in delivery": { ...push(), delivery: { type: "push", http: HTTP, url: TARGET } } });
  refuses("delivery.valueOf", {
    "in delivery, as every object has": { ...PULL, delivery: { type: "pull", valueOf: 1 } },
  });
  refuses("delivery.http.body", { "in http": push({ body: "x" }) });
  refuses("delivery.http.__proto__", {
    "in http, as every object has": `{"name":"a job","delivery":{"type":"push","http":{"url":"${TARGET}","method":"POST","__proto__":{}}}}`,
  });
  refuses("delay.__proto__", {
    "in delay": '{"name":"a job","handler":"h","delay":{"value":1,"unit":"second","__proto__":1}}',
  });

  it("in the query too", async () => {
    const { status, body } = await api("POST", "/v1/jobs?dry_run=1", { key: account.key, body: PULL });
    expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["dry_run"]]);
  });
});
