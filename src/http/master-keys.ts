// The master keys, for what is derived from them: signing secrets and sessions.

import { masterKeysOf } from "../accounts/service-secrets.ts";
import type { MasterKeys } from "../accounts/signing-secret.ts";
import type { AppContext } from "./app-env.ts";
import { unavailable } from "./errors.ts";

/**
 * Call this before anything is changed: a change whose answer cannot be given must not happen.
 *
 * @throws ApiError `unavailable` when the service has no master key
 */
export function keysOf(c: AppContext): MasterKeys {
  const keys = masterKeysOf(c.env);
  if (!keys) throw unavailable(60);
  return keys;
}
