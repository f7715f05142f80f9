// Where a job goes, in a few words.

import type { Job } from "../../api/job.ts";

/** Pull: the handler; push: method and address, without the scheme. */
export function targetOf({ delivery, handler }: Pick<Job, "delivery" | "handler">): string {
  if (delivery.type === "pull") return handler ?? "";
  return `${delivery.http.method} ${delivery.http.url.replace(/^https:\/\//, "")}`;
}
