// What a client may ask of many jobs at once (contract §2), and the jobs it means.

import * as v from "valibot";
import type { JobFilter } from "../domain/bulk-action.ts";
import { invalid } from "../http/errors.ts";
import { uuid } from "../http/fields.ts";
import { closed } from "../http/valid.ts";
import { FilterBody, filterOf } from "./job-filter.ts";

/** Jobs that are named one by one. */
const MAX_JOB_IDS = 1_000;

const Filter = v.pipe(
  closed({ all: v.nullish(v.literal(true, "Must be true, or be left out.")), ...FilterBody.entries }),
  v.metadata({ minProperties: 1 }),
  v.description('Which jobs: those that a list of it shows. At least one field, or `{ "all": true }`.'),
);

/** The body of `POST /v1/bulk-actions`. */
export const NewBulkAction = closed({
  action: v.picklist(["cancel", "retry", "run", "delete"]),
  filter: v.nullish(Filter),
  job_ids: v.nullish(
    v.pipe(
      v.array(uuid),
      v.minLength(1, "Must name a job."),
      v.maxLength(MAX_JOB_IDS, `Must be at most ${MAX_JOB_IDS} ids.`),
    ),
  ),
  dry_run: v.nullish(v.boolean(), false),
});

/**
 * The jobs a valid body means.
 *
 * @throws ApiError for what depends on several fields
 */
export function jobsOf({
  filter,
  job_ids,
}: v.InferOutput<typeof NewBulkAction>): { readonly filter: JobFilter } | { readonly jobIds: readonly string[] } {
  if (filter && job_ids) throw invalid("job_ids", "Give either `filter` or `job_ids`, not both.");
  if (job_ids) return { jobIds: job_ids };
  if (!filter) throw invalid("filter", "Give either `filter` or `job_ids`.");
  const { all, ...fields } = filter;
  const wanted = filterOf(fields);
  const isEmpty = Object.keys(wanted).length === 0;
  if (all && !isEmpty) throw invalid("filter.all", "Stands alone: leave it out, or all the other fields.");
  if (!all && isEmpty) throw invalid("filter", 'Must name a field. All jobs are meant by `{ "all": true }`.');
  return { filter: wanted };
}
