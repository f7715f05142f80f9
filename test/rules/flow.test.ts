// What a flow lets start: its limits at each moment, its breaker, and a walk on which neither slots nor starts are ever too many.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as rules from "../../src/domain/flow.ts";
import {
  ARRIVES_WITHIN_MS,
  counted,
  type Rate,
  type RateWindow,
  roomAt,
  roomIn,
} from "../../src/domain/rate-window.ts";
import { HOUR, MINUTE, NOON, SECOND } from "./a-job.ts";

const REF = { accountId: "acct", key: "calls" };
const NO_LIMITS = { concurrency: null, rate: null, breaker: null, paused: false };
const aFlow = (spec: Partial<rules.FlowSpec> = {}) => rules.put(undefined, { ...NO_LIMITS, ...spec }, REF, NOON);
const ticket = (n: number): rules.Ticket => ({ jobId: `job-${n}`, attempt: 1, dueAt: NOON, timeoutSeconds: 30 });

describe("a rate", () => {
  const A_MINUTE: Rate = { limit: 100, period: { value: 1, unit: "minute" } };

  it("lets a burst of the whole limit start, and then none until the burst has left the period", () => {
    const window = counted([], A_MINUTE, 100, NOON);
    expect(roomIn(window, A_MINUTE, NOON + MINUTE)).toBe(0);
    const at = roomAt(window, A_MINUTE, NOON) ?? 0;
    expect(at).toBe(NOON + MINUTE + 600 + 1_000); // its part lasts 600 ms, and a start may come a second after its turn
    expect(roomIn(window, A_MINUTE, at - 1)).toBe(0);
    expect(roomIn(window, A_MINUTE, at)).toBe(100);
  });

  it("has room for what the window does not hold", () => {
    expect(roomIn(counted([], A_MINUTE, 60, NOON), A_MINUTE, NOON)).toBe(40);
    expect(roomAt(counted([], A_MINUTE, 60, NOON), A_MINUTE, NOON)).toBeNull();
  });

  it("is not exceeded in any period, and used to 95 %, however its starts fall", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 10, max: 600 }),
        fc.nat(),
        (limit, seconds, chance) => {
          const rate: Rate = { limit, period: { value: seconds, unit: "second" } };
          const periodMs = seconds * SECOND;
          const starts: number[] = [];
          let window: RateWindow = [];
          let now = NOON;
          for (let round = 0; round < 400 && now < NOON + 10 * periodMs; round++) {
            const room = roomIn(window, rate, now);
            const some = Math.min(room, 1 + ((chance + round) % 7));
            if (some > 0) {
              window = counted(window, rate, some, now);
              for (let n = 0; n < some; n++) starts.push(now);
            }
            const more = roomAt(window, rate, now);
            now = more ?? now + ((chance * (round + 1)) % Math.max(1, Math.floor(periodMs / 50)));
          }
          expect(window.length).toBeLessThanOrEqual(115);
          for (const [i, at] of starts.entries()) {
            const beyond = starts[i + limit];
            if (beyond !== undefined) expect(beyond - at).toBeGreaterThan(periodMs);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is not exceeded at the target, however late turns and requests arrive, however long they take and whoever asks again", () => {
    const some = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 60 });
    const aWalk = fc.record({
      limit: fc.integer({ min: 1, max: 60 }),
      seconds: fc.constantFrom(1, 2, 10, 60),
      lates: some,
      takes: some,
      longestMs: fc.constantFrom(50, SECOND, 20 * SECOND),
    });
    const half = ARRIVES_WITHIN_MS / 2;
    fc.assert(
      fc.property(aWalk, fc.boolean(), ({ limit, seconds, lates, takes, longestMs }, isBusy) => {
        const period = seconds * SECOND;
        const rate: Rate = { limit, period: { value: seconds, unit: "second" } };
        const of = (some: readonly number[], n: number) => some[n % some.length] ?? 0;
        // Of a busy machine turns and requests take half a second, and every third turn is so late that its job asks again.
        const late = (n: number) =>
          Math.floor(of(lates, n) * (isBusy ? (n % 3 === 0 ? half + 3 * period : half) : 0.004 * period));
        let flow = rules.put(undefined, { ...NO_LIMITS, rate }, REF, NOON);
        const asking: { n: number; at: number; grantedAt: number }[] = [];
        const ending: { at: number; grantedAt: number; startedAt: number }[] = [];
        const starts: number[] = [];
        const start = (n: number, startedAt: number, grantedAt: number) => {
          const takesMs = Math.floor(of(takes, n) * longestMs);
          starts.push(
            startedAt + Math.min(takesMs, Math.floor(isBusy ? of(lates, n + 1) * half : Math.min(half, takesMs / 2))),
          );
          ending.push({ at: startedAt + takesMs, grantedAt, startedAt });
        };
        let granted = 0;
        let most = 0;
        let now = NOON;
        while (now < NOON + 20 * period) {
          for (const one of ending.filter(({ at }) => at <= now)) {
            ending.splice(ending.indexOf(one), 1);
            flow = rules.startedAt(flow, one.grantedAt, one.startedAt, now);
          }
          for (const one of asking.filter(({ at }) => at <= now)) {
            asking.splice(asking.indexOf(one), 1);
            if (!rules.mayStartStill(flow, one.grantedAt, now)) continue; // it stands in line again
            flow = rules.startsAt(flow, one.grantedAt, now);
            start(one.n, now, now);
          }
          const tickets = Array.from({ length: rules.room(flow, 0, now) }, () => ticket(++granted));
          flow = rules.granted(flow, tickets, now);
          for (const [i] of tickets.entries()) {
            const n = granted - i;
            if (late(n) <= half) start(n, now + late(n), now);
            else asking.push({ n, at: now + late(n), grantedAt: now });
          }
          most = Math.max(most, flow.window.length);
          const next = [...asking, ...ending].map(({ at }) => at);
          now = Math.min(rules.roomMoreAt(flow, 0, now) ?? Number.POSITIVE_INFINITY, ...next);
        }
        starts.sort((a, b) => a - b);
        for (const [i, at] of starts.entries()) {
          const beyond = starts[i + limit];
          if (beyond !== undefined) expect(beyond - at).toBeGreaterThanOrEqual(period);
        }
        const isUsed = seconds === 60 || longestMs <= 0.02 * period;
        if (!isBusy && isUsed) expect(starts.length).toBeGreaterThanOrEqual(0.95 * limit * 20);
        expect(most).toBeLessThanOrEqual(100 + ARRIVES_WITHIN_MS / (10 * seconds) + 5);
      }),
      { numRuns: 60 },
    );
  });

  it("counts a start that its job tells of afterwards from when it happened", () => {
    const flow = rules.granted(aFlow({ rate: A_MINUTE }), [ticket(1), ticket(2)], NOON);
    expect(rules.startedAt(flow, NOON, NOON + SECOND / 2, NOON + MINUTE)).toBe(flow); // the window allows for it
    expect(rules.startedAt(flow, NOON, NOON, NOON + 50)).toBe(flow); // to count it for a second less is worth no write
    const later = rules.startedAt(flow, NOON, NOON + 10_700, NOON + 20 * SECOND); // half a second of it is its way
    expect(later.window).toEqual([
      { at: NOON, count: 1 },
      { at: NOON + 10_200, count: 1 }, // the part that this moment belongs to
    ]);
    expect(rules.startsAt(later, NOON, NOON + 10_200 + 599).window).toEqual([{ at: NOON + 10_200, count: 2 }]);
    const left = rules.startsAt(later, NOON - 5 * MINUTE, NOON + 5 * SECOND);
    expect(left.window.map(({ at, count }) => [at - NOON, count])).toEqual([
      [0, 1],
      [4_800, 1],
      [10_200, 1],
    ]);
  });

  it("of a short period has room again as soon as those that are over have left it, and of those that still run a second later", () => {
    const rate: Rate = { limit: 10, period: { value: 2, unit: "second" } };
    const all = Array.from({ length: 10 }, (_, n) => ticket(n));
    let flow = rules.granted(aFlow({ rate }), all, NOON);
    expect(rules.roomMoreAt(flow, 0, NOON)).toBe(NOON + 2_000 + 20 + 1_000);
    for (let n = 0; n < 4; n++) flow = rules.startedAt(flow, NOON, NOON + 30, NOON + 80);
    expect(rules.room(flow, 0, NOON + 2_099)).toBe(0);
    expect(rules.room(flow, 0, NOON + 2_100)).toBe(4);
    expect(rules.room(flow, 0, NOON + 3_020)).toBe(10);
    expect(rules.startedAt(flow, NOON, NOON + 30, NOON + MINUTE).window).toEqual([]); // nothing of it counts any more
  });

  it("holds when the clock is set back, and lets all start again after a period and what the clock lost", () => {
    const window = counted([], A_MINUTE, 100, NOON);
    for (const back of [1, SECOND, 30 * SECOND, MINUTE]) {
      const then = NOON - back;
      expect(roomIn(window, A_MINUTE, then)).toBe(0);
      const at = roomAt(window, A_MINUTE, then) ?? 0;
      expect(at - then).toBeLessThanOrEqual(2 * MINUTE + 2 * SECOND);
      expect(roomIn(window, A_MINUTE, at)).toBe(100);
    }
    expect(roomIn(counted(window, A_MINUTE, 1, NOON - SECOND), A_MINUTE, NOON + MINUTE)).toBe(0);
  });

  it("is not held up for long by a clock that was set back by more than its period", () => {
    expect(roomIn(counted([], A_MINUTE, 100, NOON), A_MINUTE, NOON - HOUR)).toBe(100);
  });

  it("uses 95 % of what it allows when there is always somebody in line", () => {
    for (const seconds of [60, 3_600]) {
      const rate: Rate = { limit: 100, period: { value: seconds, unit: "second" } };
      const step = (seconds * SECOND) / 100;
      let window: RateWindow = [];
      let starts = 0;
      const end = NOON + 20 * seconds * SECOND;
      for (let now = NOON; now < end; now += Math.max(1, Math.floor(step / 10))) {
        const some = Math.min(1, roomIn(window, rate, now)); // evenly spread: nobody is let start in a burst
        if (some > 0) window = counted(window, rate, some, now);
        starts += some;
      }
      expect(starts / (20 * 100)).toBeGreaterThanOrEqual(0.95);
    }
  });
});

describe("the room of a flow", () => {
  it("is without end when there are no limits", () => {
    expect(rules.room(aFlow(), 10_000, NOON)).toBe(Number.POSITIVE_INFINITY);
  });

  it("is what no slot and no start of the period is taken", () => {
    const flow = aFlow({ concurrency: 5, rate: { limit: 3, period: { value: 1, unit: "minute" } } });
    expect(rules.room(flow, 0, NOON)).toBe(3);
    expect(rules.room(flow, 4, NOON)).toBe(1);
    expect(rules.room(flow, 7, NOON)).toBe(0); // the limit was lowered
  });

  it("is none while it is paused, and nothing but a person changes that", () => {
    const paused = rules.pause(aFlow({ concurrency: 5 }), NOON);
    expect(rules.room(paused, 0, NOON)).toBe(0);
    expect(rules.roomMoreAt(paused, 0, NOON)).toBeNull();
    expect(rules.room(rules.resume(paused, NOON), 0, NOON)).toBe(5);
  });

  it("is for all who wait once it is deleted", () => {
    expect(rules.room(rules.remove(rules.pause(aFlow({ concurrency: 1 }), NOON), NOON), 1, NOON)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

describe("what people change", () => {
  it("counts the revision, and what changes nothing does not", () => {
    const flow = aFlow();
    expect(rules.pause(flow, NOON).revision).toBe(flow.revision + 1);
    expect(rules.pause(rules.pause(flow, NOON), NOON + 1).revision).toBe(flow.revision + 1);
    expect(rules.resume(flow, NOON)).toBe(flow);
  });

  it("new limits keep the starts of the period, so that a repeated PUT gains nothing", () => {
    const rate: Rate = { limit: 2, period: { value: 1, unit: "minute" } };
    const used = rules.granted(aFlow({ rate }), [ticket(1), ticket(2)], NOON);
    expect(rules.room(rules.put(used, { ...NO_LIMITS, rate }, REF, NOON + 1), 0, NOON + 1)).toBe(0);
  });

  it("a flow that is made again after it was deleted is a new one, with a higher revision", () => {
    const deleted = rules.remove(aFlow(), NOON);
    const again = rules.put(deleted, NO_LIMITS, REF, NOON + MINUTE);
    expect(again).toMatchObject({ isDeleted: false, createdAt: NOON + MINUTE, revision: deleted.revision + 1 });
  });
});

describe("the breaker", () => {
  const BREAKER = { failures: 3, pause: { value: 1, unit: "minute" } } as const;
  const fail = (flow: rules.Flow, n: number, now = NOON) => rules.released(flow, ticket(n), "failed", now);
  const open = [1, 2, 3].reduce((flow, n) => fail(flow, n), aFlow({ breaker: BREAKER }));
  const probing = rules.granted(open, [ticket(9)], NOON + MINUTE);

  it("opens at the failure its limit names, and not one before", () => {
    const almost = [1, 2].reduce((flow, n) => fail(flow, n), aFlow({ breaker: BREAKER }));
    expect(rules.room(almost, 0, NOON)).toBe(Number.POSITIVE_INFINITY);
    expect(rules.room(open, 0, NOON)).toBe(0);
    expect(open.news).toEqual([{ type: "flow.paused", at: NOON }]);
  });

  it("counts failures in a row: a success begins anew, what came to nothing counts neither way", () => {
    const two = [1, 2].reduce((flow, n) => fail(flow, n), aFlow({ breaker: BREAKER }));
    expect(fail(rules.released(two, ticket(3), "completed", NOON), 4).openUntil).toBeNull();
    expect(fail(rules.released(two, ticket(3), "neither", NOON), 4).openUntil).toBe(NOON + MINUTE);
  });

  it("lets one try when its pause is over, and not a millisecond earlier", () => {
    expect(rules.room(open, 0, NOON + MINUTE - 1)).toBe(0);
    expect(rules.roomMoreAt(open, 0, NOON)).toBe(NOON + MINUTE);
    expect(rules.room(open, 0, NOON + MINUTE)).toBe(1);
    expect(rules.room(probing, 1, NOON + MINUTE)).toBe(0);
    expect(rules.roomMoreAt(probing, 1, NOON + MINUTE)).toBeNull();
  });

  it("closes when that one completes, opens for as long again when it fails, and asks the next when it came to nothing", () => {
    const later = NOON + 2 * MINUTE;
    const closed = rules.released(probing, ticket(9), "completed", later);
    expect(closed).toMatchObject({
      openUntil: null,
      failures: 0,
      news: [{ type: "flow.paused" }, { type: "flow.resumed" }],
    });
    expect(rules.released(probing, ticket(9), "failed", later)).toMatchObject({
      openUntil: later + MINUTE,
      probe: null,
    });
    expect(rules.room(rules.released(probing, ticket(9), "neither", later), 0, later)).toBe(1);
  });

  it("is not moved by attempts that had started before", () => {
    expect(rules.released(probing, ticket(1), "completed", NOON + MINUTE)).toBe(probing);
    expect(rules.released(open, ticket(1), "failed", NOON + SECOND)).toBe(open);
  });

  it("ends with its flow: one that is made again is not paused, and waits for no attempt of before", () => {
    const again = rules.put(rules.remove(probing, NOON), { ...NO_LIMITS, breaker: BREAKER }, REF, NOON);
    expect(again).toMatchObject({ failures: 0, openUntil: null, probe: null });
    expect(rules.room(again, 0, NOON)).toBe(Number.POSITIVE_INFINITY);
  });

  it("is closed by a person, and by a definition without one", () => {
    expect(rules.room(rules.resume(open, NOON), 0, NOON)).toBe(Number.POSITIVE_INFINITY);
    expect(rules.room(rules.put(open, NO_LIMITS, REF, NOON), 0, NOON)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("news", () => {
  const news = [
    { type: "flow.paused", at: NOON },
    { type: "flow.resumed", at: NOON + 1 },
  ] as const;

  it("that came while others were told of is kept", () => {
    expect(rules.announced({ ...aFlow(), news }, news.slice(0, 1)).news).toEqual(news.slice(1));
  });

  it("is repeated after five seconds doubling to a minute", () => {
    let flow: rules.Flow = aFlow();
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      flow = rules.again(flow, NOON);
      return (flow.reportAt ?? 0) - NOON;
    });
    expect(waits).toEqual([5, 10, 20, 40, 60, 60].map((seconds) => seconds * SECOND));
  });
});

/** Attempts come, start and end as chance has it; people and time do the rest. */
const MOVES = ["ask", "ask", "complete", "fail", "nothing", "pause", "resume", "put", "pass"] as const;

it("on every walk: never more slots than the limit, one attempt while the breaker tries, and no start while it is paused", () => {
  const move = fc.record({ name: fc.constantFrom(...MOVES), dice: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 120 }), (moves) => {
      let now = NOON;
      let flow = aFlow({ concurrency: 3, breaker: { failures: 2, pause: { value: 10, unit: "second" } } });
      let slots: rules.Ticket[] = [];
      let asked = 0;
      for (const { name, dice } of moves) {
        const ends = { complete: "completed", fail: "failed", nothing: "neither" } as const;
        if (name === "ask") {
          const room = rules.room(flow, slots.length, now);
          if (room > 0) {
            expect(flow.paused).toBe(false);
            if (flow.openUntil !== null) expect(now).toBeGreaterThanOrEqual(flow.openUntil);
            if (flow.openUntil !== null) expect(room).toBeLessThanOrEqual(1);
            const mine = ticket(++asked);
            slots = [...slots, mine];
            flow = rules.granted(flow, [mine], now);
            expect(slots.length).toBeLessThanOrEqual(flow.concurrency ?? 0);
          }
        } else if (name === "pause") flow = rules.pause(flow, now);
        else if (name === "resume") flow = rules.resume(flow, now);
        else if (name === "pass") now += dice * 20;
        else if (name === "put") {
          const { breaker, paused } = flow;
          flow = rules.put(flow, { ...NO_LIMITS, breaker, paused, concurrency: Math.max(3, slots.length) }, REF, now);
        } else if (slots.length > 0) {
          const [ended] = slots.splice(dice % slots.length, 1);
          if (ended) flow = rules.released(flow, ended, ends[name], now);
        }
        const more = rules.roomMoreAt(flow, slots.length, now);
        if (rules.room(flow, slots.length, now) === 0 && more !== null) {
          expect(rules.room(flow, slots.length, more)).toBeGreaterThan(0); // whoever wakes then finds something to do
        }
        const isStuck = !flow.paused && slots.length === 0 && rules.room(flow, 0, now) === 0 && more === null;
        expect(isStuck).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});
