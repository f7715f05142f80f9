// The operator's endpoints: accounts are made, suspended, resumed, moved and deleted.

import { Hono } from "hono";
import * as v from "valibot";
import {
  type Account,
  deleteAccount,
  deleteResident,
  insertAccount,
  insertResident,
  listAccounts,
  readAccount,
  setAccountStatus,
} from "../accounts/accounts-store.ts";
import { makeKey } from "../accounts/api-key.ts";
import { newHome } from "../accounts/new-home.ts";
import { idOfMasterKey, secretsAt } from "../accounts/signing-secret.ts";
import { forgetAccount } from "../accounts/standing.ts";
import { notBeforeMs } from "../domain/account-move.ts";
import { MAX_DATABASES } from "../domain/databases.ts";
import { formatInstant } from "../domain/instant.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { done, listed } from "../http/envelope.ts";
import { ApiError, invalid, unavailable } from "../http/errors.ts";
import { IdParam, integer, text } from "../http/fields.ts";
import { keysOf } from "../http/master-keys.ts";
import { offsetOf, PageQuery, pagingOf } from "../http/paging.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { accountMoveOf, ask } from "../objects/addresses.ts";
import { type Bound, boundDatabases, databaseAt, directoryOf, isOneDatabase } from "../store/databases.ts";
import { announceMove } from "../store/directory.ts";

const AccountInput = closed({ name: text(255), database: v.optional(integer(0, MAX_DATABASES - 1)) });

const MoveInput = closed({ database: integer(0, MAX_DATABASES - 1) });

/** An account that has never moved. */
const SETTLED = { movingTo: null, moveAttempt: 0 } as const;

export const admin = new Hono<AppEnv>()
  .post("/accounts", valid({ body: AccountInput }), async (c) => {
    const { platform } = c.var;
    const masterKeys = keysOf(c);
    const now = platform.now();
    const id = platform.newId();
    const { name, database = await newHome(c.env, now) } = c.req.valid("form").body;
    const home = boundAt(c, database);
    const masterKeyId = await idOfMasterKey(masterKeys.current);
    const signing = { signingVersion: 1, masterKeyId, overlapEndsAt: null, previousMasterKeyId: null };
    const account: Account = { id, name, status: "active", ...signing, createdAt: now, database, ...SETTLED };
    const { key, hash, prefix } = await makeKey(platform.randomBytes(32));
    const firstKey = {
      hash,
      accountId: id,
      id: platform.newId(),
      name: "first",
      prefix,
      scope: "full" as const,
      createdAt: now,
    };
    if (database !== 0) unwrap(await insertResident(home.db, account));
    unwrap(await insertAccount(directoryOf(c.env), account, firstKey));
    const { current } = await secretsAt(masterKeys, id, account, now);
    const made = { ...showAccount(account), api_key: key, signing_secret: current };
    return done(c, "Account created. Its first API key is shown only this once.", made, 201);
  })

  .get("/accounts", valid({ query: closed(PageQuery) }), async (c) => {
    const { query } = c.req.valid("form");
    const [accounts, total] = unwrap(await listAccounts(directoryOf(c.env), offsetOf(query), query.size));
    return listed(c, "Accounts.", accounts.map(showAccount), pagingOf(query.page, query.size, total));
  })

  .post("/accounts/:id/suspend", valid({ params: IdParam }), async (c) =>
    done(
      c,
      "Account suspended. Its keys are refused and its due attempts wait.",
      await inStatus(c, c.req.valid("form").params.id, "suspended"),
    ),
  )

  .post("/accounts/:id/resume", valid({ params: IdParam }), async (c) =>
    done(
      c,
      "Account resumed. Its due attempts follow within 15 minutes.",
      await inStatus(c, c.req.valid("form").params.id, "active"),
    ),
  )

  .post("/accounts/:id/move", valid({ params: IdParam, body: MoveInput }), async (c) => {
    const { params, body } = c.req.valid("form");
    const { number } = boundAt(c, body.database);
    const waitMs = notBeforeMs(c.env.DATABASES_SINCE, c.var.platform.now());
    if (waitMs > 0) throw notYet(Math.ceil(waitMs / 1_000));
    const residing = unwrap(await announceMove(directoryOf(c.env), params.id, number));
    if (!residing) throw noSuchAccount();
    if (residing.movingTo !== null && residing.movingTo !== number) throw movesElsewhere(residing.movingTo);
    // If nobody answers, the cron wakes it. For an account that lives there already there is nothing to do.
    if (residing.movingTo !== null) await ask(() => accountMoveOf(c.env, params.id).wake(params.id));
    const account = unwrap(await readAccount(directoryOf(c.env), params.id));
    if (!account) throw noSuchAccount();
    return done(c, "The account moves. Its `moving_to` is null once it is there.", showAccount(account), 202);
  })

  .delete("/accounts/:id", valid({ params: IdParam }), async (c) => {
    const { id } = c.req.valid("form").params;
    const home = isOneDatabase(c.env) ? boundAt(c, 0) : await residesAt(c, id);
    if (home.number !== 0) unwrap(await deleteResident(home.db, id));
    const gone = unwrap(await deleteAccount(directoryOf(c.env), id));
    if (!gone) throw noSuchAccount();
    if (gone.database !== home.number) await leaveNewHome(c, gone);
    forgetAccount(id);
    return done(c, "Account deleted. Its keys are revoked at once, its jobs no longer run and are removed.", { id });
  });

async function inStatus(c: AppContext, id: string, status: "active" | "suspended") {
  const account = unwrap(await setAccountStatus(directoryOf(c.env), id, status));
  if (!account) throw noSuchAccount();
  forgetAccount(id);
  return showAccount(account);
}

/** @throws ApiError which names the databases there are, unless one has this number */
function boundAt(c: AppContext, database: number): Bound {
  const bound = databaseAt(c.env, database);
  if (bound) return bound;
  const numbers = boundDatabases(c.env).map(({ number }) => number);
  throw invalid("database", `There is no database ${database}. There are: ${numbers.join(", ")}.`);
}

async function residesAt(c: AppContext, id: string): Promise<Bound> {
  const account = unwrap(await readAccount(directoryOf(c.env), id));
  const home = account && databaseAt(c.env, account.database);
  if (!account || account.status === "deleted") throw noSuchAccount();
  if (!home) throw unavailable(60); // its database is not bound at the moment
  return home;
}

/** It has moved since its home was looked up. If that fails, retention in the new one does not learn of the deletion: it is asked for again. */
async function leaveNewHome(c: AppContext, { id, database }: Account): Promise<void> {
  const home = databaseAt(c.env, database);
  if (home && database !== 0) unwrap(await deleteResident(home.db, id));
}

const movesElsewhere = (to: number): ApiError =>
  new ApiError("conflict", `The account is moving to database ${to}. Ask again once it is there.`);

const notYet = (seconds: number): ApiError =>
  new ApiError(
    "unavailable",
    `A database was bound less than ten minutes ago, and instances from before may not know it yet. Move the account in ${seconds} s.`,
    { headers: { "Retry-After": String(seconds) } },
  );

const noSuchAccount = (): ApiError => new ApiError("not_found", "There is no such account.");

const showAccount = ({ id, name, status, database, movingTo, createdAt }: Account) => ({
  id,
  name,
  status,
  database,
  moving_to: movingTo,
  created_at: formatInstant(createdAt),
});
