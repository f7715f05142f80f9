// The service's own secrets, as its operator has set them. One that is short enough to be guessed counts as not set: a
// tenant could try master keys against its own signing secret, and anybody admin tokens against the service.

import { log } from "../log.ts";
import type { MasterKeys } from "./signing-secret.ts";

/** Characters. `openssl rand` as the README calls it makes more. */
export const MIN_SECRET_LENGTH = 32;

/** Undefined when the service has no master key and can sign nothing. The previous one may be short: it is on its way out. */
export function masterKeysOf({ MASTER_KEY, MASTER_KEY_PREVIOUS }: Cloudflare.Env): MasterKeys | undefined {
  return isLong(MASTER_KEY) ? { current: MASTER_KEY, previous: MASTER_KEY_PREVIOUS || null } : undefined;
}

/** Undefined when nobody operates the service over HTTP. */
export const adminTokenOf = ({ ADMIN_TOKEN }: Cloudflare.Env): string | undefined =>
  isLong(ADMIN_TOKEN) ? ADMIN_TOKEN : undefined;

/** Logs the secrets that are set and ignored. */
export function logShortSecrets({ MASTER_KEY, ADMIN_TOKEN }: Cloudflare.Env): void {
  for (const [name, value] of Object.entries({ MASTER_KEY, ADMIN_TOKEN }))
    if (value && !isLong(value)) log("error", "secret_too_short", { name });
}

const isLong = (secret: string | undefined): secret is string => (secret ?? "").length >= MIN_SECRET_LENGTH;
