// What a client may tell its user about a tool before it is called: whether it changes anything, and what.

/** It asks with POST because of what it asks for, and makes nothing. */
const ASKS = ["POST /v1/schedules/preview"];

/** They take away what is there, or end it. */
const ENDS = /\/(cancel|archive)$|^(DELETE|PATCH|PUT) |^POST \/v1\/bulk-actions$/;

/** A second call with the same arguments changes nothing more. */
const REPEATABLE = /\/(cancel|archive|pause|resume|abort)$|^(DELETE|PUT) /;

const isReading = (route: string): boolean => route.startsWith("GET ") || ASKS.includes(route);

export const hintsOf = (route: string) =>
  isReading(route)
    ? { readOnlyHint: true, openWorldHint: false }
    : { readOnlyHint: false, destructiveHint: ENDS.test(route), idempotentHint: REPEATABLE.test(route) };
