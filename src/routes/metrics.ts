// A scrape: the account that calls, or for the operator all of them. What it reads is bounded, however much there is.

import { Hono } from "hono";
import { databaseOf } from "../accounts/home.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { accountOrOperator } from "../http/auth.ts";
import { unwrap } from "../http/unwrap.ts";
import { valid } from "../http/valid.ts";
import { askFlows } from "../objects/flow/held-flows.ts";
import { handlersOf } from "../objects/pull-queue/handlers.ts";
import { boundDatabases } from "../store/databases.ts";
import { readTotal, readTotals } from "../store/overview-store.ts";
import { weigh } from "../store/weigh.ts";
import { CONTENT_TYPE, type Family, textOf } from "./exposition.ts";
import { coverageOf, databaseFamilies, familiesOf, type Scraped } from "./metric-families.ts";

/** Handlers of one scrape: each is a question to an object. */
const MAX_HANDLERS = 100;

/** Accounts that an operator's scrape shows, and how many of them it asks for their handlers. */
const MAX_ACCOUNTS = 1_000;
const MAX_ASKED_ACCOUNTS = 20;

export const metrics = new Hono<AppEnv>().get("/", accountOrOperator, valid({}), async (c) => {
  const families = c.get("account") ? await ofAccount(c) : await ofAll(c);
  return c.body(textOf(families), 200, { "Content-Type": CONTENT_TYPE });
});

async function ofAccount(c: AppContext): Promise<Family[]> {
  const now = c.var.platform.now();
  const { id } = c.var.account;
  const [total, handlers] = await Promise.all([
    readTotal(databaseOf(c.env, id), id, now),
    handlersOf(c.env, id, MAX_HANDLERS),
  ]);
  const { flows, ...counted } = unwrap(total);
  const heldFlows = await askFlows(c.env, id, flows);
  const scraped = { labels: {}, ...counted, heldFlows, handlers: handlers.ok ? handlers.value : undefined };
  return familiesOf([scraped], now);
}

async function ofAll(c: AppContext): Promise<Family[]> {
  const now = c.var.platform.now();
  const everywhere = await Promise.all(
    boundDatabases(c.env).map(async ({ db, number, name }) => {
      const weight = await weigh(db); // first, so that it waits for no query of ours
      const totals = weight.ok ? await readTotals(db, number, MAX_ACCOUNTS, now) : weight;
      return { name, totals, weight: weight.ok ? weight.value : null };
    }),
  );
  const totals = everywhere.flatMap(({ totals }) => (totals.ok ? [totals.value] : []));
  if (totals.length === 0) for (const { totals } of everywhere) unwrap(totals);
  const accounts = totals.flatMap((one) => one.accounts);
  const all: Scraped[] = [];
  let handlersLeft = MAX_HANDLERS;
  for (const { accountId, counted } of accounts.slice(0, MAX_ACCOUNTS)) {
    const isAsked = all.length < MAX_ASKED_ACCOUNTS && handlersLeft > 0;
    const known = isAsked ? await handlersOf(c.env, accountId, handlersLeft) : undefined;
    const handlers = known?.ok ? known.value : undefined;
    handlersLeft -= handlers?.length ?? 0;
    const at = totals.find((one) => one.accounts.some((account) => account.accountId === accountId));
    const [overdue, pausedFlows] = [at?.overdue.get(accountId), at?.pausedFlows.get(accountId) ?? 0];
    all.push({ labels: { account: accountId }, counted, overdue, pausedFlows, heldFlows: [], handlers });
  }
  const withoutHandlers = all.filter(({ handlers }) => handlers === undefined).length;
  const left = totals.reduce((sum, one) => sum + one.left, accounts.length - all.length);
  const isComplete = totals.length === everywhere.length && totals.every((one) => one.isComplete);
  return [...familiesOf(all, now), ...coverageOf(left, withoutHandlers, isComplete), ...databaseFamilies(everywhere)];
}
