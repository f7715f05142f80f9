// Jobs that are changed, run before their time, and deleted (contract §2), whoever keeps them: an owner or only a row.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount, suspend } from "./harness/account.ts";
import { api, type JobJson } from "./harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "./harness/clock.ts";
import { type JobUnderTest, newJob, PUSH } from "./harness/job.ts";
import { receiver, TARGET } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const PULL = { handler: "h", delivery: { type: "pull" } };

/** Before an owner is made, and after. */
const KEEPERS = {
  "kept by its owner": { delay: { value: 30, unit: "minute" } },
  "kept by its row alone": { delay: { value: 3, unit: "day" } },
} as const;

const listed = async (id: string): Promise<JobJson | undefined> =>
  (await api<JobJson[]>("GET", "/v1/jobs", { key: account.key })).body.data.find((job) => job.id === id);

/** A job in each state. */
const STATES: Record<string, (more: object) => Promise<JobUnderTest>> = {
  pending: (more) => newJob(account, { ...more, delay: { value: 1, unit: "hour" } }),
  retrying: async (more) => {
    receiver.answers(500);
    const job = await newJob(account, { ...more });
    await job.ring();
    return job;
  },
  queued: async (more) => {
    const job = await newJob(account, { ...PULL, ...more });
    await job.ring();
    return job;
  },
  running: async (more) => {
    const job = await newJob(account, { ...PULL, ...more });
    await job.ring();
    const body = { handlers: ["h"], wait_time_seconds: 0 };
    await api("POST", "/v1/worker/jobs/claim", { key: account.key, body });
    return job;
  },
  completed: async (more) => {
    const job = await newJob(account, { ...more });
    await job.ring();
    return job;
  },
  failed: async (more) => {
    receiver.answers(404);
    const job = await newJob(account, { ...more });
    await job.ring();
    return job;
  },
  cancelled: async (more) => {
    const job = await newJob(account, { ...more, delay: { value: 1, unit: "hour" } });
    await job.cancel();
    return job;
  },
};

const inState = async (status: string, more: object = {}): Promise<JobUnderTest> => {
  const job = await STATES[status]?.(more);
  if (!job) throw new Error(status);
  expect((await job.show()).status).toBe(status);
  return job;
};

describe.each(Object.entries(KEEPERS))("a job that is %s", (_, when) => {
  const EVERYTHING = {
    name: "another",
    handler: "other",
    payload: { n: 2 },
    delay: { value: 40, unit: "minute" },
    delivery: { type: "push", http: { url: `${TARGET}?b`, method: "PUT", headers: { "X-B": "b" } } },
    timeout: 7,
    max_retries: 9,
    backoff: { type: "list", delays: [5] },
    tags: ["x", "y"],
    flow: "f",
    expires_after: { value: 1, unit: "hour" },
  };
  const SHOWN = (({ delay: _, expires_after: __, ...shown }) => shown)(EVERYTHING);

  it("is another one in every field, at once, here and in the list", async () => {
    const job = await newJob(account, { ...when, payload: { n: 1 }, idempotency_key: "k" });
    const before = await job.show();
    advance(MINUTE);
    const { status, body, headers } = await job.edit(EVERYTHING);
    const due = iso(NOON + 41 * MINUTE);
    expect([status, headers.get("ETag")]).toEqual([200, `"${body.data.revision}"`]);
    expect(body.data).toEqual({
      ...before,
      ...SHOWN,
      scheduled_for: due,
      run_at: due,
      expires_at: iso(NOON + 101 * MINUTE),
      updated_at: iso(NOON + MINUTE),
      revision: before.revision + 1,
    });
    expect(await job.show()).toEqual(body.data);
    expect(await listed(job.id)).toEqual(body.data);
    await job.ringAt(NOON + 41 * MINUTE);
    expect(receiver.received.map(({ url, method, body }) => [url, method, JSON.parse(body).payload])).toEqual([
      [`${TARGET}?b`, "PUT", { n: 2 }],
    ]);
  });

  it("keeps what is left out, and goes back to the default where null is said", async () => {
    const job = await newJob(account, { ...when, ...SHOWN, expires_after: { value: 1, unit: "hour" } });
    const before = await job.show();
    const { body: kept } = await job.edit({ name: "c" });
    expect(kept.data).toEqual({ ...before, name: "c", revision: before.revision + 1 });
    const nothing = { handler: null, payload: null, timeout: null, max_retries: null, backoff: null };
    const { body } = await job.edit({ ...nothing, tags: null, flow: null, expires_after: null });
    expect(body.data).toMatchObject({
      ...nothing,
      timeout: 30,
      max_retries: 3,
      tags: [],
      flow: null,
      callbacks: null,
      expires_at: null,
    });
    const { body: pulled } = await job.edit({ delivery: null, handler: "h" });
    expect(pulled.data).toMatchObject({
      delivery: { type: "pull" },
      handler: "h",
      scheduled_for: before.scheduled_for,
    });
  });

  it("is due at once when its time goes back to the default", async () => {
    const job = await newJob(account, when);
    const { body } = await job.edit({ scheduled_for: null });
    expect([body.data.status, body.data.run_at]).toEqual(["pending", iso(NOON)]);
    await job.ring();
    expect((await job.show()).status).toBe("completed");
    expect(receiver.received).toHaveLength(1);
  });

  it("is found at the time of a clock on a wall", async () => {
    const job = await newJob(account, when);
    const { body } = await job.edit({ scheduled_for: "2030-01-05T09:00", timezone: "Europe/Berlin" });
    expect(body.data.run_at).toBe("2030-01-05T08:00:00.000Z");
  });

  it.each([
    ["name", { name: null }],
    ["name", { name: "" }],
    ["handler", { delivery: { type: "pull" }, handler: null }],
    ["timeout", { timeout: 601 }],
    ["scheduled_for", { scheduled_for: iso(NOON) }],
    ["scheduled_for", { scheduled_for: iso(NOON + HOUR), delay: { value: 1, unit: "hour" } }],
    ["delivery.http.url", { delivery: { type: "push", http: { url: "https://10.0.0.1/", method: "POST" } } }],
    ["backoff.max", { backoff: { type: "fixed", initial: 9, max: 8 } }],
    ["idempotency_key", { idempotency_key: "k" }],
    ["on_conflict", { on_conflict: "replace" }],
    ["id", { id: "x" }],
  ])("stays as it is when its %s would not do: %j", async (field, changes) => {
    const job = await newJob(account, when);
    const before = await job.show();
    const { status, body } = await job.edit(changes);
    expect([status, body.code, body.errors.map((error) => error.field)]).toEqual([422, "validation_error", [field]]);
    expect(await job.show()).toEqual(before);
  });

  it("is changed only at the revision that was read", async () => {
    const job = await newJob(account, when);
    const { headers } = await job.call("GET");
    const read = headers.get("ETag") ?? "";
    expect((await job.edit({ name: "first" }, { ifMatch: read })).status).toBe(200);
    const { status, body } = await job.edit({ name: "second" }, { ifMatch: read });
    expect([status, body.code, body.data]).toEqual([412, "precondition_failed", await job.show()]);
    expect((await job.edit({ name: "third" }, { ifMatch: `"7000", "${body.data.revision}"` })).body.data.name).toBe(
      "third",
    );
    expect((await job.edit({ name: "fourth" }, { ifMatch: "*" })).body.data.name).toBe("fourth");
    expect((await job.edit({ name: "fifth" }, { ifMatch: "W/nonsense" })).status).toBe(412);
    expect((await job.show()).name).toBe("fourth");
  });

  it("keeps its revision when its owner takes it up", async () => {
    const job = await newJob(account, when);
    await job.edit({ name: "b" });
    const before = await job.show();
    setClock(Date.parse(before.run_at ?? "") - MINUTE);
    await job.owner.wake(job.ref);
    expect(await job.show()).toEqual(before);
  });

  it("takes many changes at once, all of them", async () => {
    const job = await newJob(account, when);
    const changes = [
      { name: "n" },
      { handler: "x" },
      { payload: { a: 1 } },
      { timeout: 9 },
      { max_retries: 1 },
      { flow: "f" },
    ];
    const answers = await Promise.all(changes.map((change) => job.edit(change)));
    expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200));
    expect(await job.show()).toMatchObject(Object.assign({}, ...changes));
  });

  it("runs now, its nominal time stays", async () => {
    const job = await newJob(account, when);
    const before = await job.show();
    advance(MINUTE);
    const { status, body } = await job.run();
    expect([status, body.data]).toEqual([
      200,
      { ...before, run_at: iso(Date.now()), updated_at: iso(Date.now()), revision: before.revision + 1 },
    ]);
    await job.ring();
    expect((await job.show()).status).toBe("completed");
    expect(await job.executions()).toMatchObject([{ trigger: "manual_run", due_at: iso(NOON + MINUTE) }]);
  });

  it("cannot be deleted before it has ended, and is gone with everything then", async () => {
    const job = await newJob(account, { ...when, idempotency_key: "k" });
    expect(await job.remove()).toMatchObject({ status: 409, body: { code: "job_not_deletable" } });
    await job.cancel();
    const { status, body } = await job.remove();
    expect([status, body.data]).toEqual([200, null]);
    expect((await job.call("GET")).status).toBe(404);
    expect((await job.remove()).body.code).toBe("job_not_found");
    expect(await listed(job.id)).toBeUndefined();
    expect((await newJob(account, { idempotency_key: "k" })).id).not.toBe(job.id);
  });
});

describe("a job far ahead", () => {
  it("is changed, run late, and cancelled without an object", async () => {
    const asked = vi.spyOn(env.JOBS, "getByName");
    const job = await newJob(account, { delay: { value: 3, unit: "day" } });
    await job.edit({ name: "b", delay: { value: 2, unit: "day" } });
    await job.cancel();
    advance(HOUR);
    await job.remove();
    expect(asked).not.toHaveBeenCalled();
  });

  it("gets its owner once it is moved near", async () => {
    const job = await newJob(account, { delay: { value: 3, unit: "day" } });
    await job.edit({ delay: { value: 2, unit: "minute" } });
    expect(await job.alarm()).toBe(NOON + 2 * MINUTE);
    await job.ringWhenSet();
    expect((await job.show()).status).toBe("completed");
  });

  it("a job moved far away keeps its owner, and its row says when", async () => {
    const job = await newJob(account, { delay: { value: 2, unit: "minute" } });
    await job.edit({ delay: { value: 3, unit: "day" } });
    await job.ringWhenSet(); // once more, for the report it had made already
    expect([await job.alarm(), (await job.row())?.runAt]).toEqual([NOON + 3 * DAY, NOON + 3 * DAY]);
    setClock(NOON);
    await job.edit({ delay: { value: 4, unit: "day" } });
    await job.ringWhenSet();
    expect([await job.alarm(), (await job.row())?.runAt]).toEqual([NOON + 4 * DAY, NOON + 4 * DAY]);
    await job.wipe(); // as after a loss: what was changed is in the row
    expect(await job.show()).toMatchObject({ run_at: iso(NOON + 4 * DAY), status: "pending" });
  });
});

describe.each(["queued", "running", "completed", "failed", "cancelled"])("a job that is %s", (status) => {
  it("is not changed", async () => {
    const job = await inState(status);
    const before = await job.show();
    expect(await job.edit({ name: "b" })).toMatchObject({ status: 409, body: { code: "job_not_editable" } });
    expect(await job.show()).toEqual(before);
  });

  it("is not run", async () => {
    const job = await inState(status);
    expect(await job.run()).toMatchObject({ status: 409, body: { code: "job_not_runnable" } });
  });
});

describe("a job that is retrying", () => {
  it("is changed but for its time", async () => {
    const job = await inState("retrying");
    const before = await job.show();
    const refused = await job.edit({ delay: { value: 1, unit: "hour" } });
    expect([refused.status, refused.body.code]).toEqual([409, "job_not_editable"]);
    expect((await job.edit({ scheduled_for: null })).body.code).toBe("job_not_editable");
    const { body } = await job.edit({ payload: { n: 2 }, max_retries: 0 });
    expect(body.data).toMatchObject({ status: "retrying", payload: { n: 2 }, run_at: before.run_at });
    expect(await listed(job.id)).toEqual(body.data);
    receiver.answers(200);
    await job.ringWhenSet();
    expect(JSON.parse(receiver.received.at(-1)?.body ?? "").payload).toEqual({ n: 2 });
  });

  it("is run before its time", async () => {
    const job = await inState("retrying");
    receiver.answers(200);
    expect((await job.run()).body.data).toMatchObject({ status: "pending", run_at: iso(NOON) });
    await job.ring();
    const executions = await job.executions();
    expect(executions.map(({ trigger, status }) => [trigger, status])).toEqual([
      ["scheduled", "failed"],
      ["manual_run", "completed"],
    ]);
  });
});

describe.each(["pending", "retrying", "queued", "running"])("a job that is %s", (status) => {
  it("is not deleted", async () => {
    const job = await inState(status);
    expect(await job.remove()).toMatchObject({ status: 409, body: { code: "job_not_deletable" } });
    expect((await job.show()).status).toBe(status);
  });
});

describe.each(["completed", "failed", "cancelled"])("a job that is %s", (status) => {
  it.each([0, HOUR])("is deleted, after %d ms", async (ms) => {
    const job = await inState(status);
    advance(ms);
    expect((await job.remove({ ifMatch: `"1000"` })).body.code).toBe("precondition_failed");
    const { revision } = await job.show();
    expect((await job.remove({ ifMatch: `"${revision}"` })).status).toBe(200);
    expect([await job.row(), await job.executionRows()]).toEqual([undefined, []]);
    advance(MINUTE);
    await job.ring();
    expect([await job.isEmpty(), await job.row()]).toEqual([true, undefined]);
    expect((await job.retry()).status).toBe(404);
  });
});

it("superseded attempts go with their job", async () => {
  receiver.answers(500, 200);
  const job = await newJob(account);
  await job.ring();
  await job.ringWhenSet();
  expect(await job.executionRows()).toHaveLength(1);
  advance(HOUR);
  await job.remove();
  expect(await job.executionRows()).toEqual([]);
});

describe("a job that gives up after a while", () => {
  const SOON = { expires_after: { value: 2, unit: "second" } };
  const FAILED = { status: "failed", completed_at: iso(NOON + 2 * SECOND), last_error: { code: "expired" } };

  it("whose target is down fails on time, and shows why each attempt failed", async () => {
    receiver.answers(500);
    const job = await newJob(account, { ...SOON, backoff: { type: "list", delays: [60] } });
    await job.ring();
    expect((await job.show()).status).toBe("retrying");
    expect(await job.alarm()).toBe(NOON + 2 * SECOND);
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ ...FAILED, attempts: 1 });
    expect((await job.show()).last_error?.message).toContain("The target answered 500");
    const shown = await job.executions();
    expect(shown).toMatchObject([{ status: "failed", error: { code: "http_status" } }]);
    await job.ringUntilEmpty();
    expect(await job.executions()).toEqual(shown);
  });

  it("that no worker takes fails on time, and can be claimed no more", async () => {
    const job = await newJob(account, { ...PULL, ...SOON });
    await job.ring();
    expect((await job.show()).status).toBe("queued");
    setClock(NOON + 2 * SECOND);
    const body = { handlers: ["h"], wait_time_seconds: 0 };
    expect((await api("POST", "/v1/worker/jobs/claim", { key: account.key, body })).body.data).toBeNull();
    expect(await job.show()).toMatchObject(FAILED);
    expect(await job.executions()).toMatchObject([{ status: "cancelled", error: null }]);
  });

  it("of a suspended account fails on time", async () => {
    const job = await newJob(account, SOON);
    await suspend(account);
    await job.ring();
    expect(await job.alarm()).toBe(NOON + 2 * SECOND);
    await job.ringWhenSet();
    expect((await job.row())?.status).toBe("failed");
    expect((await job.row())?.lastError?.code).toBe("expired");
    expect(receiver.received).toEqual([]);
  });

  it("has time again once it is retried by hand", async () => {
    receiver.answers(500);
    const job = await newJob(account, { ...SOON, backoff: { type: "list", delays: [60] } });
    await job.ring();
    await job.ringWhenSet();
    advance(HOUR);
    receiver.answers(200);
    const { body } = await job.retry();
    expect(body.data).toMatchObject({ status: "pending", expires_at: iso(Date.now() + 2 * SECOND) });
    await job.ring();
    expect((await job.show()).status).toBe("completed");
  });

  it("is not given up while an attempt is under way", async () => {
    const job = await newJob(account, { ...PULL, ...SOON });
    await job.ring();
    const body = { handlers: ["h"], wait_time_seconds: 0 };
    const { data } = (await api<{ execution_id: string }>("POST", "/v1/worker/jobs/claim", { key: account.key, body }))
      .body;
    setClock(NOON + 10 * SECOND);
    expect((await job.show()).status).toBe("running");
    const report = { execution_id: data.execution_id };
    await api("POST", `/v1/worker/jobs/${job.id}/complete`, { key: account.key, body: report });
    expect((await job.show()).status).toBe("completed");
  });
});

describe("a key whose job is to be replaced", () => {
  const KEY = { idempotency_key: "k", on_conflict: "replace" };
  const post = (body: object) =>
    api<JobJson>("POST", "/v1/jobs", { key: account.key, body: { name: "a job", delivery: PUSH, ...KEY, ...body } });

  it("that nobody holds makes a job", async () => {
    expect((await post({})).status).toBe(201);
  });

  it.each(Object.entries(KEEPERS))("whose job is %s: it becomes the new one", async (_, when) => {
    const first = (await post({ ...when, payload: { n: 1 }, tags: ["a"] })).body.data;
    advance(SECOND);
    const { status, body } = await post({ delay: { value: 40, unit: "minute" }, payload: { n: 2 } });
    expect([status, body.message]).toEqual([200, "Job replaced."]);
    expect(body.data).toMatchObject({ id: first.id, created_at: first.created_at, payload: { n: 2 }, tags: [] });
    expect(body.data.run_at).toBe(iso(NOON + SECOND + 40 * MINUTE));
    expect(await listed(first.id)).toEqual(body.data);
  });

  it.each(["retrying", "queued", "running", "completed", "failed", "cancelled"])(
    "whose job is %s: it moves to a new one",
    async (status) => {
      const held = await inState(status, { idempotency_key: "k" });
      const { status: answered, body } = await post({ delay: { value: 1, unit: "hour" } });
      expect([answered, body.data.idempotency_key]).toEqual([201, "k"]);
      expect(body.data.id).not.toBe(held.id);
      expect((await held.row())?.idempotencyKey).toBeNull();
      expect((await held.show()).status).toBe(status);
    },
  );

  it("without a key is a job like any other", async () => {
    const { status } = await post({ idempotency_key: null });
    expect([status, (await post({ idempotency_key: null })).status]).toEqual([201, 201]);
  });

  it.each(["hour", "day"])(
    "leaves one job of fifty at once, with the content of one of them, a %s ahead",
    async (unit) => {
      const all = await Promise.all(
        Array.from({ length: 50 }, (_, n) => post({ payload: { n }, delay: { value: 1, unit } })),
      );
      expect(all.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(all.filter(({ status }) => status === 200)).toHaveLength(49);
      const { data } = (await api<JobJson[]>("GET", "/v1/jobs", { key: account.key })).body;
      expect(data).toHaveLength(1);
      expect(data[0]?.payload).toBeDefined();
      expect(all.map(({ body }) => JSON.stringify(body.data.payload))).toContain(JSON.stringify(data[0]?.payload));
    },
  );
});

it("another account's job is nobody's", async () => {
  const job = await newJob(account, { delay: { value: 1, unit: "hour" } });
  const other = await newAccount();
  for (const [method, action, body] of [
    ["PATCH", "", { name: "b" }],
    ["POST", "/run"],
    ["DELETE", ""],
  ] as const) {
    const { status, body: answer } = await api(method, `/v1/jobs/${job.id}${action}`, { key: other.key, body });
    expect([status, answer.code]).toEqual([404, "job_not_found"]);
  }
});
