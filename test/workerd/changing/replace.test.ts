// on_conflict: "replace" (contract §2): a burst of creations with one key is one job with the content of one of them.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api, type JobJson } from "../harness/api.ts";
import { advance, DAY, HOUR, MINUTE, NOON, setClock } from "../harness/clock.ts";
import { JobUnderTest, newJob, postJob } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";

const KEY = { idempotency_key: "order-4711" };

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const replaceBy = (n: number, body: object = {}) =>
  postJob(account, {
    ...KEY,
    name: `no. ${n}`,
    payload: { n },
    tags: [`t${n}`],
    max_retries: n % 50,
    on_conflict: "replace",
    ...body,
  });

const fifty = (body: object = {}) => Promise.all(Array.from({ length: 50 }, (_, n) => replaceBy(n, body)));

const holderOfKey = async (): Promise<JobJson[]> =>
  (await api<JobJson[]>("GET", `/v1/jobs?idempotency_key=${KEY.idempotency_key}`, { key: account.key })).body.data;

/** Of one creation, and of no two. */
function isOneOfFifty({ name, payload, tags, max_retries }: JobJson): void {
  const n = Number(name.slice(4));
  expect([JSON.parse(JSON.stringify(payload)).n, tags, max_retries]).toEqual([n, [`t${n}`], n % 50]);
}

const NEAR = { delay: { value: 10, unit: "minute" } };
const FAR = { delay: { value: 2, unit: "day" } };

describe("of 50 at once, none is turned away and one job has the key", () => {
  it.each([
    ["nobody holds it", null, NEAR],
    ["nobody holds it, far ahead", null, FAR],
    ["its holder waits", NEAR, NEAR],
    ["its holder waits, and moves far ahead", NEAR, FAR],
    ["its holder is far ahead", FAR, FAR],
    ["its holder is far ahead, and comes near", FAR, NEAR],
  ])("%s", async (_, held, asked) => {
    const holder = held && (await newJob(account, { ...KEY, ...held }));
    const answers = await fifty(asked);
    const made = answers.filter(({ status }) => status === 201);
    expect([made.length, answers.filter(({ status }) => status === 200).length]).toEqual(holder ? [0, 50] : [1, 49]);
    const id = holder?.id ?? made[0]?.body.data.id ?? "";
    const [listed, ...more] = await holderOfKey();
    expect([listed?.id, more]).toEqual([id, []]);
    const job = new JobUnderTest(account, id);
    const shown = await job.show();
    expect(listed).toEqual(shown);
    isOneOfFifty(shown);
    const total = (await api("GET", "/v1/jobs", { key: account.key })).body.meta.paging.total;
    expect(total).toBe(1);
    for (const { body } of answers) isOneOfFifty(body.data);
    if (asked === NEAR) {
      await job.ringAt(NOON + 10 * MINUTE);
      expect(receiver.received.map(({ body }) => JSON.parse(body).payload.n)).toEqual([Number(shown.name.slice(4))]);
      expect(await job.row()).toMatchObject({ status: "completed", name: shown.name, reportDueAt: null });
    }
  });
});

describe("a job that has begun keeps its content and loses its key", () => {
  const pull = { handler: "h", delivery: { type: "pull" } };
  const holders: Record<string, () => Promise<{ job: JobUnderTest; end?: () => Promise<void> }>> = {
    running: async () => {
      const held = receiver.holds();
      const job = await newJob(account, KEY);
      const ringing = job.ring();
      await held.arrived();
      return {
        job,
        end: async () => {
          held.release(200);
          await ringing;
        },
      };
    },
    queued: async () => {
      const job = await newJob(account, { ...KEY, ...pull });
      await job.ring();
      return { job };
    },
    retrying: async () => {
      receiver.answers(500);
      const job = await newJob(account, KEY);
      await job.ring();
      return { job };
    },
    completed: async () => {
      const job = await newJob(account, KEY);
      await job.ring();
      return { job };
    },
    "completed long ago": async () => {
      const job = await newJob(account, KEY);
      await job.ring();
      advance(HOUR);
      return { job };
    },
    cancelled: async () => {
      const job = await newJob(account, { ...KEY, ...NEAR });
      await job.cancel();
      return { job };
    },
    "cancelled far ahead": async () => {
      const job = await newJob(account, { ...KEY, ...FAR });
      await job.cancel();
      return { job };
    },
  };

  it.each(Object.entries(holders))("%s: of 50 at once one is made", async (status, made) => {
    const { job, end } = await made();
    const before = await job.show();
    const answers = await fifty(NEAR);
    expect(answers.filter((one) => one.status === 201)).toHaveLength(1);
    expect(answers.filter((one) => one.status === 200)).toHaveLength(49);
    await end?.();
    const now = await job.show();
    expect(now).toMatchObject({ name: before.name, idempotency_key: null });
    expect(await job.row()).toMatchObject({ name: before.name, idempotencyKey: null, status: now.status });
    const [holder, ...more] = await holderOfKey();
    expect(more).toEqual([]);
    expect(holder?.id).not.toBe(job.id);
    if (holder) isOneOfFifty(holder);
    if (status === "running") expect(now.status).toBe("completed");
  });

  it("and when D1 loses the word of that, its owner says it again: the row never holds the key in the end", async () => {
    const held = receiver.holds();
    const job = await newJob(account, KEY);
    const ringing = job.ring();
    await held.arrived();
    const projectors = env.PROJECTORS.getByName("DB");
    const lost = vi
      .spyOn(env.PROJECTORS, "getByName")
      .mockImplementation(() => ({ report: () => new Promise(() => {}) }) as unknown as typeof projectors);
    const refused = await replaceBy(1, NEAR);
    lost.mockRestore();
    expect(refused.status).toBe(503);
    expect(await job.row()).toMatchObject({ idempotencyKey: KEY.idempotency_key });
    expect((await replaceBy(2, NEAR)).status).toBe(201);
    held.release(200);
    await ringing;
    expect(await job.row()).toMatchObject({ status: "completed", idempotencyKey: null });
    expect((await holderOfKey()).map(({ name }) => name)).toEqual(["no. 2"]);
  });
});

it("a key that comes free between the insert and the look at its holder goes to the new job", async () => {
  const job = await newJob(account, KEY);
  await job.ring();
  const prepare = env.DB.prepare.bind(env.DB);
  let dropped = false;
  vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
    if (!dropped && query.startsWith("select") && query.includes('"idempotency_key"')) {
      dropped = true;
      return prepare(`${query} AND (SELECT 1) = 2`); // as if it had been dropped
    }
    return prepare(query);
  });
  const { status } = await replaceBy(1, NEAR);
  expect([dropped, status]).toEqual([true, 201]);
});

it("a replacement against the attempt: what is delivered is the old or the new, and nothing is lost", async () => {
  for (let round = 0; round < 100; round++) {
    const sent = receiver.received.length;
    const job = await newJob(account, { idempotency_key: `k${round}`, payload: { n: -1 } });
    const body = { name: "new", payload: { n: round }, idempotency_key: `k${round}`, on_conflict: "replace" };
    const replacing = postJob(account, body);
    const [answer] = await Promise.all([replacing, job.ring()]);
    const replaced = new JobUnderTest(account, answer.body.data.id);
    if ((await replaced.alarm()) !== null) await replaced.ring();
    const delivered = receiver.received.slice(sent).map((one) => JSON.parse(one.body));
    const told = delivered.map(({ job_id, payload }) => [job_id, payload.n]);
    if (answer.status === 200) expect(told).toEqual([[job.id, round]]);
    else
      expect(told).toEqual([
        [job.id, -1],
        [replaced.id, round],
      ]);
  }
});

it("the edit of a job whose key another has taken does not bring the key back", async () => {
  receiver.answers(500, 200);
  const job = await newJob(account, KEY);
  await job.ring();
  expect((await replaceBy(1, FAR)).status).toBe(201);
  expect((await job.edit({ name: "edited" })).body.data).toMatchObject({ name: "edited", idempotency_key: null });
  setClock(NOON + DAY);
  await job.ring();
  expect(await job.row()).toMatchObject({ status: "completed", name: "edited", idempotencyKey: null });
  expect((await holderOfKey()).map(({ name }) => name)).toEqual(["no. 1"]);
});
