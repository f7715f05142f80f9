// Whoever carries out a person's change may die at any await of it: the job's owner, or the Worker that changes a row nobody owns.
// Each is a point in a table, and each is killed once, before and after the call it waits for. Whatever the point: asked for again,
// the change is made; the job comes to its end; what is delivered is the old or the new; and row and owner agree.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { type Answer, api, type JobJson } from "../../workerd/harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob, postJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { PlatformAlarm, shortPausesPass } from "./harness/platform.ts";
import { recover, stateOf, sweepNow } from "./harness/recovery.ts";
import { momentsOf, Tripwire } from "./harness/tripwire.ts";

let account: Account;
const tripwire = new Tripwire("PULL_QUEUES", "PROJECTORS");
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM look_ahead")]);
  account = await newAccount();
  vi.spyOn(env.EXECUTIONS, "send").mockResolvedValue(undefined as never);
});
beforeEach(shortPausesPass);
afterEach(() => tripwire.remove());

const KEY = { idempotency_key: "k" };
const SOON = { delay: { value: 10, unit: "minute" }, payload: { n: 0 } };
const PULL = { handler: "work", delivery: { type: "pull" } };

/** A call of a person that its owner carries out. */
interface Change {
  readonly name: string;
  readonly body: Record<string, unknown>;
  readonly before?: (job: JobUnderTest) => Promise<unknown>;
  readonly ask: (job: JobUnderTest) => Promise<Answer<unknown>>;
  /** What its owner waits for, in this order. */
  readonly points: readonly string[];
  /** What the repetition of a change may be answered whose first try was made. */
  readonly again: readonly number[];
  /** What is true once it is made. */
  readonly made: (job: JobUnderTest) => Promise<void>;
}

const fields = (expected: object) => async (job: JobUnderTest) => {
  expect(await job.show()).toMatchObject(expected);
};

const rings = (job: JobUnderTest) => job.ringWhenSet();
const fails = async (job: JobUnderTest) => {
  receiver.answers(400, 200);
  await job.ringWhenSet();
};

const CHANGES: readonly Change[] = [
  {
    name: "an edit",
    body: SOON,
    ask: (job) => job.edit({ name: "new", payload: { n: 1 }, tags: ["new"] }),
    points: ["report"],
    again: [200],
    made: fields({ name: "new", tags: ["new"], run_at: iso(NOON + 10 * MINUTE) }),
  },
  {
    name: "an edit of its time",
    body: SOON,
    ask: (job) => job.edit({ scheduled_for: iso(NOON + 2 * HOUR), payload: { n: 1 } }),
    points: ["report"],
    again: [200],
    made: fields({ scheduled_for: iso(NOON + 2 * HOUR), run_at: iso(NOON + 2 * HOUR) }),
  },
  {
    name: "an edit of what is to be tried again",
    body: { ...SOON, max_retries: 2 },
    before: async (job) => {
      receiver.answers(500, 200);
      await job.ringWhenSet();
    },
    ask: (job) => job.edit({ name: "new", payload: { n: 1 } }),
    points: ["report"],
    again: [200],
    made: fields({ name: "new", status: "retrying" }),
  },
  {
    name: "a run",
    body: SOON,
    ask: (job) => job.run(),
    points: ["report"],
    again: [200],
    made: fields({ status: "pending", run_at: iso(NOON), scheduled_for: iso(NOON + 10 * MINUTE) }),
  },
  {
    name: "a cancellation",
    body: SOON,
    ask: (job) => job.cancel(),
    points: ["report", "erase"],
    again: [409],
    made: fields({ status: "cancelled" }),
  },
  {
    name: "a retry of an ended job",
    body: SOON,
    before: fails,
    ask: (job) => job.retry(),
    points: ["D1", "D1"],
    again: [409],
    made: fields({ status: "pending", attempts: 1 }),
  },
  {
    name: "a deletion",
    body: SOON,
    before: rings,
    ask: (job) => job.remove(),
    points: ["D1", "batch"],
    again: [404],
    made: async (job) => expect((await job.call("GET")).status).toBe(404),
  },
  {
    name: "a deletion of what the read model has not heard of",
    body: SOON,
    before: async (job) => {
      const lost = vi
        .spyOn(env.PROJECTORS, "getByName")
        .mockImplementation(
          () => ({ report: async () => "unavailable" }) as unknown as ReturnType<typeof env.PROJECTORS.getByName>,
        );
      await job.ringWhenSet();
      lost.mockRestore();
    },
    ask: (job) => job.remove(),
    points: ["report", "erase", "batch"],
    again: [404],
    made: async (job) => expect((await job.call("GET")).status).toBe(404),
  },
  {
    name: "a key that another takes from what waits for a worker",
    body: { ...PULL, ...KEY, timeout: 30 },
    before: rings,
    ask: (job) => asAnswer(job.owner.dropKey(job.ref)),
    points: ["report"],
    again: [200],
    made: fields({ idempotency_key: null, status: "queued" }),
  },
  {
    name: "a key that another takes from what has ended",
    body: { ...SOON, ...KEY },
    before: rings,
    ask: (job) => asAnswer(job.owner.dropKey(job.ref)),
    points: ["D1", "D1"],
    again: [200],
    made: fields({ idempotency_key: null, status: "completed" }),
  },
  {
    name: "a look that ends what has waited too long for a worker",
    body: { ...PULL, timeout: 30, expires_after: { value: 10, unit: "second" } },
    before: async (job) => {
      await rings(job);
      advance(10 * SECOND);
    },
    ask: (job) => job.call("GET"),
    points: ["polls", "report", "erase"],
    again: [200],
    made: fields({ status: "failed", last_error: { code: "expired" } }),
  },
];

/** What a call to an owner comes to over the API: a broken one is 503. */
async function asAnswer(call: Promise<{ readonly ok: boolean }>): Promise<Answer<unknown>> {
  const { ok } = await call.catch(() => ({ ok: false }));
  return { status: ok ? 200 : 503 } as Answer<unknown>;
}

async function readyFor({ body, before }: Change): Promise<JobUnderTest> {
  const job = await newJob(account, body);
  await before?.(job);
  return job;
}

/** Calls of the API itself are not its owner's. */
const ofOwner = (change: Change) => [...new Set(change.points)];

/** The read model shows what its owner holds, once the job is at rest. */
async function agree(job: JobUnderTest): Promise<void> {
  const [held, row] = [await stateOf(job), await job.row()];
  if (!held || !row) return;
  const { name, payload, tags, scheduledFor, idempotencyKey, expiresAt } = held;
  expect(row).toMatchObject({
    name,
    payload,
    scheduledFor,
    idempotencyKey,
    expiresAt,
    tags: tags.length ? tags : null,
  });
}

describe.each(CHANGES)("$name", (change) => {
  const { points, ask, again, made } = change;

  it("waits for the calls of the table, and for nothing else", async () => {
    const job = await readyFor(change);
    await tripwire.watch(job.owner, null, ofOwner(change));
    const { status } = await ask(job);
    await until(() => tripwire.passed.length >= points.length);
    await scheduler.wait(20);
    const passed = [...tripwire.passed];
    tripwire.remove();
    expect([status, passed.slice(-points.length)]).toEqual([200, points]);
    await made(job);
  });

  it.each(momentsOf(points))("whose owner dies $side call $call ($point)", async (moment) => {
    const job = await readyFor(change);
    await tripwire.watch(job.owner, null, ofOwner(change));
    await ask(job);
    await until(() => tripwire.passed.length >= points.length);
    await scheduler.wait(20);
    const extra = tripwire.passed.length - points.length; // made by the API before it asks
    tripwire.remove();

    const other = await readyFor({
      ...change,
      body: { ...change.body, ...(change.body.idempotency_key ? { idempotency_key: "k2" } : {}) },
    });
    await tripwire.watch(other.owner, { ...moment, call: moment.call + extra }, ofOwner(change));
    const first = await ask(other).catch(() => ({ status: 503 }));
    await until(() => tripwire.hasKilled);
    tripwire.remove();
    expect([200, 503]).toContain(first.status);
    const second = await ask(other);
    expect([200, ...again]).toContain(second.status);
    await made(other);
    await agreeInTheEnd(other);
    expect(logs.of("alarm_fault")).toEqual([]);
  });
});

async function agreeInTheEnd(job: JobUnderTest): Promise<void> {
  if ((await job.call("GET")).status === 404) {
    const alarm = new PlatformAlarm(job);
    while ((await job.alarm()) !== null) await alarm.ring();
    expect([await job.row(), await job.executionRows(), await job.isEmpty()]).toEqual([undefined, [], true]);
    return;
  }
  const before = await job.show();
  await recover(job, { limitMs: 3 * HOUR });
  for (let ring = 0; ring < 5 && (await job.alarm()) !== null; ring++) await job.ringWhenSet();
  const { name, tags, payload, scheduled_for, idempotency_key } = before;
  expect(await job.show()).toMatchObject({ name, tags, payload, scheduled_for, idempotency_key });
  await agree(job);
  expect(await job.isEmpty()).toBe(true);
  expect(await job.row()).toMatchObject({ name, reportDueAt: null });
}

/** A change that the Worker makes in a row: it dies between its calls, or their answers are lost. */
describe("a change of a row without an owner, whose Worker dies", () => {
  /** From this call on nothing that the Worker asks is done, or its answer arrives. */
  function diesAt(call: number, side: "before" | "after"): { end(): void; passed(): number } {
    let passed = 0;
    const prepare = env.DB.prepare.bind(env.DB);
    const isOver = () => passed > call || (passed === call && side === "before");
    const mortal = (statement: D1PreparedStatement): D1PreparedStatement =>
      new Proxy(statement, {
        get(target, name: keyof D1PreparedStatement) {
          if (name === "bind") return (...values: unknown[]) => mortal(target.bind(...values));
          const asked: unknown = target[name];
          if (typeof asked !== "function") return asked;
          return async (...values: never[]) => {
            passed += 1;
            if (isOver()) throw new Error("the Worker is dead");
            const answer = await asked.apply(target, values);
            if (passed === call) throw new Error("the Worker is dead");
            return answer;
          };
        },
      });
    const spies = [
      vi.spyOn(env.DB, "prepare").mockImplementation((query) => mortal(prepare(query))),
      vi.spyOn(env.JOBS, "getByName").mockImplementation(() => {
        passed += 1;
        throw new Error("the Worker is dead");
      }),
    ];
    return { end: () => spies.forEach((spy) => void spy.mockRestore()), passed: () => passed };
  }

  const FAR = { delay: { value: 2, unit: "day" }, payload: { n: 0 } };
  const ACTS: Record<string, { ask: (job: JobUnderTest) => Promise<Answer<JobJson>>; n: number; again: number[] }> = {
    "an edit": { ask: (job) => job.edit({ payload: { n: 1 } }), n: 1, again: [200] },
    "an edit that brings it near": {
      ask: (job) => job.edit({ payload: { n: 1 }, scheduled_for: iso(NOON + 2 * MINUTE) }),
      n: 1,
      again: [200],
    },
    "a run": { ask: (job) => job.run(), n: 0, again: [200] },
    "a cancellation": { ask: (job) => job.cancel(), n: -1, again: [409] },
  };
  const moments = Object.entries(ACTS).flatMap(([name, act]) =>
    [1, 2, 3, 4].flatMap((call) => (["before", "after"] as const).map((side) => ({ name, call, side, ...act }))),
  );

  it.each(moments)("$name, $side its call $call: asked for again it is made", async ({ call, side, ask, n, again }) => {
    const job = await newJob(account, FAR);
    const death = diesAt(call, side);
    await ask(job).catch(() => null);
    death.end();
    const second = await ask(job);
    expect([200, ...again]).toContain(second.status);
    await comesToItsEnd(job, n);
  });

  it.each(moments)("$name, $side its call $call: it is made or it is not", async ({ call, side, ask, n }) => {
    const job = await newJob(account, FAR);
    const death = diesAt(call, side);
    await ask(job).catch(() => null);
    death.end();
    const { status, payload, revision } = await job.show();
    const isMade = revision > 1;
    if (isMade && n < 0) expect(status).toBe("cancelled");
    await comesToItsEnd(job, isMade ? n : 0);
    expect(JSON.stringify(payload)).toBe(JSON.stringify({ n: isMade && n > 0 ? 1 : 0 }));
  });

  /** Nobody asks any more: the cron and the alarms see to it. */
  async function comesToItsEnd(job: JobUnderTest, n: number): Promise<void> {
    const { run_at, status } = await job.show();
    if (n < 0) {
      expect(status).toBe("cancelled");
      setClock(NOON + 3 * DAY);
      await sweepNow();
      expect(receiver.received).toEqual([]);
      return;
    }
    const dueAt = Date.parse(run_at ?? "");
    if (dueAt > NOON + HOUR) {
      setClock(dueAt - HOUR);
      await sweepNow();
    }
    setClock(Math.max(dueAt, Date.now()));
    await recover(job);
    expect(receiver.received.map(({ body }) => JSON.parse(body).payload.n)).toEqual([n]);
    expect(Date.now() - Math.max(dueAt, NOON)).toBeLessThanOrEqual(75 * SECOND + MINUTE);
    expect(await job.row()).toMatchObject({ status: "completed", reportDueAt: null });
  }
});

describe("a replacement whose Worker dies between taking the key and making the job", () => {
  it("leaves the first job as it is, without its key, and the next one has it", async () => {
    const job = await newJob(account, KEY);
    await job.ring();
    const replace = { ...KEY, name: "new", on_conflict: "replace", delay: { value: 1, unit: "hour" } };
    const prepare = env.DB.prepare.bind(env.DB);
    let inserts = 0;
    const dead = vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
      if (query.startsWith('insert into "jobs"') && ++inserts > 1) throw new Error("the Worker is dead");
      return prepare(query);
    });
    expect((await postJob(account, replace)).status).toBeGreaterThanOrEqual(500);
    dead.mockRestore();
    expect(inserts).toBe(2);
    expect(await job.show()).toMatchObject({ status: "completed", idempotency_key: null });
    advance(SECOND);
    expect((await postJob(account, replace)).status).toBe(201);
    expect((await postJob(account, replace)).status).toBe(200);
  });
});

describe("an owner that takes up what another may still change", () => {
  const DUE = NOON + 66 * MINUTE;
  /** The row for whoever asks, the row for its owner, the account, the word in the row. */
  const POINTS = ["D1", "D1", "D1", "D1"];

  async function contested(): Promise<JobUnderTest> {
    const job = await newJob(account, { scheduled_for: iso(DUE), payload: { n: 0 } });
    setClock(NOON + 3 * MINUTE); // no longer without an owner
    await api("GET", "/v1/jobs?size=1", { key: account.key }); // the key is known from here on
    return job;
  }

  it("waits for the calls of the table, and for nothing else", async () => {
    const job = await contested();
    await tripwire.watch(job.owner, null);
    expect((await job.retry()).status).toBe(409);
    expect(tripwire.passed).toEqual(POINTS);
    expect([(await job.stored())?.revision, (await job.row())?.revision]).toEqual([1, 1]);
  });

  it.each(momentsOf(POINTS))("and dies $side call $call: the job runs as it is, swept if need be", async (moment) => {
    const job = await contested();
    await tripwire.watch(job.owner, moment);
    const refused = await job.retry().catch(() => ({ status: 503 }));
    expect(tripwire.hasKilled).toBe(true);
    expect(refused.status).toBe(moment.call === 1 ? 409 : 503); // nobody has asked its owner yet
    tripwire.remove();
    const edited = await job.edit({ payload: { n: 1 } });
    expect(edited.status).toBe(200);
    setClock(DUE);
    await recover(job);
    expect(receiver.received.map(({ body }) => JSON.parse(body).payload.n)).toEqual([1]);
    expect(await job.row()).toMatchObject({ status: "completed" });
  });

  it.each(momentsOf(POINTS))("and dies $side call $call, and nobody asks again", async (moment) => {
    const job = await contested();
    await tripwire.watch(job.owner, moment);
    await job.retry().catch(() => null);
    tripwire.remove();
    setClock(DUE);
    expect(await recover(job)).toBeLessThanOrEqual(3 * MINUTE);
    expect(receiver.received).toHaveLength(1);
  });
});
