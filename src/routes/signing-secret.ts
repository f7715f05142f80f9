// An account's signing secret over HTTP: read it, rotate it.

import { Hono } from "hono";
import * as v from "valibot";
import { type Account, readAccount, rotateSecret } from "../accounts/accounts-store.ts";
import { idOfMasterKey, type MasterKeys, overlapEndOf, secretsAt } from "../accounts/signing-secret.ts";
import { forgetAccount } from "../accounts/standing.ts";
import { moment } from "../domain/show-job.ts";
import type { AppContext, AppEnv } from "../http/app-env.ts";
import { done } from "../http/envelope.ts";
import { ApiError } from "../http/errors.ts";
import { integer } from "../http/fields.ts";
import { keysOf } from "../http/master-keys.ts";
import { unwrap } from "../http/unwrap.ts";
import { closed, valid } from "../http/valid.ts";
import { directoryOf } from "../store/databases.ts";

const HOUR_MS = 3_600_000;
const Rotation = closed({ overlap_hours: v.nullish(integer(1, 168), 24) });

export const signingSecret = new Hono<AppEnv>()
  .get("/", valid({}), async (c) => {
    const keys = keysOf(c);
    const account = unwrap(await readAccount(directoryOf(c.env), c.var.account.id));
    return done(c, "Signing secret.", await showSecret(c, keys, account ?? c.var.account));
  })

  .post("/rotate", valid({ body: Rotation }), async (c) => {
    const keys = keysOf(c);
    const now = c.var.platform.now();
    const overlapEndsAt = now + c.req.valid("form").body.overlap_hours * HOUR_MS;
    const issuer = await idOfMasterKey(keys.current);
    const rotated = unwrap(await rotateSecret(directoryOf(c.env), c.var.account.id, issuer, overlapEndsAt, now));
    if (!rotated)
      throw new ApiError("conflict", "The last rotation still overlaps. Wait until its old secret has expired.");
    forgetAccount(rotated.id);
    return done(c, "Signing secret rotated.", await showSecret(c, keys, rotated));
  });

async function showSecret(c: AppContext, keys: MasterKeys, account: Account) {
  const now = c.var.platform.now();
  const { current, earlier } = await secretsAt(keys, account.id, account, now);
  return {
    signing_secret: current,
    previous_signing_secret: earlier.at(-1) ?? null,
    previous_valid_until: moment(overlapEndOf(account, now)),
  };
}
