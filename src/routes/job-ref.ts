// A job named in a path.

import { canExist } from "../domain/ids.ts";
import type { AppContext } from "../http/app-env.ts";
import { jobNotFound } from "../http/unwrap.ts";
import type { JobRef } from "../store/jobs-store.ts";

/** @throws ApiError for an id nobody can have: no one is asked about it */
export function refOf(c: AppContext, jobId: string): JobRef {
  if (!canExist(jobId, c.var.platform.now())) throw jobNotFound();
  return { accountId: c.var.account.id, jobId };
}
