// A job that is far ahead has no owner: a change of it is a change of its row, guarded by the revision, and makes no object.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { api, must } from "../harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { answerLost, OVERLOADED } from "../harness/database.ts";
import { type JobUnderTest, newJob } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM look_ahead")]);
  account = await newAccount();
});

const dueAt = (at: number, body: object = {}) => newJob(account, { scheduled_for: iso(at), ...body });
const inADay = (body: object = {}) => dueAt(NOON + DAY, body);
const cron = () => worker.scheduled(createScheduledController(), env);
const deliveredNames = () => receiver.received.map(({ body }) => JSON.parse(body).payload?.n);

/** Objects of which each call is lost. */
const DEAF = { getByName: () => ({ wake: () => Promise.reject(new Error("lost")) }) };

/** Beyond this a row has no owner. */
const OWNED_MS = 65 * MINUTE + 30 * SECOND;

describe("makes no object", () => {
  const CHANGES: Record<string, [(job: JobUnderTest) => Promise<{ readonly status: number }>, number]> = {
    "an edit": [(job) => job.edit({ name: "new", payload: { n: 1 } }), 200],
    "an edit of its time": [(job) => job.edit({ scheduled_for: iso(NOON + 2 * DAY) }), 200],
    "a refused edit": [(job) => job.edit({ timeout: 601 }), 422],
    "an edit on a condition that does not hold": [(job) => job.edit({}, { headers: { "If-Match": '"7"' } }), 412],
    "a cancellation": [(job) => job.cancel(), 200],
    "a refused retry": [(job) => job.retry(), 409],
    "a refused deletion": [(job) => job.remove(), 409],
  };

  it.each(Object.entries(CHANGES))("%s", async (_, [change, status]) => {
    const job = await inADay();
    const asked = vi.spyOn(env.JOBS, "getByName");
    expect((await change(job)).status).toBe(status);
    await job.show();
    await job.executions();
    expect(asked).not.toHaveBeenCalled();
    expect(await job.isEmpty()).toBe(true);
  });

  it("a replacement of it", async () => {
    const job = await inADay({ idempotency_key: "k" });
    const asked = vi.spyOn(env.JOBS, "getByName");
    const again = { name: "new", handler: "h", idempotency_key: "k", on_conflict: "replace", delay: day(3) };
    expect((await api("POST", "/v1/jobs", { key: account.key, body: again })).status).toBe(200);
    expect(await job.show()).toMatchObject({ name: "new", handler: "h", scheduled_for: iso(NOON + 3 * DAY) });
    expect(asked).not.toHaveBeenCalled();
  });
});

const day = (value: number) => ({ value, unit: "day" });

describe("the row", () => {
  it("shows the change at once, and counts it", async () => {
    const job = await inADay({ tags: ["a"] });
    expect((await job.call("GET")).headers.get("ETag")).toBe('"1"');
    advance(SECOND);
    const edited = await job.edit({ name: "new", tags: ["b", "c"], expires_after: day(1) });
    expect(edited.headers.get("ETag")).toBe('"2"');
    expect(edited.body.data).toMatchObject({
      name: "new",
      tags: ["b", "c"],
      revision: 2,
      updated_at: iso(NOON + 1_000),
    });
    expect(await job.show()).toEqual(edited.body.data);
    expect((await api("GET", "/v1/jobs", { key: account.key })).body.data).toEqual([edited.body.data]);
  });

  it("keeps its revision when its owner takes it up: an ETag read before still holds", async () => {
    const job = await inADay();
    await job.edit({ name: "new" });
    setClock(NOON + DAY - HOUR);
    await cron();
    expect(await job.stored()).toMatchObject({ name: "new", revision: 2 });
    expect((await job.edit({ name: "newer" }, { headers: { "If-Match": '"2"' } })).status).toBe(200);
    expect(await job.row()).toMatchObject({ name: "newer", revision: 3 });
  });

  it("of a hundred edits at once each lays itself over the one before, or is told to come back", async () => {
    const job = await inADay({ payload: { n: 0 } });
    const edits = await Promise.all(Array.from({ length: 100 }, (_, n) => job.edit({ tags: [`${n}`] })));
    const done = edits.filter(({ status }) => status === 200);
    expect(edits.map(({ status }) => status)).toEqual(expect.arrayContaining([200]));
    expect(edits.every(({ status }) => status === 200 || status === 503)).toBe(true);
    const revisions = done.map(({ body }) => body.data.revision).sort((a, b) => a - b);
    expect(revisions, "each revision is one edit").toEqual(done.map((_, i) => i + 2));
    const last = done.find(({ body }) => body.data.revision === done.length + 1);
    expect(await job.show()).toEqual(last?.body.data);
  });

  it("of many cancellations at once one is 200, the others 409", async () => {
    const job = await inADay();
    const answers = await Promise.all(Array.from({ length: 10 }, () => job.cancel()));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
  });

  it("an edit against a cancellation: the answers tell which came first", async () => {
    for (let round = 0; round < 20; round++) {
      const job = await inADay();
      const [edited, cancelled] = await Promise.all([job.edit({ name: "new" }), job.cancel()]);
      expect(cancelled.status).toBe(200);
      expect([200, 409]).toContain(edited.status);
      expect(await job.show()).toEqual(cancelled.body.data);
      expect(cancelled.body.data.name).toBe(edited.status === 200 ? "new" : "a job");
    }
  });
});

describe("a change that D1 applied although its answer was lost", () => {
  const LOST = "Network connection lost.";

  it("is 200 when it is an edit on a condition, and counted once", async () => {
    const job = await inADay();
    const lost = answerLost("update", LOST);
    const { status, body } = await job.edit({ name: "new" }, { headers: { "If-Match": '"1"' } });
    lost.end();
    expect([status, body.data]).toEqual([200, await job.show()]);
    expect(body.data).toMatchObject({ name: "new", revision: 2 });
  });

  it("is 200 when it is a cancellation, and makes no object", async () => {
    const job = await inADay();
    const lost = answerLost("update", LOST);
    const { status, body } = await job.cancel();
    lost.end();
    expect([status, body.data]).toEqual([200, await job.show()]);
    expect(await job.isEmpty()).toBe(true);
  });

  it("is 503 when D1 does not say so, and can be asked for again", async () => {
    const job = await inADay();
    const lost = answerLost("update", OVERLOADED);
    const first = await job.edit({ name: "new" });
    lost.end();
    expect([first.status, (await job.show()).name]).toEqual([503, "new"]);
    expect((await job.edit({ name: "new" })).body.data).toMatchObject({ name: "new", revision: 3 });
  });
});

describe("a far job that comes near", () => {
  const moves: Record<string, (job: JobUnderTest) => Promise<unknown>> = {
    "by an edit": (job) => job.edit({ delay: { value: 4, unit: "minute" }, payload: { n: 1 } }),
    "by an edit of its content and by run": async (job) => {
      await job.edit({ payload: { n: 1 } });
      advance(4 * MINUTE);
      await job.run();
    },
  };

  it.each(Object.entries(moves))("%s has its owner before the answer, and runs as it is then", async (_, move) => {
    const job = await inADay({ payload: { n: 0 } });
    await move(job);
    expect((await job.stored())?.phase).toMatchObject({ name: "waiting", runAt: NOON + 4 * MINUTE });
    await job.ringAt(NOON + 4 * MINUTE);
    expect(deliveredNames()).toEqual([1]);
    expect(await job.row()).toMatchObject({ status: "completed", reportDueAt: null });
  });

  it("is swept 15 seconds after its new time when its wake was lost", async () => {
    const job = await inADay({ payload: { n: 0 } });
    await job.edit({ delay: { value: 2, unit: "minute" }, payload: { n: 1 } }, { env: { JOBS: DEAF } });
    expect(await job.isEmpty()).toBe(true);
    setClock(NOON + 2 * MINUTE + 15 * SECOND);
    await cron();
    await job.ringWhenSet();
    expect(deliveredNames()).toEqual([1]);
  });

  it("has the trigger of a run by hand, and keeps its nominal time", async () => {
    const job = await inADay();
    expect(await must(job.run())).toMatchObject({
      status: "pending",
      run_at: iso(NOON),
      scheduled_for: iso(NOON + DAY),
    });
    await job.ring();
    expect(await job.executions()).toMatchObject([{ trigger: "manual_run", due_at: iso(NOON), status: "completed" }]);
  });

  it("is taken up by the look ahead once, as it was changed", async () => {
    const job = await inADay({ payload: { n: 0 } });
    for (let n = 1; n <= 3; n++) await job.edit({ payload: { n }, scheduled_for: iso(NOON + n * DAY) });
    for (const at of [NOON + DAY - HOUR, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY - HOUR - 1]) {
      setClock(at);
      await cron();
      expect(await job.isEmpty()).toBe(true);
    }
    setClock(NOON + 3 * DAY - HOUR);
    await cron();
    await job.ringAt(NOON + 3 * DAY);
    expect(deliveredNames()).toEqual([3]);
  });
});

describe("a near job that is moved far ahead", () => {
  it("does not run at its old time, and runs at the new one", async () => {
    const job = await dueAt(NOON + 10 * MINUTE, { payload: { n: 0 } });
    await job.edit({ scheduled_for: iso(NOON + 3 * DAY), payload: { n: 1 } });
    await job.ringAt(NOON + 10 * MINUTE);
    expect(await job.alarm()).toBe(NOON + 3 * DAY);
    setClock(NOON + 13 * MINUTE);
    await cron();
    expect(receiver.received).toEqual([]);
    expect(await job.row()).toMatchObject({ runAt: NOON + 3 * DAY, reportDueAt: NOON + 3 * DAY, revision: 2 });
    await job.ringAt(NOON + 3 * DAY);
    expect(deliveredNames()).toEqual([1]);
  });

  it("keeps its owner as its only writer, however far it is", async () => {
    const job = await dueAt(NOON + 10 * MINUTE);
    await job.edit({ scheduled_for: iso(NOON + 3 * DAY) });
    await job.edit({ name: "new" });
    expect(await job.stored()).toMatchObject({ name: "new", revision: 3 });
    expect(await job.row()).toMatchObject({ name: "new", revision: 3 });
  });
});

describe("clocks that differ", () => {
  /** What somebody else does, whose clock is ahead, before the next change of the row is made. */
  function meanwhile(aheadMs: number, act: () => Promise<unknown>) {
    const prepare = env.DB.prepare.bind(env.DB);
    let isDone = false;
    const late = (statement: D1PreparedStatement): D1PreparedStatement =>
      new Proxy(statement, {
        get(target, name: keyof D1PreparedStatement) {
          if (name === "bind") return (...values: unknown[]) => late(target.bind(...values));
          return async (...values: never[]) => {
            if (!isDone) {
              isDone = true;
              advance(aheadMs);
              await act();
              advance(-aheadMs);
            }
            return (target[name] as (...values: never[]) => Promise<unknown>).apply(target, values);
          };
        },
      });
    return vi
      .spyOn(env.DB, "prepare")
      .mockImplementation((query) =>
        query.startsWith('update "jobs"') && !isDone ? late(prepare(query)) : prepare(query),
      );
  }

  const OTHERS: Record<string, (job: JobUnderTest) => Promise<unknown>> = {
    "takes it up for a refusal": (job) => job.retry(),
    "wakes its owner": (job) => job.owner.wake(job.ref),
    "cancels it": (job) => job.cancel(),
    "edits it": (job) => job.edit({ name: "theirs" }),
  };
  const OURS: Record<string, (job: JobUnderTest) => Promise<{ readonly status: number }>> = {
    edit: (job) => job.edit({ name: "ours" }),
    cancellation: (job) => job.cancel(),
  };
  const cases = Object.entries(OTHERS).flatMap(([other, act]) =>
    Object.entries(OURS).flatMap(([own, change]) =>
      [1, SECOND, 20 * SECOND].map((aheadMs) => ({ other, act, own, change, aheadMs })),
    ),
  );

  it.each(cases)("one whose clock is $aheadMs ms ahead $other while our $own is on its way", async (one) => {
    const job = await dueAt(NOON + OWNED_MS + 1);
    const spy = meanwhile(one.aheadMs, () => one.act(job));
    const answer = await one.change(job);
    spy.mockRestore();
    const shown = await job.show();
    const held = await job.stored();
    const row = await job.row();
    if (held)
      expect([held.name, held.phase.name]).toEqual([row?.name, row?.status === "pending" ? "waiting" : row?.status]);
    if (answer.status === 200)
      expect(one.own === "edit" ? shown.name : shown.status).toBe(one.own === "edit" ? "ours" : "cancelled");
    setClock(NOON + OWNED_MS + 1 - HOUR);
    await cron();
    setClock(NOON + OWNED_MS + 1);
    if ((await job.alarm()) !== null) await job.ring();
    expect(receiver.received).toHaveLength(shown.status === "cancelled" ? 0 : 1);
    expect(await job.show()).toMatchObject({ name: shown.name });
  });

  it("one who arms what another holds for far ahead: both see the same job", async () => {
    const job = await dueAt(NOON + 65 * MINUTE - 1, { payload: { n: 0 } }); // armed by its creator
    setClock(NOON - 20 * SECOND);
    expect((await job.edit({ payload: { n: 1 } })).status).toBe(200);
    await job.ringAt(NOON + 65 * MINUTE - 1);
    expect(deliveredNames()).toEqual([1]);
  });
});
