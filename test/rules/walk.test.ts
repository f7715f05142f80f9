// The net under the state machine: whatever happens to a job, in whatever order, this holds.
// A failure prints its seed; WALK_SEED=<seed> walks the same ways again, WALKS=<number> more of them.

import fc from "fast-check";
import { expect, it } from "vitest";
import { taskAt } from "../../src/domain/agenda.ts";
import { eventsOf, pendingTypes } from "../../src/domain/event.ts";
import { type Execution, isAsNew, isEnded, type Job, viewOf } from "../../src/domain/job.ts";
import { wakeAt } from "../../src/domain/timer.ts";
import { askedOf } from "../../src/store/report.ts";
import { executionOfRow } from "../../src/store/rows.ts";
import { given, HOUR, SECOND } from "./a-job.ts";
import { type Move, type Walk, World, walks } from "./walk.ts";

const numRuns = Number(process.env.WALKS ?? 400);
const seed = process.env.WALK_SEED;
const PATIENCE_MS = 600_000;

const visited = new Set<string>();

it(
  "on every walk, after every move, the rules hold",
  () => {
    const walk = fc.property(walks, (way) => {
      const world = new World(way);
      for (const move of way.moves) {
        const { job, forgotten } = world;
        world.take(move);
        visited.add(forgotten ? "forgotten" : job.phase.name);
        if (forgotten) visited.add(world.forgotten ? "forgotten" : "revived");
        else holdsBetween(job, world, move);
        holds(world, way);
      }
      if (!world.forgotten) {
        world.drain();
        knowsAll(world);
      }
      if (world.wasApart) visited.add("apart");
      if (world.job.lastError?.code === "expired") visited.add("expired");
    });
    fc.assert(walk, { numRuns, ...(seed && { seed: Number(seed) }) });
  },
  PATIENCE_MS,
);

it("the walks have been everywhere", () => {
  const everywhere = [
    "waiting",
    "queued",
    "running",
    "completed",
    "failed",
    "cancelled",
    "forgotten",
    "revived",
    "apart",
    "expired",
  ];
  expect([...visited].sort()).toEqual(everywhere.sort());
});

/** What is true of a job at any moment. */
function holds(world: World, { maxRetries }: Walk): void {
  const { job, history, inFlight, freshAfter, now, forgotten, model } = world;
  const { phase, executions } = job;
  const attempts = [...history.values()].sort((a, b) => a.attempt - b.attempt);
  const counted = attempts.filter(({ attempt }) => attempt > freshAfter);

  expect(
    attempts.map(({ attempt }) => attempt),
    "attempts are numbered without a gap",
  ).toEqual(Array.from({ length: job.attempt }, (_, i) => i + 1));
  expect(new Set(attempts.map(({ id }) => id)).size, "each under its own id").toBe(job.attempt);
  expect(
    executions.map(({ attempt }) => attempt),
    "those not confirmed are in order",
  ).toEqual(executions.map(({ attempt }) => attempt).toSorted((a, b) => a - b));

  const open = executions.filter(({ completedAt }) => completedAt === null);
  const running = phase.name === "queued" || phase.name === "running";
  expect(
    open.map(({ id, status }) => [id, status]),
    "one attempt is open exactly while one is under way",
  ).toEqual(running ? [[phase.executionId, phase.name]] : []);

  const failures = counted.filter(({ status }) => status === "failed" || status === "timed_out").length;
  expect(job.tries, "exactly the failures since the last fresh start are counted").toBe(failures);
  expect(job.tries, "and never more than the budget").toBeLessThanOrEqual(1 + maxRetries);
  expect(job.started, "the attempts shown are those that started").toBe(
    attempts.filter(({ startedAt }) => startedAt !== null).length,
  );
  const over = counted.filter(({ completedAt, status }) => completedAt !== null && status !== "cancelled");
  const broken = over.length - 1 - over.findLastIndex(({ status }) => status !== "interrupted");
  expect(job.interruptions, "interruptions count in a row").toBe(broken);
  for (const { startedAt, dueAt } of attempts)
    expect(startedAt ?? dueAt, "no attempt starts before it is due").toBeGreaterThanOrEqual(dueAt);

  const at = wakeAt(job);
  if (phase.name === "running" && job.delivery.type === "push" && phase.executionId !== inFlight) {
    expect(taskAt(job, inFlight, now), "the platform rings again for a push whose instance died").toBe("interrupt");
  } else if (phase.name === "running" && job.delivery.type === "push") {
    expect(taskAt(job, inFlight, now), "a push in flight is left alone").toBe("rest");
  } else {
    if (at === null) throw new Error("the owner always has a moment to wake");
    expect(Number.isSafeInteger(at), `${at} of ${JSON.stringify(job)}`).toBe(true);
    expect(taskAt(job, inFlight, Math.max(at, now)), "it never wakes for nothing").not.toBe("rest");
    expect(taskAt(job, inFlight, at - 1), "nor too late").toBe("rest");
  }

  if (isEnded(phase) && phase.confirmed)
    expect(pendingTypes(job), "an end that is confirmed has nothing left to announce").toEqual([]);
  expect(model.revision, "the read model is never ahead of the owner").toBeLessThanOrEqual(job.revision);
  if (forgotten || (isEnded(phase) && phase.confirmed)) knowsAll(world);
}

/** What is true of a move, whichever it was. */
function holdsBetween(before: Job, { job, now }: World, { name }: Move): void {
  expect(job.revision, "the revision never goes back").toBeGreaterThanOrEqual(before.revision);
  if (job.revision === before.revision)
    expect(viewOf(job), "what can be seen changes with the revision only").toEqual(viewOf(before));
  if (name !== "deliver")
    expect(
      eventsOf(job).map(({ identity }) => identity),
      "what nobody was told of stays to be told until the read model confirms it",
    ).toEqual(expect.arrayContaining(eventsOf(before).map(({ identity }) => identity)));
  if (isEnded(before.phase) && name === "dropKey")
    expect(
      { ...viewOf(job), idempotencyKey: null, revision: 0, updatedAt: 0 },
      "an end loses nothing but its key",
    ).toEqual({
      ...viewOf(before),
      ...{ idempotencyKey: null, revision: 0, updatedAt: 0 },
    });
  else if (isEnded(before.phase) && name !== "retry")
    expect([viewOf(job), job.revision], "an end is final").toEqual([viewOf(before), before.revision]);
  if (job.attempt > before.attempt)
    expect(now, "no attempt starts too late").toBeLessThan(before.expiresAt ?? Number.POSITIVE_INFINITY);
  if (job.started > before.started)
    expect(now, "nor is it leased too late").toBeLessThan(before.expiresAt ?? Number.POSITIVE_INFINITY);
  if (job.attempt > before.attempt)
    expect(now, "an attempt waits for its time").toBeGreaterThanOrEqual(given(dueIn(before)));
  if (job.phase.name === "waiting" && before.phase.name === "running") {
    expect(job.phase.runAt - now, "a retry waits a second at least").toBeGreaterThanOrEqual(SECOND);
    expect(job.phase.runAt - now, "and an hour at most").toBeLessThanOrEqual(HOUR);
  }
}

const dueIn = ({ phase }: Job): number | undefined => (phase.name === "waiting" ? phase.runAt : undefined);

/** The read model has heard of everything there is to know. */
function knowsAll(world: World): void {
  const { job, history, model } = world;
  const newest = model.facts ? executionOfRow(world.row(model.facts)) : undefined;
  const known = new Map(model.executions);
  const stored = newest && known.get(newest.attempt);
  // As read-job.ts reads it. Of what is under way its owner is asked: what is apart may be older than the row.
  const isOld = stored?.completedAt === null && stored.revision !== history.get(stored.attempt)?.revision;
  if (newest && !(stored && isAsNew(stored, newest) && !isOld)) known.set(newest.attempt, newest);
  const ordered = (executions: Iterable<Execution>) =>
    [...executions].sort((a, b) => a.attempt - b.attempt).map(({ revision, ...execution }) => execution);
  expect(ordered(known.values())).toEqual(ordered(history.values()));
  expect(model.asked, "what was asked for, as it is now").toEqual(askedOf(job));
  const { status, attempts, completedAt, result } = viewOf(job);
  expect(model).toMatchObject({ revision: job.revision, facts: { status, started: attempts, completedAt, result } });
}
