// What a person changed travels with an owner's reports until the read model holds it. Reports are lost, doubled, late and in any
// order, alone and in batches: in the end the row says what the owner knows of each field that can be changed.

import { beforeEach, describe, expect, it } from "vitest";
import type { JobReport } from "../../../src/store/report.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { advance, iso, MINUTE, NOON, SECOND } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { Chance } from "../harness/chance.ts";
import { stateOf } from "./harness/recovery.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** What happens to a job, one after the other. Each is reported, heard of or not. */
const STEPS: readonly ((job: JobUnderTest) => Promise<unknown>)[] = [
  (job) => job.edit({ name: "first", payload: { n: 1 }, tags: ["a"] }),
  (job) => job.edit({ name: "second", scheduled_for: iso(NOON + 20 * MINUTE), tags: null }),
  (job) => job.owner.dropKey(job.ref).catch(() => null),
  (job) => job.run(),
  (job) => job.ring(),
  (job) => job.edit({ name: "third", payload: { n: 3 }, max_retries: 7, backoff: { type: "list", delays: [9] } }),
  async (job) => {
    advance(5 * SECOND);
    await job.ring();
  },
];

/** Every choice of the steps whose reports are heard of at once; the last one's is not, so that its owner still holds the job. */
const HEARD = Array.from({ length: 2 ** (STEPS.length - 1) }, (_, bits) =>
  STEPS.map((_, i) => ((bits >> i) & 1) === 1),
);

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
  const { name, payload, tags, maxRetries, backoff, scheduledFor, idempotencyKey, attempt, revision } = held;
  expect(await job.row()).toMatchObject({
    ...{ name, payload, maxRetries, backoff, scheduledFor, idempotencyKey, attempt, revision },
    tags: tags.length > 0 ? tags : null,
    status: "completed",
  });
  expect({ name, payload, tags }).toMatchObject({ name: "third", payload: '{"n":3}', tags: [] });
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
      for (let round = 0; round < 3; round++) {
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
    for (const heard of HEARD.filter((_, i) => i % 8 === 0)) {
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
