// The scopes of API keys, and their expiry.

/** `full`: everything. `read`: GET alone. `create`: making jobs alone. `worker`: a worker's calls alone. */
export const KEY_SCOPES = ["full", "read", "create", "worker"] as const;

export type KeyScope = (typeof KEY_SCOPES)[number];

/** True from the millisecond `expiresAt` on; null never expires. */
export const hasExpired = (expiresAt: number | null, now: number): boolean => expiresAt !== null && now >= expiresAt;

/** True if a key is still valid after `limit`. */
export const outlasts = (expiresAt: number | null, limit: number): boolean => expiresAt === null || expiresAt > limit;
