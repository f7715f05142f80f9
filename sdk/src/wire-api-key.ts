// Where the API's snake_case meets the SDK's camelCase for API keys; see wire.ts.

import type { ApiKey, CreatedApiKey, KeyScope, NewApiKey } from "./api-key.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { dateOrNull } from "./wire.ts";
import { timeOrNothing } from "./wire-job-input.ts";

/** A key as the API writes it. */
export interface WireApiKey {
  id: string;
  name: string;
  prefix: string;
  scope: KeyScope;
  expires_at: string | null;
  created_at: string;
}

export function apiKeyFromWire(wire: WireApiKey): ApiKey {
  const { id, name, prefix, scope } = wire;
  return { id, name, prefix, scope, expiresAt: dateOrNull(wire.expires_at), createdAt: new Date(wire.created_at) };
}

export function createdKeyFromWire(wire: WireApiKey & { key: string }): CreatedApiKey {
  return { ...apiKeyFromWire(wire), key: wire.key };
}

const NEW_KEY: Fields<NewApiKey> = { name: true, scope: true, expiresAt: true };

export function newApiKeyToWire(input: NewApiKey): object {
  checkFields("A new API key", input, NEW_KEY);
  const { name, scope, expiresAt } = input;
  return { name, scope, expires_at: timeOrNothing("expiresAt", expiresAt) };
}
