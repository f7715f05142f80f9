// The answers of `GET /v1/overview` and `GET /v1/handlers`.

export type WindowName = "15m" | "1h" | "24h" | "7d";

export interface Bucket {
  readonly at: string;
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
  readonly lateness_ms: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
    readonly max: number | null;
  };
}

/** Failed attempts that have this much in common. */
export interface Failing {
  readonly error_code: string;
  readonly handler: string | null;
  readonly host: string | null;
  readonly count: number;
  readonly last_at: string;
  readonly job_id: string;
}

export interface DueMinute {
  readonly at: string;
  readonly count: number;
}

export interface BusyFlow {
  readonly key: string;
  readonly paused: boolean | null;
  readonly waiting: number | null;
  readonly running: number | null;
}

export interface Overview {
  readonly window: WindowName;
  readonly bucket_seconds: number;
  readonly buckets: readonly Bucket[];
  readonly overdue: { readonly count: number; readonly complete: boolean; readonly oldest_run_at: string | null };
  readonly failing: readonly Failing[];
  /** Paused, or with jobs in line. */
  readonly flows: readonly BusyFlow[];
  readonly due: readonly DueMinute[];
  readonly due_complete_until: string;
}

export interface Handler {
  readonly handler: string;
  /** Its queue did not answer: the rest is unknown. */
  readonly unavailable: boolean;
  readonly waiting: number | null;
  readonly oldest_due_at: string | null;
  readonly last_poll_at: string | null;
  readonly workers: readonly { readonly worker_id: string; readonly last_poll_at: string }[] | null;
}
