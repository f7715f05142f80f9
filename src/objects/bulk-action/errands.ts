// What a BulkActionObject's alarm does: it finds the next page of jobs, writes it down, asks them, and counts the answers. A page
// that was begun by an instance that died is asked again: each job knows which bulk actions have changed it.

import { databaseOf } from "../../accounts/home.ts";
import { standingOf } from "../../accounts/standing.ts";
import { Allowance, callsAllowed } from "../../domain/allowance.ts";
import {
  type BulkAction,
  beginPage,
  counted,
  countedSome,
  heldUp,
  isOver,
  type NextPage,
  type Page,
  type Rest,
  worthAsking,
} from "../../domain/bulk-action.ts";
import { ok } from "../../domain/result.ts";
import { log } from "../../log.ts";
import { knownJobs } from "../../store/bulk-actions-store.ts";
import { idsMatching } from "../../store/list-jobs.ts";
import { movingAmong } from "../../store/move-stages.ts";
import type { Stored } from "../../store/store.ts";
import { askJobs } from "./ask-jobs.ts";
import type { BulkActionKeeper } from "./bulk-action-keeper.ts";

/** Jobs of one page: what is asked again after a crash. */
const PAGE_SIZE = 100;

/** Calls for one job: its row is read and may be written, its owner is asked or woken, and once more if another change came first. */
const CALLS_PER_JOB = 4;

/** Calls for a page: the account, the ids, their rows, and whether the database answers. */
const CALLS_PER_PAGE = 4;

/** What of the calls an invocation may make is planned for: a job that has just changed takes a few more. */
const SHARE = 0.9;

/** One ring of the alarm takes no longer than this, and the page under way. The platform ends it after 15 minutes. */
const RING_MS = 60_000;

/** Does what is due, until nothing is, or this invocation has made all the calls it may make: then the alarm rings again. */
export async function runBulkErrands(
  keeper: BulkActionKeeper,
  env: Cloudflare.Env,
  later: (work: Promise<unknown>) => void,
): Promise<void> {
  const { record } = keeper;
  const startedAt = Date.now();
  const allowance = new Allowance(callsAllowed(env.SUBREQUESTS) * SHARE);
  const size = Math.max(1, Math.min(PAGE_SIZE, Math.floor((allowance.left - CALLS_PER_PAGE) / CALLS_PER_JOB)));
  let begun: Page | null = null;
  for (let steps = 0; Date.now() < startedAt + RING_MS; steps++) {
    const may = (calls: number): boolean => allowance.take(calls) || steps === 0; // every ring goes on by a step
    const action = record.read();
    if (!action) return;
    const now = Date.now();
    if (action.reportAt !== null && action.reportAt <= now) {
      if (!may(1)) return;
      await keeper.report();
    } else if (isOver(action) || action.goOnAt > now) {
      return;
    } else if (action.page) {
      const isFirst = action.page === begun;
      if (!isFirst && !may(callsFor(action.page.jobIds.length))) return;
      await askPage(keeper, { env, later, action, isFirst }, action.page);
    } else {
      if (!may(callsFor(size))) return;
      begun = await findPage(keeper, env, action, size);
    }
  }
}

const callsFor = (jobs: number): number => CALLS_PER_PAGE + CALLS_PER_JOB * jobs;

/** Looks for the next jobs and writes them down. @returns the page, if there are any to be asked */
async function findPage(
  keeper: BulkActionKeeper,
  env: Cloudflare.Env,
  action: BulkAction,
  size: number,
): Promise<Page | null> {
  const { record } = keeper;
  const standing = await standingOf(env, action.accountId, Date.now);
  if (standing.ok && standing.value.status === "gone") {
    await keeper.abandon(action);
    return null;
  }
  const next = await nextPage(env, action, size);
  if (!record.isStill(action)) return null; // it was aborted meanwhile
  const now = Date.now();
  if (!next.ok) {
    log("warn", "bulk_action_held", { account_id: action.accountId, bulk_action_id: action.id });
    record.write(heldUp(action, now), now);
    return null;
  }
  const begun = beginPage(action, next.value, now);
  record.write(begun, now);
  logIfOver(begun);
  return begun.page;
}

async function nextPage(env: Cloudflare.Env, action: BulkAction, size: number): Promise<Stored<NextPage>> {
  const found = await nextIds(env, action, size);
  if (!found.ok) return found;
  const { ids, rest } = found.value;
  const known = ids.length === 0 ? ok([]) : await knownJobs(databaseOf(env, action.accountId), action.accountId, ids);
  if (!known.ok) return known;
  const jobIds = worthAsking(action.action, ids, known.value, Date.now());
  return ok({ jobIds, skipped: ids.length - jobIds.length, rest });
}

interface NextIds {
  readonly ids: readonly string[];
  readonly rest: Rest | null;
}

async function nextIds(env: Cloudflare.Env, { accountId, rest }: BulkAction, size: number): Promise<Stored<NextIds>> {
  if (!rest) return ok({ ids: [], rest });
  if ("jobIds" in rest) {
    const behind = rest.jobIds.slice(size);
    return ok({ ids: rest.jobIds.slice(0, size), rest: behind.length > 0 ? { jobIds: behind } : null });
  }
  const { filter, after } = rest;
  const found = await idsMatching(databaseOf(env, accountId), accountId, filter, { after, limit: size });
  if (!found.ok) return found;
  const { ids, next } = found.value;
  return ok({ ids, rest: next === null ? null : { filter, after: next } });
}

interface Asking {
  readonly env: Cloudflare.Env;
  readonly later: (work: Promise<unknown>) => void;
  readonly action: BulkAction;
  readonly isFirst: boolean;
}

/** Asks the jobs of a page and counts their answers. It may be aborted meanwhile: the page is counted all the same. */
async function askPage(
  { record }: BulkActionKeeper,
  { env, later, action, isFirst }: Asking,
  page: Page,
): Promise<void> {
  const outcomes = await askJobs({ env, later, action, isFirst }, page.jobIds);
  const { accountId, id } = action;
  const facts = { account_id: accountId, bulk_action_id: id };
  const isWell = outcomes.unreached.length === 0 || (await mayBeChanged(env, action.accountId));
  const present = record.read();
  if (!present) return;
  const now = Date.now();
  const next = isWell ? counted(present, outcomes, now) : countedSome(present, outcomes, now);
  record.write(next, now);
  if (!isWell) log("warn", "bulk_action_held", facts);
  if (next.failed > present.failed)
    for (const jobId of outcomes.unreached) log("error", "bulk_action_failed", { ...facts, job_id: jobId });
  logIfOver(next);
}

/** Whether it is to a job itself that a job could not be reached: the database answers, and the account does not move at the moment. */
async function mayBeChanged(env: Cloudflare.Env, accountId: string): Promise<boolean> {
  const moving = await movingAmong(databaseOf(env, accountId), [accountId]);
  return moving.ok && moving.value.length === 0;
}

function logIfOver(action: BulkAction): void {
  if (!isOver(action)) return;
  const { accountId, id, action: kind, status, matched, done, skipped, failed, createdAt, updatedAt } = action;
  const numbers = { matched, done, skipped, failed, duration_ms: updatedAt - createdAt };
  log("info", "bulk_action", { account_id: accountId, bulk_action_id: id, action: kind, status, ...numbers });
}
