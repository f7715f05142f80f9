// Bulk actions of the service in memory. One does nothing by itself: the test moves it on.

import { accept, page, refuse } from "./answers.ts";
import type { FakeJob } from "./fake-job.ts";

export interface FakeBulkAction {
  id: string;
  action: string;
  status: string;
  matched: number;
  done: number;
  skipped: number;
  failed: number;
  created_at: string;
  completed_at: string | null;
}

export class FakeBulkActions {
  readonly actions: FakeBulkAction[] = [];
  readonly #jobs: readonly FakeJob[];

  constructor(jobs: readonly FakeJob[]) {
    this.#jobs = jobs;
  }

  answer(
    request: Request,
    id: string | undefined,
    call: string | undefined,
    input: Record<string, unknown>,
    url: URL,
  ): Response {
    if (id === undefined) return request.method === "POST" ? this.#start(input) : page(url, this.actions.toReversed());
    const action = this.actions.find((one) => one.id === id);
    if (action === undefined) return refuse(404, "bulk_action_not_found", "No such bulk action");
    if (call === "abort") {
      const aborted = { status: "aborted", completed_at: "2030-01-01T12:00:01.000Z" };
      if (action.status === "running") Object.assign(action, aborted);
    }
    return accept(action);
  }

  #start({ action, job_ids, dry_run }: Record<string, unknown>): Response {
    const at = "2030-01-01T12:00:00.000Z";
    const counts = { matched: 0, done: 0, skipped: 0, failed: 0 };
    if (dry_run === true) {
      const matched = Array.isArray(job_ids) ? job_ids.length : this.#jobs.length;
      const times = { created_at: at, completed_at: at };
      return accept({ id: null, action, status: "completed", ...counts, matched, ...times });
    }
    const times = { created_at: at, completed_at: null };
    const started = { id: crypto.randomUUID(), action: String(action), status: "running", ...counts, ...times };
    this.actions.push(started);
    return accept(started, 202);
  }
}
