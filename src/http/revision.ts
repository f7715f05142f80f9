// The revision of what a client reads, as an entity tag, and the condition it may lay upon a change (contract §1).

import type { AppContext } from "./app-env.ts";
import { ApiError } from "./errors.ts";

export const etagOf = (revision: number): string => `"${revision}"`;

/** The revisions one of which what is changed must have; undefined: any will do. A tag that is none of ours never matches. */
export function ifMatch(c: AppContext): ReadonlySet<number> | undefined {
  const header = c.req.header("If-Match")?.trim();
  if (header === undefined || header === "*") return undefined;
  const tags = header.split(",").map((tag) => /^"(\d{1,15})"$/.exec(tag.trim())?.[1]);
  return new Set(tags.flatMap((tag) => (tag === undefined ? [] : [Number(tag)])));
}

/** @param present what the client would have changed, as it is now */
export const preconditionFailed = (present: object): ApiError =>
  new ApiError("precondition_failed", "It has changed since you read it. Nothing was changed.", { data: present });
