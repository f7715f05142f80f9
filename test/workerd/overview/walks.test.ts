// Random lives of jobs, reported in any order, repeated, in any batches, while projectors die, answers are lost and the cron
// recounts: the overview adds up to the executions.

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { TallyBook } from "../../../src/objects/projector/tally-book.ts";
import { applyReports } from "../../../src/store/apply-reports.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import type { JobReport } from "../../../src/store/report.ts";
import { hasExpired, isNews, settledIn } from "../../../src/store/settled.ts";
import { Chance } from "../../faults/harness/chance.ts";
import { World, walks } from "../../rules/walk.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { insertRows } from "../harness/rows.ts";
import { cron, recounted, type Sums, sumsOf } from "./counts.ts";

const SEEDS = Array.from({ length: Number(env.FAULTS_SEED) || 6 }, (_, i) => i + 1);

/** A job's reports as they come, and what they must add up to. */
interface Life {
  readonly id: string;
  readonly heard: (JobReport | number)[];
  readonly wanted: Sums;
}

async function livesOf(account: Account, seed: number): Promise<Life[]> {
  const lives: Life[] = [];
  for (const way of fc.sample(walks, { seed, numRuns: 40 })) {
    const world = new World(way);
    for (const move of way.moves) world.take(move);
    if (!world.forgotten) world.drain();
    const [id = ""] = await insertRows(account, [{ revision: 0 }]);
    const heard = world.heard.map((one) => {
      if (typeof one === "number") return one;
      return { ...one, accountId: account.id, id, asked: one.asked && { ...one.asked, idempotencyKey: id } };
    });
    lives.push({ id, heard, wanted: wantedOf(heard) });
  }
  return lives;
}

/** Each execution by the report that told of its end first. test/rules/tally.test.ts shows that these are all of them. */
function wantedOf(heard: readonly (JobReport | number)[]): Sums {
  const sum = { started: 0, completed: 0, failed: 0, retried: 0 };
  let row = { revision: 0, attempt: 0, settledAt: null as number | null, completedAt: null as number | null };
  for (const one of heard) {
    if (typeof one === "number") {
      row = { ...row, revision: one, completedAt: null };
      continue;
    }
    for (const settled of settledIn(one)) {
      if (!isNews(settled, one, row)) continue;
      sum.started += 1;
      if (settled.status === "completed") sum.completed += 1;
      else if (settled.status !== "cancelled") sum[settled.endsJob ? "failed" : "retried"] += 1;
    }
    const { revision, facts } = one;
    if (revision <= row.revision) continue;
    if (hasExpired(one) && facts.completedAt !== row.completedAt) sum.failed += 1;
    row = { revision, attempt: facts.attempt, settledAt: facts.settledAt, completedAt: facts.completedAt };
  }
  return sum;
}

const claimRow = (account: Account, id: string, revision: number) =>
  env.DB.prepare(
    `UPDATE jobs SET status = 'pending', "trigger" = 'manual_retry', completed_at = NULL, revision = ?
     WHERE account_id = ? AND id = ?`,
  )
    .bind(revision, account.id, id)
    .run();

/** The next batch is applied or not, and nobody hears of it. */
function loseAnswer(isApplied: boolean) {
  const batch = env.DB.batch.bind(env.DB);
  const spy = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
    if (isApplied) await batch(statements);
    throw new Error("D1_ERROR: the answer is lost");
  });
  return () => spy.mockRestore();
}

it.each(SEEDS)("whatever happens on the way, each execution is counted once (seed %i)", async (seed) => {
  const [account, chance, db] = [await newAccount(), new Chance(seed), directoryOf(env)];
  const lives = await livesOf(account, seed);
  const left = lives.map(({ id, heard }) => ({ id, heard: [...heard] }));
  const delivered: JobReport[] = [];
  let book = new TallyBook();
  const deliver = async (reports: readonly JobReport[]) => {
    await applyReports(db, reports, book);
    delivered.push(...reports);
  };
  while (left.some(({ heard }) => heard.length > 0)) {
    const batch: JobReport[] = [];
    // One of each job: the next is made when this one has been confirmed.
    const some = new Set(Array.from({ length: chance.between(1, 4) }, () => chance.pick(left)));
    for (const { id, heard } of some) {
      const next = heard.shift();
      if (typeof next === "number") await claimRow(account, id, next);
      else if (next) batch.push(next);
    }
    if (delivered.length > 0 && chance.happens(30)) batch.push(chance.pick(delivered));
    const restore = chance.happens(8) ? loseAnswer(chance.happens(50)) : undefined;
    await deliver(batch);
    restore?.();
    if (restore) await deliver(batch); // its owners have heard nothing
    if (chance.happens(15)) await book.flush(db);
    if (chance.happens(5)) book = new TallyBook(); // the projector dies
    if (chance.happens(5)) await cron();
  }
  await book.flush(db);
  await recounted();
  const wanted = lives.reduce(
    (sum, { wanted }) => ({
      started: sum.started + wanted.started,
      completed: sum.completed + wanted.completed,
      failed: sum.failed + wanted.failed,
      retried: sum.retried + wanted.retried,
    }),
    { started: 0, completed: 0, failed: 0, retried: 0 },
  );
  expect(wanted.started).toBeGreaterThan(10);
  expect(await sumsOf(account)).toEqual(wanted);
});
