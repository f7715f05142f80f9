// A bulk action, and the jobs that it is for.

import type { WireBulkAction } from "../../../sdk/src/wire-bulk.ts";

export type BulkAction = WireBulkAction;

/** The filter of a list as a body: a name that may be given more than once is a list. */
export type FilterBody = Readonly<Record<string, string | readonly string[] | boolean>>;

export type Selection = { readonly filter: FilterBody } | { readonly job_ids: readonly string[] };
