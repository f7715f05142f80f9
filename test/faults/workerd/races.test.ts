// A change against an attempt that is due: what goes out is the job as it was or as it is, never a mixture, and the answer tells.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { databaseDown } from "../../workerd/harness/database.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { receiver, TARGET } from "../../workerd/harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const OTHER = "https://other.example.com/notify";
const deliveryTo = (url: string, side: string) => ({
  type: "push",
  http: { url, method: side === "old" ? "POST" : "PUT", headers: { "X-Side": side } },
});
const sideOf = (url: string, side: string) => ({
  name: side,
  handler: side,
  payload: { side },
  tags: [side],
  delivery: deliveryTo(url, side),
});
const OLD = sideOf(TARGET, "old");
const NEW = sideOf(OTHER, "new");

/** What arrived, as far as it is one side or the other. */
const arrived = (from: number) =>
  receiver.received.slice(from).map(({ url, method, headers, body }) => {
    const { handler, payload } = JSON.parse(body);
    return new Set([
      url === TARGET ? "old" : "new",
      method === "POST" ? "old" : "new",
      headers.get("X-Side"),
      handler,
      payload.side,
    ]);
  });

/** Steps of the service between two events of the race. */
const yields = async (times: number): Promise<void> => {
  for (let i = 0; i < times; i++) await Promise.resolve();
};

it("an edit against the attempt, a thousand times", { timeout: 120_000 }, async () => {
  const seen = { old: 0, new: 0 };
  let headStartMs = 5; // of the edit: steered to where either may be first
  for (let round = 0; round < 1_000; round++) {
    const job = await newJob(account, OLD);
    const from = receiver.received.length;
    const ringing = scheduler.wait(headStartMs).then(() => job.ring());
    const editing = yields(round % 40).then(() => job.edit(NEW));
    const [answer] = await Promise.all([editing, ringing]);
    if ((await job.alarm()) !== null) await job.ring();
    const side = answer.status === 200 ? "new" : "old";
    expect([200, 409]).toContain(answer.status);
    if (answer.status === 409) expect(answer.body.code).toBe("job_not_editable");
    expect(arrived(from)).toEqual([new Set([side])]);
    seen[side] += 1;
    headStartMs = Math.max(0, headStartMs + (side === "old" ? 1 : -1));
    if (round % 50 === 0) {
      expect(await job.show()).toMatchObject({ status: "completed", name: side, tags: [side], attempts: 1 });
      expect(await job.row()).toMatchObject({ status: "completed", name: side, handler: side, reportDueAt: null });
    }
  }
  expect(seen.old, "the attempt was first at times").toBeGreaterThan(20);
  expect(seen.new, "and so was the edit").toBeGreaterThan(20);
});

describe("an edit that its owner hears while the attempt waits on its way out", () => {
  /** Calls an attempt waits for before it leaves, once its account is known. */
  const SIGNINGS = 6;

  /** What happens before one of these calls, or several, is made. */
  function inTheMidstOf(at: readonly number[], act: () => Promise<unknown>): void {
    let calls = 0;
    for (const name of ["sign", "deriveBits", "importKey"] as const) {
      const call = crypto.subtle[name].bind(crypto.subtle) as (...values: unknown[]) => Promise<unknown>;
      vi.spyOn(crypto.subtle, name).mockImplementation((async (...values: unknown[]) => {
        if (at.includes(++calls)) await act();
        return call(...values);
      }) as never);
    }
  }

  const moments = Array.from({ length: SIGNINGS }, (_, i) => i + 1);

  it.each(moments)("for call %i: the attempt begins again, as the job is now", async (n) => {
    const job = await newJob(account, OLD);
    const edited: unknown[] = [];
    inTheMidstOf([n], async () => edited.push((await job.edit(NEW)).status));
    await job.ring();
    expect(edited).toEqual([200]);
    expect(arrived(0)).toEqual([new Set(["new"])]);
    expect(await job.show()).toMatchObject({ name: "new", status: "completed", attempts: 1 });
  });

  it.each(moments)("for call %i, and moves it: nothing leaves before the new time", async (n) => {
    const job = await newJob(account, OLD);
    inTheMidstOf([n], () => job.edit({ delay: { value: 3, unit: "day" } }));
    await job.ring();
    expect([receiver.received, await job.alarm()]).toEqual([[], NOON + 3 * DAY]);
  });

  it("again and again: the attempt leaves all the same", async () => {
    const job = await newJob(account, OLD);
    let edits = 0;
    inTheMidstOf([1, 2, 4, 6, 8, 10], () => job.edit({ tags: [`${++edits}`] }));
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1, tags: ["6"] });
  });
});

it("a run against the attempt, against a cancellation, against another run: one delivery or none", async () => {
  for (let round = 0; round < 100; round++) {
    const job = await newJob(account, { delay: { value: 10, unit: "minute" } });
    const from = receiver.received.length;
    const [first, second, cancelled] = await Promise.all([
      yields(round % 11).then(() => job.run()),
      yields(round % 7).then(() => job.run()),
      yields((round * 3) % 13).then(() => job.cancel()),
    ]);
    expect(cancelled.status).toBe(200);
    for (const { status } of [first, second]) expect([200, 409]).toContain(status);
    if ((await job.alarm()) !== null) await job.ring();
    expect(receiver.received.length - from).toBe(0);
    expect(await job.show()).toMatchObject({ status: "cancelled", attempts: 0 });
  }
});

describe("an edit while an hour passes without D1", () => {
  it("changes what is delivered, and the row when D1 is back", async () => {
    const job = await newJob(account, { ...OLD, delay: { value: 30, unit: "minute" } });
    const far = await newJob(account, { name: "far", delay: { value: 2, unit: "day" } });
    const down = databaseDown();
    setClock(NOON + MINUTE);
    const edited = await job.edit({ ...NEW, delay: { value: 20, unit: "minute" } });
    expect([edited.status, edited.body.data.name]).toEqual([200, "new"]);
    expect((await far.edit({ name: "new" })).status).toBe(503);
    expect((await far.run()).status).toBe(503);
    expect((await far.remove()).status).toBe(503);
    expect((await job.remove()).status).toBe(503);
    const again = await job.edit({ name: "newer" });
    expect([again.status, again.body.data.revision]).toEqual([200, 3]);
    expect((await job.run()).body.data).toMatchObject({ run_at: iso(NOON + MINUTE) });
    await job.ring();
    expect(arrived(0)).toEqual([new Set(["new"])]);
    setClock(NOON + HOUR);
    await rings(job);
    down.end();
    expect(await job.row()).toMatchObject({ status: "pending", name: "old", revision: 0 });
    await rings(job);
    const { handler, status, name, tags, executionTrigger } = (await job.row()) ?? {};
    expect([handler, status, name, tags, executionTrigger]).toEqual([
      "new",
      "completed",
      "newer",
      ["new"],
      "manual_run",
    ]);
    expect(await far.show()).toMatchObject({ name: "far", status: "pending", revision: 1 });
    expect(await far.isEmpty()).toBe(true);
  });
});

/** Each ring the alarm is set for in the next two minutes. */
async function rings(job: JobUnderTest): Promise<void> {
  const until = Date.now() + 2 * MINUTE;
  for (let at = await job.alarm(); at !== null && at < until; at = await job.alarm()) {
    setClock(Math.max(at, Date.now()));
    await job.ring();
    advance(SECOND);
  }
}

describe("an edit of a job between two attempts", () => {
  it("against the retry: the second attempt is the old or the new", async () => {
    for (let round = 0; round < 60; round++) {
      receiver.answersAt(TARGET, 500, 200);
      receiver.answersAt(OTHER, 200);
      const job = await newJob(account, OLD);
      await job.ring();
      const from = receiver.received.length;
      advance(2 * SECOND);
      const [answer] = await Promise.all([
        yields((round * 5) % 60).then(() => job.edit(NEW)),
        yields(round % 30).then(() => job.ring()),
      ]);
      for (let at = await job.alarm(); at !== null; at = await job.alarm()) await job.ringAt(Math.max(at, Date.now()));
      expect(arrived(from)).toEqual([new Set([answer.status === 200 ? "new" : "old"])]);
    }
  });

  it("may change everything but its time", async () => {
    receiver.answers(500);
    const job = await newJob(account, OLD);
    await job.ring();
    const before = await job.show();
    expect((await job.edit({ delay: { value: 1, unit: "hour" } })).body.code).toBe("job_not_editable");
    const { body } = await job.edit({ ...NEW, max_retries: 9, timeout: 5, expires_after: { value: 1, unit: "day" } });
    expect(body.data).toMatchObject({ status: "retrying", run_at: before.run_at, name: "new", max_retries: 9 });
  });

  it("that leaves no retry ends with the next failure", async () => {
    receiver.answers(500);
    const job = await newJob(account, OLD);
    await job.ring();
    await job.edit({ max_retries: 0 });
    while ((await job.alarm()) !== null) await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 2 });
  });
});
