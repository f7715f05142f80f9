// What a person changed travels with an owner's reports until the read model holds it. Reports are lost, doubled, late and in any
// order, alone and in batches: in the end the row says what the owner knows of each field that can be changed.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { specOf } from "../../../src/domain/job.ts";
import type { JobReport } from "../../../src/store/report.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { api } from "../../workerd/harness/api.ts";
import { advance, MINUTE, NOON, SECOND, until } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { Chance } from "../harness/chance.ts";
import { stateOf } from "./harness/recovery.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** Of the request that replaces a job. */
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** What happens to a job, one after the other. Each is reported, heard of or not. */
const STEPS: readonly ((job: JobUnderTest) => Promise<unknown>)[] = [
  (job) => job.edit({ name: "first", payload: { n: 1 }, tags: ["a"] }),
  async (job) => {
    const held = await stateOf(job);
    if (!held) throw new Error("its owner holds nothing");
    const replaced = {
      ...specOf(held),
      name: "second",
      scheduledFor: NOON + 20 * MINUTE,
      tags: [],
      traceparent: TRACE,
    };
    await job.owner.edit(job.ref, { ...replaced, retimed: true }, null);
  },
  (job) => job.owner.dropKey(job.ref).catch(() => null),
  (job) => job.run(),
  (job) => job.ring(),
  (job) => job.edit({ name: "third", payload: { n: 3 }, max_retries: 7, backoff: { type: "list", delays: [9] } }),
  async (job) => {
    advance(5 * SECOND);
    await job.ring();
  },
];

/**
 * Choices of the steps whose reports are heard of at once, a third of all there are; the last one's is not, so that its owner
 * still holds the job.
 */
const HEARD = Array.from({ length: 2 ** (STEPS.length - 1) }, (_, bits) =>
  STEPS.map((_, i) => ((bits >> i) & 1) === 1),
).filter((_, i) => i % 3 === 0);

async function live(heard: readonly boolean[]): Promise<{ job: JobUnderTest; reports: JobReport[] }> {
  receiver.answers(500, 200);
  const job = await newJob(account, {
    delay: { value: 10, unit: "minute" },
    idempotency_key: crypto.randomUUID().slice(0, 8),
    max_retries: 5,
  });
  for (const [i, step] of STEPS.entries()) {
    if (heard[i]) post.goOn();
    else post.stop();
    await step(job);
  }
  post.stop();
  return { job, reports: post.takeJobs() };
}

async function agrees(job: JobUnderTest): Promise<void> {
  const held = await stateOf(job);
  if (!held) throw new Error("its owner holds nothing");
  const { name, payload, tags, maxRetries, backoff, scheduledFor, idempotencyKey, traceparent, attempt, revision } =
    held;
  expect(await job.row()).toMatchObject({
    ...{ name, payload, maxRetries, backoff, scheduledFor, idempotencyKey, traceparent, attempt, revision },
    tags: tags.length > 0 ? tags : null,
    status: "completed",
  });
  expect({ name, payload, tags, traceparent }).toEqual({
    ...{ name: "third", payload: '{"n":3}', tags: [] },
    traceparent: TRACE,
  });
}

function shuffled<T>(from: readonly T[], chance: Chance): T[] {
  const left = [...from];
  return from.map(() => left.splice(chance.between(0, left.length - 1), 1)[0] as T);
}

describe("whichever of its reports were heard of at once", () => {
  it.each(HEARD.map((heard, i) => ({ i, heard, how: heard.map((is) => (is ? "heard" : "–")).join(" ") })))(
    "$how: all of them again, doubled and in any order, leave the row at its last state",
    async ({ i, heard }) => {
      const chance = new Chance(i + 1);
      const { job, reports } = await live(heard);
      const edited = reports.filter(({ asked }) => asked !== null);
      expect(edited.length).toBeGreaterThan(0);
      for (let round = 0; round < 2; round++) {
        const all = shuffled([...reports, ...reports], chance);
        while (all.length > 0) {
          const batch = all.splice(0, chance.between(1, 4));
          expect(await post.deliver(batch)).toEqual(batch.map(() => "stored"));
        }
        await agrees(job);
      }
    },
  );

  it("and the last word alone is enough, if none was heard of", async () => {
    const { job, reports } = await live(STEPS.map(() => false));
    const last = reports.at(-1);
    if (last) await post.deliver([last]);
    await agrees(job);
  });

  it("and an owner that has died meanwhile says it all the same", async () => {
    for (const heard of HEARD.filter((_, i) => i % 3 === 0)) {
      const { job } = await live(heard);
      await job.crash();
      const before = await stateOf(job);
      post.goOn();
      await job.ringWhenSet();
      expect(await job.row()).toMatchObject({
        name: before?.name,
        payload: before?.payload,
        revision: before?.revision,
        idempotencyKey: null,
        status: "completed",
      });
      expect(await job.isEmpty()).toBe(true);
    }
  });
});

describe("a confirmation that comes late", () => {
  /** Answers reports from now on when they are let go. */
  function slowProjector(): { next(): Promise<() => void>; end(): void } {
    const waiting: { isLetGo: boolean }[] = []; // a promise of ours would be another object's
    const spy = vi.mocked(env.PROJECTORS.getByName); // the post's
    const getByName = spy.getMockImplementation();
    if (!getByName) throw new Error("the post has not begun");
    spy.mockImplementation((name) => {
      const report = async (given: JobReport, bytes: number) => {
        const receipt = await getByName(name).report(given, bytes);
        const one = { isLetGo: false };
        waiting.push(one);
        while (!one.isLetGo) await scheduler.wait(1);
        return receipt;
      };
      return { report } as unknown as ReturnType<typeof getByName>;
    });

    return {
      async next() {
        await until(() => waiting.length > 0);
        const [one] = waiting.splice(0, 1);
        return () => {
          if (one) one.isLetGo = true;
        };
      },
      end: () => void spy.mockImplementation(getByName),
    };
  }

  it("does not speak of an edit that was made since", async () => {
    const job = await newJob(account, { delay: { value: 10, unit: "minute" } });
    const slow = slowProjector();
    const first = job.edit({ name: "first" });
    const answerFirst = await slow.next();
    slow.end();
    post.stop();
    expect((await job.edit({ name: "second", payload: { n: 2 } })).status).toBe(200);
    answerFirst();
    expect((await first).status).toBe(200);
    post.goOn();
    await job.ringWhenSet();
    expect(await job.row()).toMatchObject({ name: "second", payload: '{"n":2}', revision: 3 });
  });

  it("is waited for: a list that is read after the answer shows the change", async () => {
    const changes: ((job: JobUnderTest) => Promise<{ body: { data: { revision: number } } }>)[] = [
      (job) => job.edit({ name: "new" }),
      (job) => job.run(),
      (job) => job.cancel(),
      (job) => job.retry(),
    ];
    const job = await newJob(account, { delay: { value: 10, unit: "minute" } });
    for (const change of changes) {
      const slow = slowProjector();
      let isAnswered = false;
      const changing = change(job).finally(() => {
        isAnswered = true;
      });
      if (change !== changes[3]) {
        const answer = await slow.next();
        await scheduler.wait(50);
        expect(isAnswered).toBe(false);
        answer();
      }
      const { body } = await changing;
      slow.end();
      const listed = await api<object[]>("GET", "/v1/jobs", { key: account.key });
      expect(listed.body.data).toMatchObject([{ ...body.data, revision: expect.any(Number) }]);
    }
  });
});
