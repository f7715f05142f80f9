// An API key as the API shows it, and what it may be for.

export const KEY_SCOPES = ["full", "read", "create", "worker"] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scope: KeyScope;
  readonly expires_at: string | null;
  readonly created_at: string;
}
