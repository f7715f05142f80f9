// POST /v1/jobs/batch (contract §2): up to a hundred jobs in one transaction, each as if it had come alone.

import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ARM_AHEAD_MS, SOON_MS } from "../../src/domain/timer.ts";
import worker from "../../src/index.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { type Answer, api, app, type Call, type JobJson, must, NO_RATE_LIMITS, requestOf } from "./harness/api.ts";
import { iso, MINUTE, NOON, setClock } from "./harness/clock.ts";
import { answerLost, databaseDown, OVERLOADED } from "./harness/database.ts";
import { JobUnderTest, newJob, PUSH, postJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

const MAX_BYTES = 1_048_576;
const TOMORROW = iso(NOON + 24 * 60 * MINUTE);

interface Entry {
  readonly status: number;
  readonly code?: string;
  readonly job: JobJson;
}

type Body = Record<string, unknown>;

const job = (more: Body = {}): Body => ({ name: "a job", delivery: PUSH, ...more });
const far = (more: Body = {}): Body => job({ scheduled_for: TOMORROW, ...more });
const jobs = (count: number, of: (n: number) => Body = () => far()): Body[] =>
  Array.from({ length: count }, (_, n) => of(n));

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await listed(); // the isolate knows the key from now on, whatever becomes of the database
});

const batch = (jobs: unknown, more: Call = {}) =>
  api<Entry[]>("POST", "/v1/jobs/batch", {
    key: account.key,
    ...(more.raw === undefined && { body: { jobs } }),
    ...more,
  });

const listed = async (): Promise<number> => (await api("GET", "/v1/jobs", { key: account.key })).body.meta.paging.total;

const statuses = ({ body }: Answer<Entry[]>): number[] => body.data.map(({ status }) => status);

async function blamed(jobs: unknown): Promise<readonly string[]> {
  const { status, body } = await batch(jobs);
  expect([status, body.code]).toEqual([422, "validation_error"]);
  expect(await listed()).toBe(0);
  return body.errors.map(({ field }) => field);
}

it("reads no more of an account that has many jobs", async () => {
  await env.DB.prepare(
    `INSERT INTO jobs (account_id, id, status, origin, name, delivery, timeout_seconds, max_retries, scheduled_for, updated_at)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
     SELECT ?, 'old-' || i, 'completed', 'api', 'old', '{"type":"pull","queue":null}', 1, 1, 1, 1 FROM n`,
  )
    .bind(account.id)
    .run();
  const batches = vi.spyOn(env.DB, "batch");
  const { status } = await batch(jobs(20, (n) => far({ idempotency_key: n % 2 === 0 ? `${n}` : null })));
  const answers = await Promise.all(batches.mock.results.map(({ value }) => value as Promise<D1Result[]>));
  batches.mockRestore();
  expect(status).toBe(201);
  for (const { meta } of answers.flat()) expect(meta.rows_read).toBeLessThan(20 * 10);
});

describe("what it makes", () => {
  it("is what the jobs would be if each had come alone, in their order", async () => {
    const asked = [
      { name: "one", handler: "h" },
      far({ name: "two", payload: { n: [1] }, tags: ["a"], flow: "f", idempotency_key: "k", timeout: 600 }),
      job({ name: "three", delay: { value: 1, unit: "hour" }, expires_after: { value: 1, unit: "hour" } }),
      job({ name: "four", scheduled_for: "2030-06-01T09:00", timezone: "Europe/Berlin", max_retries: 0 }),
    ];
    const { status, body } = await batch(asked);
    expect([status, body.message]).toEqual([201, "Jobs created."]);
    expect(body.data.map(({ status, job }) => [status, job.name])).toEqual(
      ["one", "two", "three", "four"].map((name) => [201, name]),
    );
    const other = await newAccount();
    for (const [n, one] of asked.entries()) {
      const alone = await must(api<JobJson>("POST", "/v1/jobs", { key: other.key, body: one }));
      expect({ ...body.data[n]?.job, id: "" }).toEqual({ ...alone, id: "" });
      expect(await new JobUnderTest(account, body.data[n]?.job.id ?? "").show()).toEqual(body.data[n]?.job);
    }
  });

  it("runs each of them", async () => {
    const { body } = await batch(jobs(3, (n) => job({ payload: { n } })));
    for (const { job } of body.data) await new JobUnderTest(account, job.id).ring();
    expect(receiver.received.map(({ body }) => JSON.parse(body).payload)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  it("counts as one request of the rate limit", async () => {
    const counted: string[] = [];
    const limit = async ({ key }: { key: string }) => ({ success: counted.push(key) > 0 });
    expect((await batch(jobs(100), { env: { API_RATE_LIMIT: { limit } } })).status).toBe(201);
    expect(counted).toHaveLength(1);
  });

  it("carries payloads as they were sent", async () => {
    const payload =
      '{"n":9007199254740993,"f":1.0,"z":-0,"big":1e400,"2":1,"1":2,"a":1,"a":2,"t":"\\u0041\\u0000\\"}]"}';
    const one = `{"name":"a job","delivery":${JSON.stringify(PUSH)},"payload":${payload.replaceAll(",", " ,\n ")}}`;
    const { text, body } = await batch(undefined, { raw: `{"jobs":[${one},${one}]}` });
    const made = body.data.map(({ job }) => new JobUnderTest(account, job.id));
    expect(text.split(`"payload":${payload}`)).toHaveLength(3);
    for (const one of made) {
      expect((await one.row())?.payload).toBe(payload);
      await one.ring();
    }
    for (const { body } of receiver.received) expect(body).toContain(`"payload":${payload}`);
  });
});

describe("how many and how large", () => {
  it.each([1, 100])("%i jobs are taken", async (count) => {
    expect(statuses(await batch(jobs(count)))).toEqual(Array(count).fill(201));
    expect(await listed()).toBe(count);
  });

  it.each<[string, unknown]>([
    ["none", []],
    ["101", jobs(101)],
    ["something else than a list", { 0: far() }],
    ["a text", "jobs"],
    ["null", null],
    ["nothing", undefined],
  ])("%s is refused on `jobs`", async (_, sent) => expect(await blamed(sent)).toEqual(["jobs"]));

  it("a field beside `jobs` is refused", async () => {
    const { status, body } = await api("POST", "/v1/jobs/batch", {
      key: account.key,
      body: { jobs: jobs(1), on_conflict: "reject" },
    });
    expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["on_conflict"]]);
  });

  it("1 MB is taken, and not a byte more", async () => {
    const text = JSON.stringify({ jobs: jobs(20, () => far({ payload: { text: "x".repeat(50_000) } })) });
    const taken = await batch(undefined, { raw: text.padEnd(MAX_BYTES, " ") });
    expect(taken.status).toBe(201);
    const refused = await batch(undefined, { raw: text.padEnd(MAX_BYTES + 1, " ") });
    expect([refused.status, refused.body.code]).toEqual([413, "payload_too_large"]);
    expect(await listed()).toBe(20);
  });

  const huge = (n: number) =>
    far({ name: `${n}`, payload: { text: "\\".repeat(30_000) }, idempotency_key: `${n % 14}` });

  it("what takes several statements is one transaction: one that fails takes the others back", async () => {
    const prepare = env.DB.prepare.bind(env.DB);
    let inserts = 0;
    const broken = vi
      .spyOn(env.DB, "prepare")
      .mockImplementation((query) =>
        prepare(query.startsWith("insert") && ++inserts === 2 ? `${query}, nowhere` : query),
      );
    expect((await batch(jobs(16, huge))).status).toBe(500);
    broken.mockRestore();
    expect(inserts).toBeGreaterThan(2);
    expect(await listed()).toBe(0);
  });

  it("and the first of those that share a key has it", async () => {
    const answer = await batch(jobs(16, huge));
    expect(statuses(answer)).toEqual([...Array(14).fill(201), 409, 409]);
    expect(answer.body.data.slice(14).map(({ job }) => job.name)).toEqual(["0", "1"]);
    expect(await listed()).toBe(14);
  });
});

describe("what is not valid", () => {
  it("is named with its place, for all items together, and nothing is made", async () => {
    const sent = [
      far(),
      far({ name: "" }),
      far({ name: undefined, colour: "red" }),
      far({ on_conflict: "replace", idempotency_key: "k" }),
      far({ delivery: { type: "push", http: { url: "https://x.example", method: "HEAD" } } }),
      far({ payload: [] }),
      "a job",
      null,
    ];
    expect((await blamed(sent)).toSorted()).toEqual([
      "jobs.1.name",
      "jobs.2.colour",
      "jobs.2.name",
      "jobs.3.on_conflict",
      "jobs.4.delivery.http.method",
      "jobs.5.payload",
      "jobs.6",
      "jobs.7",
    ]);
    expect((await postJob(account, { idempotency_key: "k" })).status).toBe(201);
  });

  it("is named likewise where the clock, the target, the queues or several fields decide", async () => {
    const sent = [
      far({ scheduled_for: iso(NOON) }),
      far(),
      job({ delay: { value: 6 * 365, unit: "day" } }),
      far({ delivery: { type: "push", http: { url: "https://127.0.0.1/", method: "POST" } } }),
      far({ handler: "h", delivery: { type: "pull", queue: "none" } }),
      far({ delivery: { type: "pull" } }),
      job({ scheduled_for: "2030-06-01T09:00" }),
      job({ timezone: "Europe/Berlin" }),
      far({ timeout: 601 }),
      far({ backoff: { type: "fixed", initial: 10, max: 9 } }),
    ];
    expect(await blamed(sent)).toEqual([
      "jobs.0.scheduled_for",
      "jobs.2.delay",
      "jobs.3.delivery.http.url",
      "jobs.4.delivery.queue",
      "jobs.5.handler",
      "jobs.6.scheduled_for",
      "jobs.7.timezone",
      "jobs.8.timeout",
      "jobs.9.backoff.max",
    ]);
  });

  it("of half a million items is told of the first 101", async () => {
    const { status, body } = await batch(undefined, { raw: `{"jobs":[${"0,".repeat(500_000)}0]}` });
    expect([status, body.errors.length]).toEqual([422, 101]);
  });
});

describe("an idempotency key", () => {
  it("that is in use is 409 in its place, with the job that holds it as its owner knows it now", async () => {
    receiver.answers(500);
    const [retrying, waiting] = [
      await newJob(account, { idempotency_key: "r" }),
      await newJob(account, { idempotency_key: "w", scheduled_for: TOMORROW }),
    ];
    await retrying.ring();
    const answer = await batch(["r", "new", "w"].map((idempotency_key) => far({ idempotency_key })));
    expect([answer.status, statuses(answer)]).toEqual([201, [409, 201, 409]]);
    const [first, , third] = answer.body.data;
    const code = "idempotency_key_conflict";
    expect(first).toEqual({ status: 409, code, job: await retrying.show() });
    expect(third).toEqual({ status: 409, code, job: await waiting.show() });
    expect(first?.job.status).toBe("retrying");
    expect(await waiting.isEmpty()).toBe(true); // it was not woken by being looked at
  });

  it("that is in use shows what its owner knows and the list does not know yet", async () => {
    const holder = await newJob(account, { idempotency_key: "k" });
    post.stop();
    await holder.ring();
    expect((await holder.row())?.status).toBe("pending");
    const { body } = await batch([far({ idempotency_key: "k" }), far()]);
    expect(body.data.map(({ job }) => job.status)).toEqual(["completed", "pending"]);
  });

  it("that is in use by all of them makes the answer a 200", async () => {
    const holder = await newJob(account, { idempotency_key: "k" });
    await holder.ring();
    const answer = await batch(jobs(2, () => far({ idempotency_key: "k" })));
    expect([answer.status, statuses(answer)]).toEqual([200, [409, 409]]);
    expect(answer.body.data.map(({ job }) => [job.id, job.status])).toEqual(Array(2).fill([holder.id, "completed"]));
  });

  it("that two of them share belongs to the first", async () => {
    const answer = await batch(jobs(3, (n) => far({ name: `${n}`, idempotency_key: "k" })));
    expect(statuses(answer)).toEqual([201, 409, 409]);
    expect(answer.body.data.map(({ job }) => job.name)).toEqual(["0", "0", "0"]);
    expect(answer.body.data[1]?.job).toEqual(answer.body.data[0]?.job);
    expect(await listed()).toBe(1);
  });

  it("is no other account's business", async () => {
    const other = await newAccount();
    await newJob(other, { idempotency_key: "k" });
    expect((await batch([far({ idempotency_key: "k" })])).status).toBe(201);
  });

  it.each(['"', "'", "a\u0000b", "😀", "null", "1", "[]"])("may be %j", async (idempotency_key) => {
    const once = () => batch([far({ idempotency_key }), far()]);
    expect(statuses(await once())).toEqual([201, 201]);
    expect(statuses(await once())).toEqual([409, 201]);
  });

  it("of 50 batches at once with the same keys, each key is made once", async () => {
    const keyed = (n: number) => far({ idempotency_key: `k${n}` });
    const orders = [jobs(10, keyed), jobs(10, keyed).reverse()];
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => batch(orders[n % 2])));
    const made = answers.flatMap(({ body }) => body.data.filter(({ status }) => status === 201));
    expect(made.map(({ job }) => job.idempotency_key).toSorted()).toEqual(
      jobs(10, keyed).map(({ idempotency_key }) => idempotency_key),
    );
    const holder = new Map(made.map(({ job }) => [job.idempotency_key, job.id]));
    for (const { body, status } of answers) {
      for (const { job } of body.data) expect(job.id).toBe(holder.get(job.idempotency_key));
      expect(status).toBe(body.data.some((entry) => entry.status === 201) ? 201 : 200);
    }
    expect(await listed()).toBe(10);
  });
});

describe("an insert whose answer was lost", () => {
  it.each(["D1_ERROR: Network connection lost.", OVERLOADED])("is recognised by its ids: %s", async (words) => {
    await newJob(account, { idempotency_key: "k", scheduled_for: TOMORROW });
    const lost = answerLost("insert", words);
    const answer = await batch([far(), far({ idempotency_key: "k" }), far({ idempotency_key: "l" }), job()]);
    lost.end();
    expect([answer.status, statuses(answer)]).toEqual([201, [201, 409, 201, 201]]);
    expect(await listed()).toBe(4);
    await new JobUnderTest(account, answer.body.data[3]?.job.id ?? "").ring();
    expect(receiver.received).toHaveLength(1);
  });

  it("and nobody can look: 503, and the same batch again finds its jobs", async () => {
    const keyed = jobs(3, (n) => far({ idempotency_key: `${n}` }));
    const lost = answerLost("insert", OVERLOADED, { blind: true });
    expect((await batch(keyed)).status).toBe(503);
    lost.end();
    expect(statuses(await batch(keyed))).toEqual([409, 409, 409]);
    expect(await listed()).toBe(3);
  });
});

it("a database that is down is 503, and nothing is made", async () => {
  const down = databaseDown();
  const { status, headers, body } = await batch(jobs(3, (n) => job({ idempotency_key: `${n}` })));
  down.end();
  expect([status, body.code, headers.has("Retry-After")]).toEqual([503, "unavailable", true]);
  expect(await listed()).toBe(0);
});

describe("owners", () => {
  /** How many owners are armed at the same time, and how many in all, while none answers. */
  async function arming(sent: readonly Body[]) {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const armed: string[] = [];
    const arm = ({ id }: { id: string }) => {
      armed.push(id);
      return gate;
    };
    const around = { ...env, ...NO_RATE_LIMITS, JOBS: { getByName: () => ({ arm }) } } as unknown as Cloudflare.Env;
    const context = createExecutionContext();
    let answered = false;
    const asked = requestOf("POST", "/v1/jobs/batch", { key: account.key, body: { jobs: sent } });
    const answer = Promise.resolve(app.fetch(asked, around, context)).finally(() => {
      answered = true;
    });
    await scheduler.wait(100);
    const seen = { answered, atOnce: armed.length };
    open();
    expect((await answer).status).toBe(201);
    await waitOnExecutionContext(context);
    return { ...seen, inAll: armed.length };
  }

  const dueIn = (ms: number) => job({ scheduled_for: iso(NOON + ms) });

  it("of jobs due within five minutes are there before the answer", async () => {
    expect(await arming([dueIn(SOON_MS - 1), far()])).toEqual({ answered: false, atOnce: 1, inAll: 1 });
  });

  it("of jobs due within the hour follow behind it", async () => {
    expect(await arming([dueIn(SOON_MS), dueIn(ARM_AHEAD_MS - 1)])).toEqual({ answered: true, atOnce: 2, inAll: 2 });
  });

  it("of jobs due later are not made", async () => {
    expect(await arming([dueIn(ARM_AHEAD_MS), far()])).toEqual({ answered: true, atOnce: 0, inAll: 0 });
  });

  it("are opened 25 at once", async () => {
    expect(await arming(jobs(100, () => job()))).toEqual({ answered: false, atOnce: 25, inAll: 100 });
  });

  it("of jobs whose key is in use are not armed again", async () => {
    await newJob(account, { idempotency_key: "k" });
    expect(await arming([job({ idempotency_key: "k" }), job()])).toMatchObject({ inAll: 1 });
  });

  it("that a crash between insert and arming has left out are found by the sweeper", async () => {
    const deaf = { getByName: () => ({ arm: () => Promise.reject(new Error("lost")) }) };
    const { status, body } = await batch(
      jobs(3, () => job()),
      { env: { JOBS: deaf } },
    );
    expect(status).toBe(201);
    const made = body.data.map(({ job }) => new JobUnderTest(account, job.id));
    for (const one of made) expect(await one.isEmpty()).toBe(true);
    setClock(NOON + MINUTE);
    await worker.scheduled(createScheduledController(), env);
    for (const one of made) {
      await one.ring();
      expect(await one.show()).toMatchObject({ status: "completed", attempts: 1 });
    }
  });
});
