// How an owner reports to the read model: to the database's projector, or straight to D1 where that one is busy or failing.

import { databaseOf, homeOf } from "../../accounts/home.ts";
import { renewAccount } from "../../accounts/standing.ts";
import type { Applied } from "../../domain/reporting.ts";
import { sharedEpochAt } from "../../domain/tally.ts";
import { bytesOf } from "../../domain/text.ts";
import { applyReports } from "../../store/apply-reports.ts";
import type { Counting } from "../../store/counting.ts";
import type { Report } from "../../store/report.ts";
import { TooLate, within } from "../../store/time-limit.ts";
import { isOverloaded, projectorOf } from "../addresses.ts";

/** How long an owner waits for either of them. Then its alarm repeats the report. */
const ANSWER_MS = 2_000;

const APPLIED: readonly string[] = [
  "stored",
  "announce",
  "missing",
  "unavailable",
  "refused",
  "moving",
] satisfies Applied[];
const isApplied = (answer: string): answer is Applied => APPLIED.includes(answer);

/**
 * Never throws. A database that the account has left says so, and the account's home is looked up again. A projector that is overloaded is
 * left alone for a while, and so is its database: a crowd of owners that each write by themselves keeps D1 busy for a hundred times as
 * long as the projector's batches of the same reports.
 */
export async function sendReport(env: Cloudflare.Env, report: Report): Promise<Applied> {
  const bytes = bytesOf(JSON.stringify(report));
  let refused: number | null = null;
  for (let tries = 0; tries < 2; tries++) {
    const home = await within(ANSWER_MS, () => homeOf(env, report.accountId)).catch(() => null);
    if (!home?.ok || home.value === refused) break;
    const applied = await sendTo(env, home.value, report, bytes);
    if (applied !== "moving") return applied;
    refused = home.value;
    await within(ANSWER_MS, () => renewAccount(env, report.accountId)).catch(() => null);
  }
  return refused === null ? "unavailable" : "moving";
}

async function sendTo(env: Cloudflare.Env, database: number, report: Report, bytes: number): Promise<Applied> {
  const answer = await within(ANSWER_MS, () => projectorOf(env, database).report(report, bytes)).catch((fault) =>
    fault instanceof TooLate || isOverloaded(fault) ? "unavailable" : "busy",
  );
  if (answer !== "busy") return isApplied(answer) ? answer : "unavailable"; // the word of a newer projector
  const written = within(ANSWER_MS, () =>
    applyReports(databaseOf(env, report.accountId), [report], recounted(Date.now())),
  );
  const [applied = "unavailable"] = await written.catch(() => []);
  return applied;
}

/** Nobody holds these counts: their stamps are recounted once the minute is over. */
export const recounted = (now: number): Counting => ({
  epoch: { id: sharedEpochAt(now), openedAt: now, isKnown: false, claimsOthers: false },
  applied: () => {},
  uncertain: () => {},
  claimed: () => false,
});
