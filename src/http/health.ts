// Whether the service can do its work: its settings make sense and its database answers.

import { logShortSecrets, MIN_SECRET_LENGTH, masterKeysOf } from "../accounts/service-secrets.ts";
import { ACCOUNT_LIMITS, type AccountLimit, accountLimit, ruleOfLimit } from "../domain/account-limits.ts";
import { RETENTION_DAYS_RULE, retentionDays } from "../domain/retention-days.ts";
import { boundDatabases, directoryOf } from "../store/databases.ts";
import { canAnswer, ONE_OF_SEVERAL_MS } from "../store/store.ts";
import { ApiError } from "./errors.ts";
import { unwrap } from "./unwrap.ts";

/**
 * @returns the databases that do not answer, beside the directory: the accounts of the others are served
 * @throws ApiError `unavailable`, which names the setting at fault if one is
 */
export async function mustBeWell(env: Cloudflare.Env): Promise<string[]> {
  logShortSecrets(env);
  const fault = settingAtFault(env);
  if (fault) throw new ApiError("unavailable", fault, { headers: { "Retry-After": "60" } });
  const others = boundDatabases(env).filter(({ number }) => number !== 0);
  const asked = others.map(async ({ db, name }) => ((await canAnswer(db, ONE_OF_SEVERAL_MS)).ok ? [] : [name]));
  unwrap(await canAnswer(directoryOf(env)));
  return (await Promise.all(asked)).flat();
}

/** In words for the operator; undefined when every setting makes sense. */
function settingAtFault(env: Cloudflare.Env): string | undefined {
  if (!env.MASTER_KEY) return "MASTER_KEY is not set.";
  if (!masterKeysOf(env)) return `MASTER_KEY must have at least ${MIN_SECRET_LENGTH} characters.`;
  if (retentionDays(env.RETENTION_DAYS) === null) return `${RETENTION_DAYS_RULE} Until then nothing is deleted.`;
  for (const name of Object.keys(ACCOUNT_LIMITS) as AccountLimit[])
    if (accountLimit(name, env[name]) === null) return `${ruleOfLimit(name)} Until then it is ${ACCOUNT_LIMITS[name]}.`;
  return undefined;
}
