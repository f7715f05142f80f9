// Whoever moves an account may die at any await. Whatever the point: the account is in one of the two databases, whole, and arrives.

import { env } from "cloudflare:workers";
import { afterEach, expect, it } from "vitest";
import { PlatformAlarm } from "../../faults/workerd/harness/platform.ts";
import { type Moment, Tripwire } from "../../faults/workerd/harness/tripwire.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { DAY, NOON } from "../../workerd/harness/clock.ts";
import { insertRows } from "../../workerd/harness/rows.ts";
import { MoveUnderTest } from "./move.ts";
import { DATABASES, forgetMoves, rowsIn } from "./two-databases.ts";

const tripwire = new Tripwire("PROJECTORS", "JOBS");
afterEach(async () => {
  tripwire.remove();
  await forgetMoves();
});

async function filled(): Promise<Account> {
  const account = await newAccount("a tenant", 0);
  await insertRows(account, [
    {},
    { status: "completed" },
    { status: "failed", tally: 5 },
    { revision: 0, reportDueAt: NOON + DAY, runAt: NOON + DAY },
  ]);
  await env.DB.prepare("INSERT INTO overview (account_id, minute, started) VALUES (?, 0, 4)").bind(account.id).run();
  return account;
}

type Way = "its alarm rings again" | "it has lost everything";

/** Moves the account; its object dies at the moment. @returns the calls that were made */
async function move(moment: Moment | null, way: Way): Promise<string[]> {
  const account = await filled();
  const before = await rowsIn(DATABASES[0], account.id);
  const moving = new MoveUnderTest(account);
  await moving.announce(1);
  await moving.wake();
  await tripwire.watch(moving.owner, moment);
  const alarm = new PlatformAlarm(moving);
  for (let ring = 0; (await moving.alarm()) !== null; ring++) {
    if (ring > 30) throw new Error("it comes to no end");
    if (await alarm.ring()) continue;
    await isWhole(moving, before);
    if (way === "it has lost everything") {
      await moving.wipe();
      await moving.wake(); // the cron does
    }
  }
  const calls = [...tripwire.passed];
  tripwire.remove();
  expect(await moving.isEmpty()).toBe(true);
  expect(await moving.residence()).toEqual({ database: 1, moving_to: null });
  expect(await moving.stages()).toEqual([expect.stringMatching(/^(left|closed)$/), "here", undefined]);
  expect(await rowsIn(DATABASES[1], account.id)).toEqual(before);
  return calls;
}

/** At each moment the database that the directory names has all rows. */
async function isWhole(moving: MoveUnderTest, rows: object): Promise<void> {
  const { database } = await moving.residence();
  expect(await rowsIn(DATABASES[database as 0 | 1], moving.account.id)).toEqual(rows);
}

/** A page is read and written by calls of this name; whatever else is done is a batch, or asks an object. */
const OF_A_PAGE = "D1";

it.each<[Way, string, (call: string, side: Moment["side"]) => boolean]>([
  ["its alarm rings again", "at each call", (call, side) => side === "after" || call !== OF_A_PAGE],
  ["it has lost everything", "between two pages or steps", (call, side) => side === "after" && call !== OF_A_PAGE],
])("an account whose move dies is whole, and arrives when %s: %s", { timeout: 120_000 }, async (way, _, isTried) => {
  await move(null, way); // the projector of this file's first move begins
  const calls = await move(null, way);
  expect(calls.length).toBeGreaterThan(30);
  for (const [i, name] of calls.entries())
    for (const side of ["before", "after"] as const) {
      if (!isTried(name, side)) continue;
      const where = `${side} call ${i + 1} of ${calls.length}`;
      await move({ call: i + 1, side }, way).catch((thrown) => {
        throw new Error(`${where}: ${thrown}`);
      });
      expect(tripwire.hasKilled, where).toBe(true);
    }
});
