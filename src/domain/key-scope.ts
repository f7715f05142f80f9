// What an API key may be for, and until when it is one.

/** `full`: everything. `read`: GET alone. `create`: making jobs alone. `worker`: a worker's calls alone. */
export const KEY_SCOPES = ["full", "read", "create", "worker"] as const;

export type KeyScope = (typeof KEY_SCOPES)[number];

/** From that millisecond on. A key without a moment does not expire. */
export const hasExpired = (expiresAt: number | null, now: number): boolean => expiresAt !== null && now >= expiresAt;

/** Whether a key is still one after `limit`. */
export const outlasts = (expiresAt: number | null, limit: number): boolean => expiresAt === null || expiresAt > limit;
